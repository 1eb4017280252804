#pragma once

// The capability `has_accounts`: what a reconciler may do with the device's accounts.

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/outcome.hpp"
#include "topology/files.hpp"

namespace harmony {

struct account_info {
  bool present = false;
  std::uint32_t uid = 0;
  std::string group; ///< name of the primary group, or its number where it has none
  std::string home;
  std::string shell;
  std::string comment;             ///< the GECOS field
  std::vector<std::string> groups; ///< supplementary ones, sorted

  friend bool operator==(const account_info&, const account_info&) = default;
};

/// Names of groups as useradd(8) takes them: "adm,video".
inline std::string group_list(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& each : names)
    text.append(text.empty() ? "" : ",").append(each);
  return text;
}

/// An account to be made; what is absent or empty is the distribution's default.
struct new_account {
  std::string user;
  std::string group; ///< primary; must exist
  std::optional<std::uint32_t> uid;
  std::vector<std::string> groups; ///< supplementary; must exist
  std::optional<std::string> home;
  std::optional<std::string> shell;
  std::string comment;
  bool system = false; ///< a number below those of persons, and no home is made

  friend bool operator==(const new_account&, const new_account&) = default;
};

/// What changes of an account; what is absent or empty stays.
struct account_change {
  std::optional<std::uint32_t> uid;
  std::string group;
  std::vector<std::string> add_groups; ///< those that it is in stay
  std::optional<std::string> home;     ///< the path alone: nothing is moved
  std::optional<std::string> shell;
  std::string comment;

  friend bool operator==(const account_change&, const account_change&) = default;
};

/// The port. Calls block and are thread-safe. Those that change the device fail with canceled and
/// timed_out as `limits` say, with permission_denied without root, and otherwise with
/// account_failed and the words of the program that was asked.
class account_manager {
public:
  virtual ~account_manager() = default;

  virtual outcome<account_info> look(const std::string& user) = 0;

  /// Name of the account that has `uid`; empty: none.
  virtual outcome<std::string> holder(std::uint32_t uid) = 0;

  virtual outcome<bool> has_group(const std::string& group) = 0;

  virtual outcome<void> create_group(const std::string& group, bool system,
                                     const op_limits& limits) = 0;

  /// Removes a group; one that is gone, or that an account still has as its primary one, is
  /// success.
  virtual outcome<void> remove_group(const std::string& group, const op_limits& limits) = 0;

  /// Makes an account without a password, so that none opens it.
  virtual outcome<void> create(const new_account& account, const op_limits& limits) = 0;

  virtual outcome<void> change(const std::string& user, const account_change& what,
                               const op_limits& limits) = 0;

  /// Removes the account; its home and mail stay. Fails while it has processes.
  virtual outcome<void> remove(const std::string& user, const op_limits& limits) = 0;
};

/// A topology that can manage accounts.
template <class T>
concept has_accounts = requires(T& t) {
  { t.accounts() } -> std::convertible_to<account_manager&>;
};

} // namespace harmony
