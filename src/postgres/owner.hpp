#pragma once

#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "model/outcome.hpp"

namespace harmony::postgres {

/// Whom PostgreSQL's files belong to.
struct owner {
  uid_t user = 0;
  gid_t group = 0;

  friend bool operator==(const owner&, const owner&) = default;
};

/// Of the file or folder at `path`; fails as stat does.
outcome<owner> owner_of(const std::string& path);
/// Of that name, or number; nothing where there is no such account.
std::optional<owner> account(const std::string& name);
/// The name of its user; the number where it has none.
std::string name_of(const owner& who);

/// The rights of the calling thread alone are those of another user while this lives, also towards
/// a server that asks whom it speaks with. Nothing changes where this process is not root.
class acting_as {
public:
  explicit acting_as(const owner& who);
  ~acting_as();
  acting_as(const acting_as&) = delete;
  acting_as& operator=(const acting_as&) = delete;

  /// Fails with capability_missing where the rights are still root's: nothing may be done then.
  [[nodiscard]] outcome<> held() const;

private:
  bool changed_ = false;
  bool held_ = true;
  std::vector<gid_t> groups_;
};

/// To a process of `who`, and to no other's: `pid` may come from somebody who is not trusted. Fails
/// with not_found where there is no such process of his.
outcome<> send_signal(const owner& who, pid_t pid, int signal);

/// The command, to be run as another user where this process is root.
std::vector<std::string> command_as(const owner& who, std::vector<std::string> command);

} // namespace harmony::postgres
