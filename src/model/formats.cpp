#include "model/detail/formats.hpp"

#include <algorithm>
#include <charconv>

#include "model/detail/json.hpp"

namespace harmony::detail {

namespace {

constexpr auto npos = std::string_view::npos;
constexpr std::string_view digits = "0123456789";
constexpr std::string_view hex = "0123456789abcdef";
constexpr std::string_view lower = "abcdefghijklmnopqrstuvwxyz";
constexpr std::string_view base64_digits =
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

bool has(std::string_view set, char c) noexcept {
  return set.find(c) != npos;
}
bool is_letter(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}
bool is_alnum(char c) noexcept {
  return is_letter(c) || is_digit(c);
}
bool is_lower_alnum(char c) noexcept {
  return has(lower, c) || is_digit(c);
}
/// Printable ASCII without the space.
bool is_graphic(char c) noexcept {
  return c >= '!' && c <= '~';
}

template <class Predicate>
bool all(std::string_view text, Predicate is) noexcept {
  return std::all_of(text.begin(), text.end(), is);
}
bool only(std::string_view text, std::string_view set) noexcept {
  return text.find_first_not_of(set) == npos;
}

/// Calls `visit` with each part of `text` between separators; false as soon as it says false.
template <class Visit>
bool split(std::string_view text, char separator, Visit visit) noexcept {
  for (;;) {
    const auto end = text.find(separator);
    if (!visit(text.substr(0, end)))
      return false;
    if (end == npos)
      return true;
    text.remove_prefix(end + 1);
  }
}

/// One character of `first`, then at most `rest` of `others`.
template <class First, class Others>
bool word(std::string_view text, First first, Others others, std::size_t rest) noexcept {
  return !text.empty() && first(text.front()) && text.size() - 1 <= rest
         && all(text.substr(1), others);
}

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
bool is_account_number(std::string_view text) noexcept {
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

bool is_port_text(std::string_view text) noexcept {
  return !text.empty() && text.size() <= 5 && only(text, digits);
}

/// Letters and digits, with one of `.`, `_`, `__` or any number of `-` between them.
bool is_image_component(std::string_view text) noexcept {
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

bool is_image_domain(std::string_view text) noexcept {
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

bool is_ipv4(std::string_view text) noexcept {
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

} // namespace

unsigned long long parse_size(std::string_view text) noexcept {
  unsigned long long number = 0;
  const auto* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{} || !is_digit(text.front()) || text.front() == '0')
    return 0;
  const std::string_view unit{rest, static_cast<std::size_t>(end - rest)};
  unsigned long long factor = 0;
  const auto is = [&](std::string_view binary, std::string_view decimal, int power) {
    if (unit != binary && unit != decimal)
      return;
    factor = 1;
    while (power-- > 0)
      factor *= unit == binary ? 1024 : 1000;
  };
  is("Ki", "k", 1);
  is("Mi", "M", 2);
  is("Gi", "G", 3);
  is("Ti", "T", 4);
  return factor == 0 || number > static_cast<unsigned long long>(max_whole) / factor
           ? 0
           : number * factor;
}

namespace formats {

#define HARMONY_NAME "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
#define HARMONY_PATH "(/(?!\\.{1,2}(/|$))[^/\\x00]+)+"
#define HARMONY_ACCOUNT "([a-z_][a-z0-9_-]{0,31}|0|[1-9][0-9]{0,9})"
#define HARMONY_BYTE "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
#define HARMONY_IPV4 "(" HARMONY_BYTE "\\.){3}" HARMONY_BYTE
#define HARMONY_LABEL "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
#define HARMONY_IMAGE_PART "[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*"
#define HARMONY_DOMAIN_PART "[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?"

const format text{"text", "", 0, nullptr};
const format short_text{"text of at most 256 bytes", "", 256, nullptr};
const format argument{"text without NUL", "^[^\\x00]*$", 0, no_nul};
const format program{"text without NUL, not empty", "^[^\\x00]+$", 0,
                     [](std::string_view t) noexcept { return !t.empty() && no_nul(t); }};
const format name{"a name of at most 63 of a-z, 0-9 and inner '-', such as \"web-1\"",
                  "^" HARMONY_NAME "$", 63, is_name};
const format kind{"the name of a kind, such as \"File\"", "^[A-Za-z]{1,63}$", 63, is_kind};
const format id{"a resource id such as \"File/motd\"", "^[A-Za-z]{1,63}/" HARMONY_NAME "$", 127,
                is_id};
const format sha256{"64 lower-case hexadecimal digits", "^[0-9a-f]{64}$", 64, is_sha256};
const format boot_id{"16 lower-case hexadecimal digits", "^[0-9a-f]{16}$", 16,
                     [](std::string_view t) noexcept { return t.size() == 16 && only(t, hex); }};
const format time{"a time such as \"2026-01-31T12:00:00Z\" (RFC 3339)",
                  "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])[Tt]([01][0-9]|2[0-3]):"
                  "[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,9})?([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$",
                  40, [](std::string_view t) noexcept { return parse_time(t).has_value(); }};
const format path{
  "an absolute path without '.', '..', '//' or '/' at its end, such as \"/etc/motd\"",
  "^" HARMONY_PATH "$", 4096, is_path};
const format host_path{"an absolute path without '.', '..', '//' or '/' at its end, or \"/\"",
                       "^(/|" HARMONY_PATH ")$", 4096,
                       [](std::string_view t) noexcept { return t == "/" || is_path(t); }};
const format mode{"an octal string like \"0644\"", "^[0-7]{4}$", 4, is_mode};
const format account{"a name of a-z, 0-9, '_' and '-' (at most 32), or a number below 4294967295",
                     "^" HARMONY_ACCOUNT "$", 32, is_account};
const format run_as{"user or user:group, each a name or a number, such as \"1000:1000\"",
                    "^" HARMONY_ACCOUNT "(:" HARMONY_ACCOUNT ")?$", 65, is_run_as};
const format url{"a URL such as \"https://host/file\", http or https, without user and password",
                 "^https?://[A-Za-z0-9._:\\[\\]-]+([/?#][!-~]*)?$", 4096, is_url};
const format base64{
  "base64 with padding (RFC 4648 section 4)",
  "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?$", 0,
  is_base64};
const format unit{"a systemd unit name such as \"web.service\" (a template needs its instance: "
                  "\"web@1.service\")",
                  "^[A-Za-z0-9:_.\\\\-]+(@[A-Za-z0-9:_.\\\\@-]+)?"
                  "\\.(service|socket|timer|path|mount|target|slice|swap|automount)$",
                  255, is_unit};
const format image{"an image reference such as \"registry.example/app:1.2\" or "
                   "\"app@sha256:<64 digits>\"",
                   "^(" HARMONY_DOMAIN_PART "(\\." HARMONY_DOMAIN_PART
                   ")*(:[0-9]{1,5})?/)?" HARMONY_IMAGE_PART "(/" HARMONY_IMAGE_PART
                   ")*(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?"
                   "(@(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}))?$",
                   512, is_image};
const format variable{"a variable name of A-Z, a-z, 0-9, '_', '.' and '-', not beginning with a "
                      "digit",
                      "^[A-Za-z_][A-Za-z0-9_.-]*$", 255, is_variable};
const format volume{"a name of A-Z, a-z, 0-9, '_', '.' and '-'", "^[A-Za-z0-9][A-Za-z0-9_.-]*$",
                    255, is_volume};
const format ip_address{R"(an IP address such as "127.0.0.1" or "::1")",
                        "^((" HARMONY_BYTE "\\.){3}" HARMONY_BYTE "|(?=.*:)[0-9a-fA-F:]{2,39})$",
                        39, is_ip_address};
const format host{"a host name or an IP address",
                  "^(" HARMONY_LABEL "(\\." HARMONY_LABEL ")*|(?=.*:)[0-9a-fA-F:]{2,39})$", 253,
                  [](std::string_view t) noexcept { return is_host_name(t) || is_ipv6(t); }};
const format http_path{
  "a path such as \"/healthz\" of printable ASCII", "^/[!-~]*$", 2048,
  [](std::string_view t) noexcept { return !t.empty() && t.front() == '/' && all(t, is_graphic); }};
const format label_name{"a label name of A-Z, a-z, 0-9 and inner '.', '_', '/' and '-'",
                        "^[A-Za-z0-9]([A-Za-z0-9._/-]*[A-Za-z0-9])?$", 127, is_label_name};
const format account_name{
  "a name of a-z, 0-9, '_' and '-' (at most 32), not beginning with a digit",
  "^[a-z_][a-z0-9_-]{0,31}$", 32,
  [](std::string_view t) noexcept { return is_account(t) && !is_digit(t.front()); }};
const format gecos{"text without ':' and control characters", "^[^:\\x00-\\x1F\\x7F]*$", 255,
                   [](std::string_view t) noexcept {
                     return all(t, [](char c) {
                       return c != ':' && c != '\x7F' && static_cast<unsigned char>(c) >= 0x20;
                     });
                   }};
const format package{"a package name such as \"curl\" or \"libc6:arm64\"",
                     "^[a-z0-9][a-z0-9+.-]+(:[a-z0-9]+)?$", 128, is_package};
const format package_version{
  "a package version such as \"1:7.88.1-10+deb12u5\"", "^[0-9A-Za-z.+~:-]+$", 255,
  [](std::string_view t) noexcept {
    return !t.empty() && all(t, [](char c) { return is_alnum(c) || has(".+~:-", c); });
  }};
const format link{"the name of a network interface such as \"eth0\" (at most 15 of A-Z, a-z, 0-9, "
                  "'_', '.' and '-')",
                  "^(?!\\.{1,2}$)[A-Za-z0-9_.-]+$", 15, is_link};
const format cidr{"an address with its prefix length such as \"10.0.0.2/24\"",
                  "^(" HARMONY_IPV4 "/([0-9]|[12][0-9]|3[0-2])|(?=.*:)[0-9a-fA-F:]{2,39}/"
                  "([0-9]|[1-9][0-9]|1[01][0-9]|12[0-8]))$",
                  43, is_cidr};
const format route_target{"\"default\" or a network such as \"10.1.0.0/16\"",
                          "^(default|" HARMONY_IPV4 "/([0-9]|[12][0-9]|3[0-2])|"
                          "(?=.*:)[0-9a-fA-F:]{2,39}/([0-9]|[1-9][0-9]|1[01][0-9]|12[0-8]))$",
                          43,
                          [](std::string_view t) noexcept { return t == "default" || is_cidr(t); }};
const format size{R"(a size of at least 1Mi such as "64Mi", "1Gi" or "100M", or a number of bytes)",
                  "^[1-9][0-9]*(Ki|Mi|Gi|Ti|k|M|G|T)$", 20,
                  [](std::string_view t) noexcept { return parse_size(t) != 0; }};

#undef HARMONY_NAME
#undef HARMONY_PATH
#undef HARMONY_ACCOUNT
#undef HARMONY_BYTE
#undef HARMONY_IPV4
#undef HARMONY_LABEL
#undef HARMONY_IMAGE_PART
#undef HARMONY_DOMAIN_PART

} // namespace formats

} // namespace harmony::detail
