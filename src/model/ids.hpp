#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace harmony {

/// Whether `text` is an agent id or a resource name: `[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?`.
bool is_name(std::string_view text) noexcept;

/// The identity of a resource on one device, written `Kind/name`. The kind is kept as text so that
/// a resource of an unknown kind can still be named in a status.
struct resource_id {
  std::string kind;
  std::string name;

  [[nodiscard]] std::string str() const { return kind + "/" + name; }

  // clang-tidy 14 takes the comparison with 0 that the compiler writes for a null pointer.
  // NOLINTNEXTLINE(modernize-use-nullptr)
  friend auto operator<=>(const resource_id&, const resource_id&) = default;
};

/// Reads `Kind/name`; the name must satisfy `is_name`, the kind must be `[A-Za-z]{1,63}`. Returns
/// false and leaves `out` alone otherwise.
bool parse_resource_id(std::string_view text, resource_id& out);

/// Counts the manifests of one device; below 2^53.
using generation_number = std::uint64_t;

} // namespace harmony

template <>
struct std::hash<harmony::resource_id> {
  std::size_t operator()(const harmony::resource_id& id) const noexcept {
    const auto seed = std::hash<std::string>{}(id.kind);
    return seed ^ (std::hash<std::string>{}(id.name) + 0x9e3779b97f4a7c15ULL + (seed << 6));
  }
};
