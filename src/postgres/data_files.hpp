#pragma once

#include <map>
#include <string>
#include <vector>

#include "model/outcome.hpp"
#include "postgres/owner.hpp"
#include "postgres/settings.hpp"

namespace harmony::postgres {

/// Where it is, a server starts as a standby. The guard's, but for data that it has not seen yet.
inline constexpr std::string_view standby_signal = "standby.signal";

/// The files in a data directory, with its owner's rights.
class data_files {
public:
  data_files(std::string folder, owner who) : folder_(std::move(folder)), owner_(who) {}

  [[nodiscard]] const std::string& folder() const { return folder_; }
  [[nodiscard]] const owner& whose() const { return owner_; }
  [[nodiscard]] std::string path(std::string_view name) const;

  /// Fails with not_found where there is none.
  [[nodiscard]] outcome<std::string> read(std::string_view name) const;
  /// Some bytes of a file; fewer where it ends.
  [[nodiscard]] std::string read_part(std::string_view name, std::size_t offset,
                                      std::size_t size) const;
  /// Whole and durable, of mode 0600, where it is not so already.
  [[nodiscard]] outcome<> write(std::string_view name, const std::string& content) const;
  [[nodiscard]] outcome<> remove(std::string_view name) const;
  [[nodiscard]] bool has(std::string_view name) const;
  /// Names in a folder of it. Fails where these cannot all be told.
  [[nodiscard]] outcome<std::vector<std::string>> list(std::string_view folder) const;

private:
  std::string folder_;
  owner owner_;
};

/// The configuration that is this member's own: a copy brings the source's along.
using own_files = std::map<std::string, std::string>;
own_files save_own(const data_files& files);
outcome<> restore_own(const data_files& files, const own_files& own);

/// Writes the member's configuration, for a server that starts or reads it again.
outcome<> install(const data_files& files, const failover::member_settings& s, const standing& now,
                  const least_values& least = {});

/// The text where it is a major version, of one to three digits; else empty. Others have it in
/// their hands, and programs are found by it.
std::string major_in(std::string_view text);
/// "15"; empty where there is no PG_VERSION, or it says none.
std::string major_of_data(const data_files& files);
/// Makes what was renamed or removed in it durable.
outcome<> sync_folder(const std::string& path);

} // namespace harmony::postgres
