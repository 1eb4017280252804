#include "transport/store.hpp"

#include <algorithm>
#include <filesystem>

#include "transport/directory_store.hpp"
#include "transport/nats_store.hpp"
#include "transport/nats_url.hpp"
#include "transport/store_rules.hpp"

namespace harmony {

namespace {

bool is_key_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-'
         || c == '_' || c == '=' || c == '.';
}

failure bad_url(const std::string& url, const std::string& why) {
  return {ec::invalid_spec, "cannot open the store '" + url + "': " + why
                              + "; give nats://host:port[,…], tls://host:port[,…] or "
                                "dir:/absolute/path"};
}

outcome<std::unique_ptr<store>> open_directory(const std::string& url) {
  const std::filesystem::path path{url.substr(4)};
  if (!path.is_absolute())
    return bad_url(url, "the folder's path is not absolute");
  auto root = path.lexically_normal();
  if (!root.has_filename())
    root = root.parent_path();
  if (root == root.root_path())
    return bad_url(url, "the root of the file system is no place for it");
  return std::unique_ptr<store>{std::make_unique<directory_store>(std::move(root))};
}

} // namespace

std::string_view name_of(bucket b) noexcept {
  switch (b) {
  case bucket::desired_state: return "desired-state";
  case bucket::actual_state: return "actual-state";
  case bucket::device_info: return "device-info";
  case bucket::enrolment: return "enrolment";
  case bucket::enrolment_request: return "enrolment-request";
  }
  return "";
}

outcome<void> check_key(std::string_view key) {
  const auto bad = [&](const char* why) -> outcome<void> {
    return {ec::invalid_spec,
            "cannot use the key '" + std::string{key.substr(0, 80)} + "': " + why};
  };
  if (key.empty() || key.size() > max_key_bytes)
    return bad("it must have 1 to 200 characters");
  if (!std::all_of(key.begin(), key.end(), is_key_char))
    return bad("only letters, digits and -_=. may stand in it");
  if (key.front() == '.' || key.back() == '.' || key.find("..") != std::string_view::npos)
    return bad("a dot must stand between two other characters");
  return {};
}

outcome<void> check_verb(std::string_view verb) {
  constexpr std::size_t longest = 32;
  if (!verb.empty() && verb.size() <= longest
      && std::all_of(verb.begin(), verb.end(), [](char c) { return c >= 'a' && c <= 'z'; }))
    return {};
  return {ec::invalid_spec,
          "'" + std::string{verb.substr(0, longest)} + "' is no verb of a command"};
}

failure nobody_serves(std::string_view agent) {
  return {ec::agent_unreachable, "no agent '" + std::string{agent}
                                   + "' serves commands: it is not running, not connected, or its "
                                     "configuration turns commands off"};
}

outcome<void> check_value(std::string_view value) {
  if (value.size() > max_value_bytes)
    return {ec::document_too_large, "the value has " + std::to_string(value.size())
                                      + " bytes, the store takes at most "
                                      + std::to_string(max_value_bytes)};
  return {};
}

std::string shown_url(std::string_view url) {
  const auto login_end = url.rfind('@');
  if (url.rfind("dir:", 0) == 0 || login_end == std::string_view::npos)
    return std::string{url};
  const auto servers = nats::parse_servers(url);
  if (!servers) { // where a login begins and ends cannot be known
    const auto mark = url.find("://");
    const auto scheme = mark < login_end ? url.substr(0, mark + 3) : std::string_view{};
    return std::string{scheme} + std::string{url.substr(login_end + 1)};
  }
  std::string shown;
  for (const auto& each : *servers)
    shown += (shown.empty() ? "" : ",") + each.shown;
  return shown;
}

outcome<std::unique_ptr<store>> open_store(const store_options& options) {
  if (options.url.substr(0, 4) == "dir:")
    return open_directory(options.url);
  if (options.url.substr(0, 7) == "nats://" || options.url.substr(0, 6) == "tls://") {
    auto servers = nats::parse_servers(options.url);
    if (!servers)
      return servers.error();
    return std::unique_ptr<store>{std::make_unique<nats_store>(options, std::move(*servers))};
  }
  return bad_url(options.url, "it names no known kind of store");
}

} // namespace harmony
