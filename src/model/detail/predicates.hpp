#pragma once

#include <string_view>

/// Whether a text is of a format of formats.hpp, apart from its length.
namespace harmony::detail {

bool no_nul(std::string_view text) noexcept;
bool is_kind(std::string_view text) noexcept;
bool is_id(std::string_view text) noexcept;
bool is_sha256(std::string_view text) noexcept;
bool is_path(std::string_view text) noexcept;
bool is_mode(std::string_view text) noexcept;
bool is_account(std::string_view text) noexcept;
bool is_run_as(std::string_view text) noexcept;
bool is_url(std::string_view text) noexcept;
bool is_base64(std::string_view text) noexcept;
/// As systemd's unit_name_is_valid(), without templates, devices and scopes.
bool is_unit(std::string_view text) noexcept;
/// [domain[:port]/]path[:tag][@digest], as registries have it.
bool is_image(std::string_view text) noexcept;
bool is_variable(std::string_view text) noexcept;
bool is_volume(std::string_view text) noexcept;
/// Eight groups, or fewer with one "::"; no zone and no IPv4 tail.
bool is_ipv6(std::string_view text) noexcept;
bool is_ip_address(std::string_view text) noexcept;
/// An address and how many of its bits name the network.
bool is_cidr(std::string_view text) noexcept;
bool is_package(std::string_view text) noexcept;
bool is_link(std::string_view text) noexcept;
bool is_host_name(std::string_view text) noexcept;
bool is_label_name(std::string_view text) noexcept;
/// An identifier of PostgreSQL that needs no quotes.
bool is_pg_name(std::string_view text) noexcept;
/// No control characters.
bool is_line(std::string_view text) noexcept;

} // namespace harmony::detail
