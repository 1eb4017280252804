// The rules about systemd units. A unit file can ask the manager for anything, so that a rule is
// held against every way to ask for it, and what cannot be read with certainty is refused.

#include <algorithm>
#include <array>
#include <sstream>

#include "core/policy_rules.hpp"
#include "core/unit_text.hpp"

namespace harmony::policy_rules {

namespace {

constexpr auto npos = std::string::npos;

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream in{text};
  std::vector<std::string> words;
  for (std::string word; in >> word;)
    words.push_back(std::move(word));
  return words;
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

/// As systemd's parse_boolean().
bool is_true(const std::string& value) {
  constexpr std::array yes{"1", "yes", "y", "true", "t", "on"};
  return std::find(yes.begin(), yes.end(), lower(value)) != yes.end();
}
bool is_false(const std::string& value) {
  constexpr std::array no{"0", "no", "n", "false", "f", "off"};
  return value.empty() || std::find(no.begin(), no.end(), lower(value)) != no.end();
}

/// Whether a name in a unit file can come to mean `unit` once systemd has replaced "%p" and its
/// like, and taken quotes and escapes away.
bool may_mean(const std::string& word, const std::string& unit) {
  std::string pattern;
  for (std::size_t i = 0; i < word.size(); ++i) {
    if (word[i] == '\\')
      return matches(pattern + "*", unit);
    if (word[i] == '%') {
      pattern += '*';
      ++i;
    } else if (word[i] != '"' && word[i] != '\'') {
      pattern += word[i];
    }
  }
  return matches(pattern, unit);
}

/// Ways in which one unit stops another or takes its name.
std::optional<refusal> check_relations(const agent_own& own, const std::string& unit,
                                       const std::vector<unit_assignment>& lines) {
  constexpr std::array keys{"Alias", "Conflicts", "PropagatesStopTo"};
  for (const auto& line : lines)
    if (std::find(keys.begin(), keys.end(), line.key) != keys.end())
      for (const auto& word : words_of(line.value))
        if (may_mean(word, own.unit))
          return refusal{
            {}, 0, "unit '" + unit + "' with '" + line.key + "=', which takes '" + own.unit + "'"};
  return {};
}

/// What a unit's processes are: as far as that can be told.
struct privileges {
  std::string user;     ///< empty: root, or one made up
  bool made_up = false; ///< DynamicUser=
  std::string escape;   ///< an assignment by which a command is more than that user
  std::vector<std::string> groups;
  std::vector<std::string> ambient;
  std::vector<std::string> bounding;
  bool bounded = false;
  bool runs = false; ///< whether it has processes

  /// Whether they run as the manager itself does: as root, where it is the system's. What a
  /// specifier will be is not known.
  [[nodiscard]] bool as_manager() const {
    return (user.empty() && !made_up) || user == "root" || user.find('%') != npos
           || (!user.empty() && user.find_first_not_of('0') == npos);
  }
};

/// Whether a command line has a command that may run with full rights: "+" and "!" before it, or
/// what may turn out to be one of these.
bool may_escape(const std::string& value) {
  bool begins = true;
  for (const auto& word : words_of(value)) {
    if (begins) {
      const auto at = word.find_first_not_of("@-:|");
      const auto c = at == npos ? '\0' : word[at];
      if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '/' && c != '.' && c != '_'
          && c != '%')
        return true;
    }
    begins = word == ";";
  }
  return false;
}

void append(std::vector<std::string>& to, const std::string& value) {
  for (auto& word : words_of(value))
    to.push_back(std::move(word));
}

privileges privileges_of(const std::string& section, const std::vector<unit_assignment>& lines) {
  privileges p;
  for (const auto& line : lines) {
    if (line.section != section)
      continue;
    if (line.key == "User")
      p.user = line.value;
    else if (line.key == "DynamicUser")
      p.made_up = is_true(line.value);
    else if (line.key == "PermissionsStartOnly" && !is_false(line.value))
      p.escape = line.key + "=";
    else if (line.key == "Group" || line.key == "SupplementaryGroups")
      append(p.groups, line.value);
    else if (line.key == "AmbientCapabilities")
      append(p.ambient, line.value);
    else if (line.key == "CapabilityBoundingSet") {
      append(p.bounding, line.value);
      p.bounded = true;
    } else if (line.key.rfind("Exec", 0) == 0 && !line.value.empty()) {
      p.runs = true;
      if (may_escape(line.value))
        p.escape = line.key + "=";
    }
  }
  return p;
}

std::optional<refusal> check_user(const device_policy& p, const agent_own& own,
                                  const std::string& unit, const privileges& has) {
  const auto as = [&](const std::string& user, const std::string& why) {
    auto what = "unit '" + unit;
    what.append("' ").append(why);
    return listed(p.users, "users", user, what);
  };
  if (!has.escape.empty())
    if (auto no = as(own.user, "with '" + has.escape + "', which may run as " + own.user))
      return no;
  if (has.as_manager())
    return as(own.user, "that runs as " + own.user);
  return has.user.empty() ? std::nullopt : as(has.user, "that runs as '" + has.user + "'");
}

std::optional<refusal> check_capabilities(const device_policy& p, const std::string& unit,
                                          const privileges& has) {
  if (!p.capabilities)
    return {};
  const auto no = [&](const std::string& what) {
    return refusal{"capabilities", p.capabilities->line, "unit '" + unit + "' " + what};
  };
  if (!has.escape.empty())
    return no("with '" + has.escape + "', which may have all capabilities");
  if (has.as_manager() && !has.bounded)
    return no("that runs as root without CapabilityBoundingSet=");
  auto all = has.ambient;
  if (has.as_manager())
    all.insert(all.end(), has.bounding.begin(), has.bounding.end());
  const auto& allowed = p.capabilities->values;
  for (const auto& each : all)
    if (std::none_of(allowed.begin(), allowed.end(),
                     [&](const std::string& a) { return lower(a) == lower(each); }))
      return no("with '" + each + "'");
  return {};
}

/// The section whose processes are those of a unit of that name; empty: it has none of its own.
std::string section_of(const std::string& unit) {
  const auto suffix = unit.substr(unit.rfind('.') + 1);
  if (suffix == "service")
    return "Service";
  if (suffix == "socket")
    return "Socket";
  if (suffix == "mount" || suffix == "automount")
    return "Mount";
  return suffix == "swap" ? "Swap" : "";
}

std::optional<refusal> check_content(const device_policy& p, const agent_own& own,
                                     const std::string& unit, const std::string& content) {
  const auto lines = read_unit_text(content);
  if (auto no = check_relations(own, unit, lines))
    return no;
  const auto section = section_of(unit);
  const auto has = privileges_of(section, lines);
  if (section.empty() || (section == "Socket" && !has.runs))
    return {};
  if (auto no = check_user(p, own, unit, has))
    return no;
  for (const auto& group : has.groups) {
    auto what = "unit '" + unit;
    what.append("' in group '").append(group).append("'");
    if (auto no = listed(p.groups, "groups", group, what))
      return no;
  }
  return check_capabilities(p, unit, has);
}

} // namespace

std::optional<refusal> check_unit(const device_policy& p, const agent_own& own,
                                  const systemd_unit_spec& spec) {
  if (spec.unit == own.unit)
    return refusal{{}, 0, "unit '" + spec.unit + "'"};
  if (auto no = listed(p.units, "units", "unit '" + spec.unit + "'",
                       [&](const std::string& pattern) { return matches(pattern, spec.unit); }))
    return no;
  return spec.content ? check_content(p, own, spec.unit, *spec.content) : std::nullopt;
}

} // namespace harmony::policy_rules
