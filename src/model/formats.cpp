#include "model/detail/formats.hpp"

#include <charconv>

#include "model/detail/characters.hpp"
#include "model/detail/json.hpp"
#include "model/detail/predicates.hpp"

namespace harmony::detail {

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
const format plain_path{
  "an absolute path of one line without '.', '..', '//' or '/' at its end, such as \"/srv/pg\"",
  R"(^(/(?!\.{1,2}(/|$))[^/\x00-\x1F\x7F]+)+$)", 4096,
  [](std::string_view t) noexcept { return is_path(t) && is_line(t); }};
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
const format secret{"a plain name of A-Z, a-z, 0-9, '_', '.' and '-', not a path",
                    "^[A-Za-z0-9][A-Za-z0-9_.-]*$", 255, is_volume};
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
const format gecos{"text without ':' and control characters", R"(^[^:\x00-\x1F\x7F]*$)", 255,
                   [](std::string_view t) noexcept { return is_line(t) && t.find(':') == npos; }};
const format package{R"(a package name such as "curl" or "libc6:arm64")",
                     "^[a-z0-9][a-z0-9+.-]+(:[a-z0-9]+)?$", 128, is_package};
const format package_version{
  R"(a package version such as "1:7.88.1-10+deb12u5")", "^[0-9A-Za-z.+~:-]+$", 255,
  [](std::string_view t) noexcept {
    return !t.empty() && all(t, [](char c) { return is_alnum(c) || has(".+~:-", c); });
  }};
const format link{"the name of a network interface such as \"eth0\" (at most 15 of A-Z, a-z, 0-9, "
                  "'_', '.' and '-')",
                  "^(?!\\.{1,2}$)[A-Za-z0-9_.-]+$", 15, is_link};
const format cidr{R"(an address with its prefix length such as "10.0.0.2/24")",
                  "^(" HARMONY_IPV4 "/([0-9]|[12][0-9]|3[0-2])|(?=.*:)[0-9a-fA-F:]{2,39}/"
                  "([0-9]|[1-9][0-9]|1[01][0-9]|12[0-8]))$",
                  43, is_cidr};
const format route_target{R"("default" or a network such as "10.1.0.0/16")",
                          "^(default|" HARMONY_IPV4 "/([0-9]|[12][0-9]|3[0-2])|"
                          "(?=.*:)[0-9a-fA-F:]{2,39}/([0-9]|[1-9][0-9]|1[01][0-9]|12[0-8]))$",
                          43,
                          [](std::string_view t) noexcept { return t == "default" || is_cidr(t); }};
// A device's id, by which the store knows who may write what of it; a slot's name has 8 more.
const format member{"a name of at most 55 of a-z, 0-9 and inner '-', such as \"edge-1\"",
                    "^(?=.{1,55}$)" HARMONY_NAME "$", 55,
                    [](std::string_view t) noexcept { return t.size() <= 55 && is_name(t); }};
const format role{"a role of at most 63 of a-z, 0-9 and '_', not beginning with a digit",
                  "^[a-z_][a-z0-9_]{0,62}$", 63, is_pg_name};
const format pg_version{
  R"(a major version such as "15")", "^[1-9][0-9]$", 2,
  [](std::string_view t) noexcept { return t.size() == 2 && only(t, digits) && t.front() != '0'; }};
const format pg_parameter{
  R"(a setting in lower case such as "shared_buffers" or "auto_explain.log_timing")",
  "^[a-z_][a-z0-9_]*(\\.[a-z_][a-z0-9_]*)*$", 127,
  [](std::string_view t) noexcept { return split(t, '.', is_pg_name); }};
const format line{"text of one line, without control characters", R"(^[^\x00-\x1F\x7F]*$)", 0,
                  is_line};
const format filled_line{"text of one line, not empty", R"(^[^\x00-\x1F\x7F]+$)", 0,
                         [](std::string_view t) noexcept { return !t.empty() && is_line(t); }};
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
