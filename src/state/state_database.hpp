#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "model/outcome.hpp"
#include "state/state_store.hpp"

namespace SQLite {
class Database;
} // namespace SQLite

namespace harmony {

struct release_record {
  resource_id owner;
  std::string target;
};

struct ending_record {
  generation_number generation = 0;
  std::uint32_t key_epoch = 0;
  generation_ending ending = generation_ending::open;
  std::string why;
};

struct retry_record {
  resource_id owner;
  retry_counts counts;
};

struct forget_retries {
  resource_id owner;
};

/// `owner`: the id of a resource, or "" for the whole device.
struct hold_record {
  std::string owner;
  resource_hold hold;
};

struct release_hold {
  std::string owner;
};

/// Something about the database itself; an empty value takes it out.
struct fact_record {
  std::string name;
  std::string value;
};

/// One write.
using state_write =
  std::variant<owned_target, release_record, accepted_manifest, ending_record, retry_record,
               forget_retries, hold_record, release_hold, fact_record>;

/// The tables of the state store. SQLite's exceptions stop here. Not thread-safe.
class state_database {
public:
  /// The schema that this program reads and writes, kept in `PRAGMA user_version`.
  static constexpr int schema_version = 4;

  /// What a file turned out to be that is not a database of ours.
  struct unusable {
    std::string why;
  };

  /// Opens `file` (":memory:": none) and makes the tables if it is new. `unusable` when it is
  /// corrupt or its schema newer; a failure when the disk or its rights are at fault.
  static outcome<std::variant<state_database, unusable>> open(const std::string& file);

  /// A database in memory with what `file` holds, which is only read: for a disk that cannot be
  /// written. Fails where it cannot be read either.
  static outcome<std::variant<state_database, unusable>> open_copy(const std::string& file);

  state_database(state_database&&) noexcept;
  state_database& operator=(state_database&&) noexcept;
  ~state_database();

  /// Performs all of `writes`, durably, or none.
  outcome<void> commit(const std::vector<const state_write*>& writes);

  outcome<std::vector<owned_target>> inventory_rows();

  outcome<std::vector<retry_record>> retry_rows();

  outcome<std::vector<hold_record>> hold_rows();

  /// The value of a fact; empty: there is none.
  outcome<std::string> fact(const std::string& name);

  /// The newest `limit` accepted manifests, newest first.
  outcome<std::vector<accepted_manifest>> accepted_rows(std::size_t limit);

private:
  explicit state_database(std::unique_ptr<SQLite::Database> db, std::string file);

  void perform(const owned_target& t);
  void perform(const release_record& r);
  void perform(const accepted_manifest& m);
  void perform(const ending_record& r);
  void perform(const retry_record& r);
  void perform(const forget_retries& f);
  void perform(const hold_record& h);
  void perform(const release_hold& r);
  void perform(const fact_record& f);

  std::unique_ptr<SQLite::Database> db_;
  std::string file_;
};

} // namespace harmony
