#include "failover/memory_file.hpp"

#include <nlohmann/json.hpp>

#include "identity/secret_file.hpp"

namespace harmony::failover {

namespace {

using json = nlohmann::json;

json write_optional(const std::optional<lease_record>& r) {
  return r ? json::parse(write(*r)) : json{};
}

outcome<std::optional<lease_record>> read_optional(const json& in) {
  if (in.is_null())
    return std::optional<lease_record>{};
  auto record = read_lease_record(in.dump());
  if (!record)
    return record.error();
  return std::optional{std::move(*record)};
}

failure unreadable(const std::string& why) {
  return {ec::invalid_document, "what a failover member remembers cannot be read: " + why};
}

} // namespace

std::string write(const memory& m) {
  return json{{"floor", m.floor},       {"newest", write_optional(m.newest)},
              {"timeline", m.timeline}, {"maker", m.maker},
              {"left", m.left},         {"leftMaker", m.left_maker},
              {"damaged", m.damaged},   {"promise", write_optional(m.promise)}}
    .dump();
}

outcome<memory> read_memory(std::string_view text) {
  const auto in = json::parse(text, nullptr, false);
  if (!in.is_object() || in.size() != 8)
    return unreadable("it is no object of eight members");
  memory m;
  try {
    in.at("floor").get_to(m.floor);
    in.at("timeline").get_to(m.timeline);
    in.at("maker").get_to(m.maker);
    in.at("left").get_to(m.left);
    in.at("leftMaker").get_to(m.left_maker);
    in.at("damaged").get_to(m.damaged);
    auto newest = read_optional(in.at("newest"));
    if (!newest)
      return unreadable("newest: " + newest.error().message);
    auto promise = read_optional(in.at("promise"));
    if (!promise)
      return unreadable("promise: " + promise.error().message);
    m.newest = std::move(*newest);
    m.promise = std::move(*promise);
  } catch (const json::exception& e) {
    return unreadable(e.what());
  }
  return m;
}

outcome<memory> memory_file::load() const {
  auto text = read_text_file(path_);
  if (!text && text.error().code == ec::not_found)
    return memory{};
  if (!text)
    return text.error();
  auto read = read_memory(*text);
  if (read)
    return read;
  return failure{read.error().code,
                 "'" + path_ + "' is spoiled: " + read.error().message
                   + "; without it this member does not know what it promised, or whether its data "
                     "are whole. Remove the file and the data directory: they are cloned again"};
}

outcome<void> memory_file::save(const memory& m) const {
  return replace_secret_file(path_, write(m));
}

} // namespace harmony::failover
