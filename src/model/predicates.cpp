#include "model/detail/predicates.hpp"

#include <algorithm>
#include <charconv>

#include "model/detail/characters.hpp"
#include "model/ids.hpp"

namespace harmony::detail {

bool no_nul(std::string_view text) noexcept {
  return text.find('\0') == npos;
}

bool is_kind(std::string_view text) noexcept {
  return !text.empty() && text.size() <= 63 && all(text, is_letter);
}

bool is_id(std::string_view text) noexcept {
  const auto slash = text.find('/');
  return slash != npos && is_kind(text.substr(0, slash)) && is_name(text.substr(slash + 1));
}

bool is_sha256(std::string_view text) noexcept {
  return text.size() == 64 && only(text, hex);
}

bool is_path(std::string_view text) noexcept {
  return text.size() > 1 && text.front() == '/' && no_nul(text)
         && split(text.substr(1), '/', [](std::string_view part) {
              return !part.empty() && part != "." && part != "..";
            });
}

bool is_mode(std::string_view text) noexcept {
  return text.size() == 4 && only(text, "01234567");
}

/// A user or group id: below 2^32 - 1, which chown(2) takes for "leave it".
static bool is_account_number(std::string_view text) noexcept {
  unsigned long long number = 0;
  return !text.empty() && text.size() <= 10 && only(text, digits)
         && (text.size() == 1 || text.front() != '0')
         && std::from_chars(text.data(), text.data() + text.size(), number).ec == std::errc{}
         && number < 0xFFFFFFFFULL;
}

bool is_account(std::string_view text) noexcept {
  return is_account_number(text)
         || word(
           text, [](char c) { return has(lower, c) || c == '_'; },
           [](char c) { return is_lower_alnum(c) || c == '_' || c == '-'; }, 31);
}

bool is_run_as(std::string_view text) noexcept {
  const auto colon = text.find(':');
  return is_account(text.substr(0, colon)) && (colon == npos || is_account(text.substr(colon + 1)));
}

bool is_url(std::string_view text) noexcept {
  const auto scheme = text.find("://");
  if (scheme == npos || (text.substr(0, scheme) != "http" && text.substr(0, scheme) != "https"))
    return false;
  text.remove_prefix(scheme + 3);
  const auto end = text.find_first_of("/?#");
  const auto host = text.substr(0, end);
  // No user information: a password would stand in every status that names the URL.
  return !host.empty() && all(host, [](char c) { return is_alnum(c) || has(".-_:[]", c); })
         && (end == npos || all(text.substr(end), is_graphic));
}

bool is_base64(std::string_view text) noexcept {
  if (text.size() % 4 != 0)
    return false;
  if (text.empty())
    return true;
  const std::size_t padding = text.substr(text.size() - 2) == "==" ? 2 : text.back() == '=' ? 1 : 0;
  text.remove_suffix(padding);
  if (!only(text, base64_digits))
    return false;
  // The bits that no byte uses must be zero, so that equal bytes have equal texts.
  const auto unused = padding == 2 ? 0x0FU : padding == 1 ? 0x03U : 0U;
  return (base64_digits.find(text.back()) & unused) == 0;
}

/// As systemd's unit_name_is_valid(), without templates, devices and scopes.
bool is_unit(std::string_view text) noexcept {
  const auto dot = text.rfind('.');
  if (dot == npos)
    return false;
  const auto suffix = text.substr(dot + 1);
  const auto known = {"service", "socket", "timer", "path",     "mount",
                      "target",  "slice",  "swap",  "automount"};
  if (std::none_of(known.begin(), known.end(), [&](const char* k) { return suffix == k; }))
    return false;
  const auto stem = text.substr(0, dot);
  const auto at = stem.find('@');
  return !stem.empty() && at != 0 && at != stem.size() - 1
         && all(stem, [](char c) { return is_alnum(c) || has(":_.\\@-", c); });
}

static bool is_port_text(std::string_view text) noexcept {
  return !text.empty() && text.size() <= 5 && only(text, digits);
}

/// Letters and digits, with one of `.`, `_`, `__` or any number of `-` between them.
static bool is_image_component(std::string_view text) noexcept {
  if (text.empty() || !is_lower_alnum(text.front()) || !is_lower_alnum(text.back()))
    return false;
  for (std::size_t at = 0; at < text.size();) {
    const auto end =
      std::find_if(text.begin() + static_cast<std::ptrdiff_t>(at), text.end(), is_lower_alnum)
      - text.begin();
    const auto separator = text.substr(at, static_cast<std::size_t>(end) - at);
    if (!separator.empty() && separator != "." && separator != "_" && separator != "__"
        && !only(separator, "-"))
      return false;
    at = static_cast<std::size_t>(end) + 1;
  }
  return true;
}

static bool is_image_domain(std::string_view text) noexcept {
  const auto colon = text.find(':');
  if (colon != npos && !is_port_text(text.substr(colon + 1)))
    return false;
  return split(text.substr(0, colon), '.', [](std::string_view part) {
    return !part.empty() && is_alnum(part.front()) && is_alnum(part.back())
           && all(part, [](char c) { return is_alnum(c) || c == '-'; });
  });
}

/// [domain[:port]/]path[:tag][@digest], as registries have it.
bool is_image(std::string_view text) noexcept {
  if (const auto at = text.find('@'); at != npos) {
    const auto digest = text.substr(at + 1);
    const auto value = digest.substr(std::min<std::size_t>(7, digest.size()));
    if (!(digest.substr(0, 7) == "sha256:" && value.size() == 64 && only(value, hex))
        && !(digest.substr(0, 7) == "sha512:" && value.size() == 128 && only(value, hex)))
      return false;
    text = text.substr(0, at);
  }
  const auto slash = text.rfind('/');
  if (const auto colon = text.find(':', slash == npos ? 0 : slash); colon != npos) {
    if (!word(
          text.substr(colon + 1), [](char c) { return is_alnum(c) || c == '_'; },
          [](char c) { return is_alnum(c) || has("_.-", c); }, 127))
      return false;
    text = text.substr(0, colon);
  }
  const auto first = text.find('/');
  if (first != npos && is_image_domain(text.substr(0, first)))
    text.remove_prefix(first + 1);
  return split(text, '/', is_image_component);
}

bool is_variable(std::string_view text) noexcept {
  return word(
    text, [](char c) { return is_letter(c) || c == '_'; },
    [](char c) { return is_alnum(c) || has("_.-", c); }, npos);
}

bool is_volume(std::string_view text) noexcept {
  return word(
    text, is_alnum, [](char c) { return is_alnum(c) || has("_.-", c); }, npos);
}

static bool is_ipv4(std::string_view text) noexcept {
  return std::count(text.begin(), text.end(), '.') == 3
         && split(text, '.', [](std::string_view part) {
              int number = 0;
              return !part.empty() && part.size() <= 3 && only(part, digits)
                     && (part.size() == 1 || part.front() != '0')
                     && std::from_chars(part.data(), part.data() + part.size(), number).ec
                          == std::errc{}
                     && number <= 255;
            });
}

/// Eight groups, or fewer with one "::"; no zone and no IPv4 tail.
bool is_ipv6(std::string_view text) noexcept {
  const auto gap = text.find("::");
  std::size_t groups = 0;
  const auto count = [&](std::string_view part) {
    return part.empty() || split(part, ':', [&](std::string_view group) {
             ++groups;
             return !group.empty() && group.size() <= 4 && only(group, "0123456789abcdefABCDEF");
           });
  };
  if (gap == npos)
    return !text.empty() && count(text) && groups == 8;
  return count(text.substr(0, gap)) && count(text.substr(gap + 2)) && groups <= 7;
}

bool is_ip_address(std::string_view text) noexcept {
  return is_ipv4(text) || is_ipv6(text);
}

/// An address and how many of its bits name the network.
bool is_cidr(std::string_view text) noexcept {
  const auto slash = text.find('/');
  if (slash == npos)
    return false;
  const auto bits = text.substr(slash + 1);
  int number = 0;
  return !bits.empty() && bits.size() <= 3 && only(bits, digits)
         && (bits.size() == 1 || bits.front() != '0')
         && std::from_chars(bits.data(), bits.data() + bits.size(), number).ec == std::errc{}
         && ((is_ipv4(text.substr(0, slash)) && number <= 32)
             || (is_ipv6(text.substr(0, slash)) && number <= 128));
}

bool is_package(std::string_view text) noexcept {
  const auto name = text.substr(0, text.find(':'));
  const auto arch = name.size() == text.size() ? std::string_view{} : text.substr(name.size() + 1);
  return name.size() >= 2 && is_lower_alnum(name.front())
         && all(name, [](char c) { return is_lower_alnum(c) || has("+.-", c); })
         && (name.size() == text.size() || (!arch.empty() && all(arch, is_lower_alnum)));
}

bool is_link(std::string_view text) noexcept {
  return !text.empty() && text.size() <= 15 && text != "." && text != ".."
         && all(text, [](char c) { return is_alnum(c) || has("_.-", c); });
}

bool is_host_name(std::string_view text) noexcept {
  return !text.empty() && split(text, '.', [](std::string_view part) {
    return !part.empty() && part.size() <= 63 && is_alnum(part.front()) && is_alnum(part.back())
           && all(part, [](char c) { return is_alnum(c) || c == '-'; });
  });
}

bool is_label_name(std::string_view text) noexcept {
  return !text.empty() && is_alnum(text.front()) && is_alnum(text.back())
         && all(text, [](char c) { return is_alnum(c) || has("._/-", c); });
}

bool is_pg_name(std::string_view text) noexcept {
  return word(
    text, [](char c) { return has(lower, c) || c == '_'; },
    [](char c) { return is_lower_alnum(c) || c == '_'; }, npos);
}

bool is_line(std::string_view text) noexcept {
  return all(text, [](char c) { return c != '\x7F' && static_cast<unsigned char>(c) >= 0x20; });
}

} // namespace harmony::detail
