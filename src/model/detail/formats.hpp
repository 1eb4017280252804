#pragma once

#include <cstddef>
#include <string_view>

namespace harmony::detail {

/// A set of strings, said three ways: to a person, to a JSON Schema, and as a test. A unit test
/// holds `pattern` and `matches` equal.
struct format {
  std::string_view expected;                  ///< as in "expected an absolute path, got 7"
  std::string_view pattern;                   ///< ECMA 262, anchored; empty: any string
  std::size_t max_bytes;                      ///< 0: no limit of its own
  bool (*matches)(std::string_view) noexcept; ///< without the length; null: any string

  [[nodiscard]] bool accepts(std::string_view text) const noexcept {
    return (max_bytes == 0 || text.size() <= max_bytes) && (!matches || matches(text));
  }
};

namespace formats {

extern const format text;       ///< any string
extern const format short_text; ///< any string of at most 256 bytes
extern const format argument;   ///< no NUL
extern const format program;    ///< the same, not empty
extern const format name;       ///< agent id, resource name: `is_name`
extern const format kind;       ///< the syntax of a kind, known or not
extern const format id;         ///< `Kind/name`
extern const format sha256;     ///< 64 hexadecimal digits
extern const format boot_id;    ///< 16 hexadecimal digits
extern const format time;       ///< RFC 3339
extern const format path;       ///< absolute and normal, not "/"
extern const format host_path;  ///< the same, or "/"
extern const format plain_path; ///< `path`, of one line
extern const format mode;       ///< four octal digits
extern const format account;    ///< user or group, by name or number
extern const format run_as;     ///< user[:group] in a container
extern const format url;        ///< http or https
extern const format base64;     ///< RFC 4648 section 4
extern const format unit;       ///< systemd unit name
extern const format image;      ///< image reference
extern const format variable;   ///< of an environment
extern const format volume;     ///< name of a volume or network
extern const format secret;     ///< of a file of secrets or a credential
extern const format ip_address; ///< of this host
extern const format host;       ///< name or address
extern const format http_path;  ///< "/…", printable ASCII
extern const format label_name;
extern const format account_name;    ///< user or group, by name
extern const format gecos;           ///< no ':', no control characters
extern const format package;         ///< of Debian: name, with an architecture or not
extern const format package_version; ///< of Debian
extern const format link;            ///< name of a network interface
extern const format cidr;            ///< address with prefix length
extern const format route_target;    ///< "default" or a cidr
extern const format member;          ///< of a PostgreSQL cluster
extern const format role;            ///< of PostgreSQL, written without quotes
extern const format pg_version;      ///< major version of PostgreSQL
extern const format pg_parameter;    ///< name of a setting of PostgreSQL
extern const format line;            ///< text of one line
extern const format filled_line;     ///< the same, not empty
extern const format size;            ///< "64Mi"; see `parse_size`

} // namespace formats

/// Bytes of a size such as "64Mi" or "100M"; 0 where it is none or passes 2^53.
unsigned long long parse_size(std::string_view text) noexcept;

} // namespace harmony::detail
