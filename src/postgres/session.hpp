#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "model/outcome.hpp"
#include "model/secret.hpp"
#include "postgres/owner.hpp"
#include "topology/check_limits.hpp"

struct pg_conn;

namespace harmony::postgres {

/// Finds libpq; fails with capability_missing, naming the package, where there is none. Done once.
outcome<> load_libpq();

using row = std::vector<std::optional<std::string>>;
using rows = std::vector<row>;
/// The first field of the first row; empty where there is none, or it is null.
std::string first_field(const rows& answer);

/// A connection to a PostgreSQL server, by libpq, which is opened when it is first needed: an agent
/// without PostgreSQL does not carry it. For one thread. Each call ends at its limits; after one
/// that did not succeed, but for the server's own refusal of a statement, the session is over.
class session {
public:
  /// Keywords and values as libpq takes them. With the rights of `who`, which is how a server knows
  /// its own user over a Unix socket. Fails with runtime_unavailable (also where it starts or
  /// stops), permission_denied (it runs, and refuses this client), timed_out or canceled.
  static outcome<session> open(const std::vector<std::pair<std::string, std::string>>& parameters,
                               const owner& who, const check_limits& limits);

  /// The rows of the last statement's answer. A statement that the server refuses fails with
  /// io_error and its words, a broken connection with runtime_unavailable.
  outcome<rows> ask(const std::string& sql, const check_limits& limits);

  /// Sends it and does not wait. Nothing else may be asked of this session.
  outcome<> tell(const std::string& sql);

  /// What a server keeps of a password (SCRAM-SHA-256): this, not the password, is told to it, and
  /// comes into its log. Empty where it cannot be made.
  [[nodiscard]] std::string verifier(const std::string& user, const secret_bytes& password) const;

  [[nodiscard]] bool open() const { return connection_ != nullptr; }

private:
  struct closer {
    void operator()(pg_conn* c) const;
  };
  explicit session(pg_conn* c) : connection_(c) {}

  outcome<> wait(short events, const check_limits& limits);
  outcome<rows> collect(const std::string& sql, const check_limits& limits);
  failure broken();

  std::unique_ptr<pg_conn, closer> connection_;
};

} // namespace harmony::postgres
