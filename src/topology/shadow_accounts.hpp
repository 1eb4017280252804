#pragma once

#include <string>
#include <vector>

#include "topology/accounts.hpp"

namespace harmony {

/// The accounts of this device, through the programs of Debian's package `passwd` (useradd and its
/// like), which lock /etc/passwd and its companions and replace each by renaming. Reads what the
/// resolver knows (nsswitch.conf).
class shadow_accounts final : public account_manager {
public:
  outcome<account_info> look(const std::string& user) override;
  outcome<std::string> holder(std::uint32_t uid) override;
  outcome<bool> has_group(const std::string& group) override;
  outcome<void> create_group(const std::string& group, bool system,
                             const op_limits& limits) override;
  outcome<void> remove_group(const std::string& group, const op_limits& limits) override;
  outcome<void> create(const new_account& account, const op_limits& limits) override;
  outcome<void> change(const std::string& user, const account_change& what,
                       const op_limits& limits) override;
  outcome<void> remove(const std::string& user, const op_limits& limits) override;
};

} // namespace harmony
