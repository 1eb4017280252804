#include "apps/agent/policy_file.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <sstream>

#include <toml++/toml.h>

namespace harmony {

namespace {

using fits_function = bool (*)(std::string_view);

template <std::size_t... I>
bool is_any_kind(std::string_view name, std::index_sequence<I...> /*all*/) {
  return ((name == kind_of(resource_spec{std::in_place_index<I>})) || ...);
}

bool is_kind(std::string_view text) {
  return is_any_kind(text, std::make_index_sequence<std::variant_size_v<resource_spec>>{});
}

bool is_path(std::string_view text) {
  if (text == "/")
    return true;
  if (text.empty() || text.front() != '/' || text.back() == '/')
    return false;
  std::istringstream parts{std::string{text.substr(1)}};
  for (std::string part; std::getline(parts, part, '/');)
    if (part.empty() || part == "." || part == "..")
      return false;
  return true;
}

bool is_repository(std::string_view text) {
  return !text.empty() && text.find_first_of("*@ ") == std::string_view::npos && text.back() != '/';
}

bool is_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, port);
  return error == std::errc{} && at == end && port != 0;
}

bool is_ports(std::string_view text) {
  const auto dash = text.find('-');
  return is_port(text.substr(0, dash))
         && (dash == std::string_view::npos || is_port(text.substr(dash + 1)));
}

bool is_capability(std::string_view text) {
  return text.substr(0, 4) == "CAP_" && text.size() > 4;
}

bool is_given(std::string_view text) {
  return !text.empty();
}

/// A rule that lists texts.
struct list_rule {
  const char* name;
  std::optional<policy_list> device_policy::*member;
  fits_function fits;
  const char* expected;
};

constexpr auto path_text = "an absolute path without '.', '..', '//' or '/' at its end";
constexpr std::array list_rules{
  list_rule{"kinds", &device_policy::kinds, is_kind, "a kind such as \"File\""},
  list_rule{"paths", &device_policy::paths, is_path, path_text},
  list_rule{"deny-paths", &device_policy::deny_paths, is_path, path_text},
  list_rule{"units", &device_policy::units, is_given, "a pattern such as \"app-*.service\""},
  list_rule{"images", &device_policy::images, is_repository,
            "a registry or repository such as \"registry.example/team\", without tag and '*'"},
  list_rule{"ports", &device_policy::ports, is_ports, "a port or a range such as \"8000-8999\""},
  list_rule{"mounts", &device_policy::mounts, is_path, path_text},
  list_rule{"users", &device_policy::users, is_given, "the name of an account"},
  list_rule{"groups", &device_policy::groups, is_given, "the name of a group"},
  list_rule{"capabilities", &device_policy::capabilities, is_capability,
            "a capability such as \"CAP_NET_BIND_SERVICE\""},
  list_rule{"packages", &device_policy::packages, is_given, "a pattern such as \"app-*\""},
};

/// A rule that is on or off.
struct switch_rule {
  const char* name;
  std::optional<policy_switch> device_policy::*member;
};
constexpr std::array switch_rules{
  switch_rule{"digest-only", &device_policy::digests},
  switch_rule{"shell-jobs", &device_policy::shell_jobs},
  switch_rule{"exec-probes", &device_policy::exec_probes},
};

/// Reads one rule; faults name where it stands.
class rule_reader {
public:
  rule_reader(std::string origin, const toml::node& node)
    : origin_(std::move(origin)),
      node_(node),
      line_(static_cast<unsigned>(node.source().begin.line)) {}

  outcome<void> read(const list_rule& rule, device_policy& into) const {
    const auto* all = node_.as_array();
    if (all == nullptr)
      return fault("a list of texts", node_);
    policy_list result{line_, {}};
    for (const auto& each : *all) {
      auto value = each.value<std::string>();
      // A port is as well written as a number.
      if (const auto number = each.value_exact<std::int64_t>())
        value = std::to_string(*number);
      if (!value || !rule.fits(*value))
        return fault(rule.expected, each);
      result.values.push_back(std::move(*value));
    }
    into.*rule.member = std::move(result);
    return {};
  }

  outcome<void> read(const switch_rule& rule, device_policy& into) const {
    const auto value = node_.value_exact<bool>();
    if (!value)
      return fault("true or false", node_);
    into.*rule.member = policy_switch{line_, *value};
    return {};
  }

private:
  [[nodiscard]] failure fault(const std::string& expected, const toml::node& got) const {
    std::ostringstream text;
    if (const auto value = got.value<std::string>())
      text << "'" << *value << "'";
    else
      text << toml::node_view<const toml::node>{got};
    return {ec::invalid_spec, origin_ + ": expected " + expected + ", got " + text.str()};
  }

  std::string origin_;
  const toml::node& node_;
  unsigned line_;
};

outcome<void> read_rule(const std::string& path, std::string_view key, const toml::node& node,
                        device_policy& into) {
  const auto origin =
    path + ":" + std::to_string(node.source().begin.line) + ": policy." + std::string{key};
  const rule_reader reader{origin, node};
  for (const auto& rule : list_rules)
    if (key == rule.name)
      return reader.read(rule, into);
  for (const auto& rule : switch_rules)
    if (key == rule.name)
      return reader.read(rule, into);
  return {ec::invalid_spec, origin + ": there is no such rule; see agent.toml as it was installed"};
}

} // namespace

outcome<device_policy> read_policy(std::string_view toml, const std::string& path) {
  device_policy result;
  result.file = path.substr(path.rfind('/') + 1);
  try {
    const auto whole = toml::parse(toml, path);
    const auto* rules = whole["policy"].as_table();
    if (rules == nullptr)
      return result;
    for (const auto& [key, node] : *rules)
      if (auto read = read_rule(path, key.str(), node, result); !read)
        return read.error();
  } catch (const toml::parse_error& e) {
    return {ec::invalid_document, path + ": " + std::string{e.description()}};
  }
  return result;
}

} // namespace harmony
