#include "apps/ctl/document_tree.hpp"

#include <nlohmann/json.hpp>

#include "model/detail/place.hpp"

namespace harmony::ctl {

namespace {

void append_string(std::string& out, const std::string& text) {
  out += nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void append(std::string& out, const node& value) {
  switch (value.kind) {
  case node_kind::null: out += "null"; return;
  case node_kind::boolean:
  case node_kind::number: out += value.text; return;
  case node_kind::string: append_string(out, value.text); return;
  case node_kind::list: {
    out += '[';
    const char* separator = "";
    for (const auto& item : value.items) {
      out += std::exchange(separator, ",");
      append(out, *item);
    }
    out += ']';
    return;
  }
  case node_kind::map: {
    out += '{';
    const char* separator = "";
    for (const auto& m : value.members) {
      out += std::exchange(separator, ",");
      append_string(out, m.key);
      out += ':';
      append(out, *m.value);
    }
    out += '}';
    return;
  }
  }
}

} // namespace

const member* node::find(std::string_view key) const {
  for (const auto& m : members)
    if (m.key == key)
      return &m;
  return nullptr;
}

std::string field_path(std::string_view path, std::string_view key) {
  std::string result{path};
  detail::append_step(result, key); // the model's own way, or its issues would not be found
  return result;
}

std::string item_path(std::string_view path, std::size_t index) {
  std::string result{path};
  detail::append_step(result, index);
  return result;
}

std::string to_json(const node& value) {
  std::string out;
  out.reserve(value.weight);
  append(out, value);
  return out;
}

position_map::position_map(const node& root) {
  places_[""] = root.at;
  add("", root);
}

void position_map::add(const std::string& path, const node& value) {
  for (std::size_t i = 0; i < value.items.size(); ++i) {
    const auto child = item_path(path, i);
    places_[child] = value.items[i]->at;
    add(child, *value.items[i]);
  }
  for (const auto& m : value.members) {
    const auto child = field_path(path, m.key);
    places_[child] = m.at;
    add(child, *m.value);
  }
}

position position_map::locate(std::string_view path) const {
  for (;;) {
    if (const auto found = places_.find(path); found != places_.end())
      return found->second;
    const auto cut = path.find_last_of(".[");
    if (cut == std::string_view::npos)
      break;
    path = path.substr(0, cut);
  }
  const auto root = places_.find("");
  return root == places_.end() ? position{} : root->second;
}

} // namespace harmony::ctl
