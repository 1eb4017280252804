#include "postgres/conninfo.hpp"

#include <algorithm>

namespace harmony::postgres {

namespace {

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n';
}

/// One value, quoted or not, from the beginning of `text`, which loses it.
std::string take_value(std::string_view& text) {
  std::string value;
  const bool quoted = !text.empty() && text.front() == '\'';
  if (quoted)
    text.remove_prefix(1);
  while (!text.empty()) {
    auto c = text.front();
    if (quoted ? c == '\'' : is_space(c))
      break;
    text.remove_prefix(1);
    if (c == '\\' && !text.empty()) {
      c = text.front();
      text.remove_prefix(1);
    }
    value += c;
  }
  if (quoted && !text.empty())
    text.remove_prefix(1);
  return value;
}

void skip_space(std::string_view& text) {
  while (!text.empty() && is_space(text.front()))
    text.remove_prefix(1);
}

} // namespace

std::string write_conninfo(const conninfo& parameters) {
  std::string text;
  for (const auto& [name, value] : parameters) {
    text += (text.empty() ? "" : " ") + name + "='";
    for (const char c : value) {
      if (c == '\'' || c == '\\')
        text += '\\';
      text += c;
    }
    text += '\'';
  }
  return text;
}

std::map<std::string, std::string> read_conninfo(std::string_view text) {
  std::map<std::string, std::string> all;
  for (skip_space(text); !text.empty(); skip_space(text)) {
    const auto end = text.find('=');
    if (end == std::string_view::npos)
      return {};
    std::string name{text.substr(0, end)};
    while (!name.empty() && is_space(name.back()))
      name.pop_back();
    text.remove_prefix(end + 1);
    skip_space(text);
    all[name] = take_value(text);
  }
  return all;
}

conninfo reach(const failover::member_settings& s, const failover::member_address& whom,
               std::string_view name) {
  return {{"host", whom.host},          {"port", std::to_string(whom.port)},
          {"user", s.replication_user}, {"application_name", std::string{name}},
          {"connect_timeout", "5"},     {"keepalives_idle", "5"},
          {"keepalives_interval", "5"}, {"keepalives_count", "3"}};
}

std::string upstream_of(std::string_view primary_conninfo,
                        const std::vector<failover::member_address>& members) {
  auto all = read_conninfo(primary_conninfo);
  if (all["host"].empty())
    return {};
  const auto port = all["port"].empty() ? "5432" : all["port"];
  const auto at = std::find_if(members.begin(), members.end(), [&](const auto& m) {
    return m.host == all["host"] && std::to_string(m.port) == port;
  });
  return at == members.end() ? all["host"] + ":" + port : at->node;
}

const failover::member_address* find_member(const failover::member_settings& s,
                                            std::string_view node) {
  const auto at =
    std::find_if(s.members.begin(), s.members.end(), [&](const auto& m) { return m.node == node; });
  return at == s.members.end() ? nullptr : &*at;
}

std::string slot_of(std::string_view node) {
  auto name = std::string{slot_prefix} + std::string{node};
  std::replace(name.begin(), name.end(), '-', '_'); // a slot's name has none; a member's no '_'
  return name;
}

} // namespace harmony::postgres
