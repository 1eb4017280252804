#include "state/state_database.hpp"

#include <SQLiteCpp/Backup.h>
#include <SQLiteCpp/SQLiteCpp.h>
#include <sqlite3.h>

#include <array>
#include <utility>

#include "fault/fault.hpp"

namespace harmony {

namespace {

/// What makes each version of the schema from the one before it.
constexpr std::array migrations{R"(
  CREATE TABLE inventory (
    owner   TEXT NOT NULL,             -- Kind/name of the resource
    target  TEXT NOT NULL UNIQUE,      -- path, unit, container
    created INTEGER NOT NULL,          -- 0: adopted, stays when its resource leaves
    note    TEXT NOT NULL,
    PRIMARY KEY (owner, target)
  ) WITHOUT ROWID;
  CREATE TABLE accepted (
    sequence    INTEGER PRIMARY KEY AUTOINCREMENT,
    generation  INTEGER NOT NULL,
    key_epoch   INTEGER NOT NULL,
    hash        TEXT NOT NULL,
    document    BLOB NOT NULL,
    accepted_at INTEGER NOT NULL       -- milliseconds since 1970, UTC
  );
)",
                                R"(
  ALTER TABLE accepted ADD COLUMN ending INTEGER NOT NULL DEFAULT 0; -- generation_ending
  ALTER TABLE accepted ADD COLUMN why TEXT NOT NULL DEFAULT '';
  CREATE TABLE owned (                 -- a package and a user may have one name
    owner   TEXT NOT NULL,
    target  TEXT NOT NULL,
    created INTEGER NOT NULL,
    note    TEXT NOT NULL,
    PRIMARY KEY (owner, target)
  ) WITHOUT ROWID;
  INSERT INTO owned SELECT owner, target, created, note FROM inventory;
  DROP TABLE inventory;
  ALTER TABLE owned RENAME TO inventory;
  CREATE TABLE retries (
    owner    TEXT NOT NULL PRIMARY KEY,
    desire   TEXT NOT NULL,            -- that the counters speak of
    failures INTEGER NOT NULL,
    restarts INTEGER NOT NULL
  ) WITHOUT ROWID;
)",
                                R"(
  CREATE TABLE holds (
    owner  TEXT NOT NULL PRIMARY KEY,  -- Kind/name of the resource; empty: the whole device
    until  INTEGER NOT NULL,           -- milliseconds since 1970, UTC
    reason TEXT NOT NULL
  ) WITHOUT ROWID;
)",
                                R"(
  CREATE TABLE facts (                 -- about the database itself
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
  ) WITHOUT ROWID;
)"};
static_assert(migrations.size() == state_database::schema_version);

/// Settings of the connection. FULL makes a commit survive a power cut; the cache is small because
/// the mirror in memory serves the reads.
constexpr auto settings = R"(
  PRAGMA journal_mode=WAL;
  PRAGMA synchronous=FULL;
  PRAGMA cache_size=-128;
  PRAGMA wal_autocheckpoint=256;
  PRAGMA journal_size_limit=1048576;
  PRAGMA foreign_keys=ON;
)";

bool is_corruption(const SQLite::Exception& e) {
  return e.getErrorCode() == SQLITE_CORRUPT || e.getErrorCode() == SQLITE_NOTADB;
}

failure failure_of(const SQLite::Exception& e, const std::string& file) {
  const auto text = "state database '" + file + "': " + e.what();
  switch (e.getErrorCode()) {
  case SQLITE_FULL: return {ec::disk_full, text + ": free space on its file system"};
  case SQLITE_READONLY:
    return {ec::read_only, text + ": mount its file system read-write, or set --state-dir"};
  case SQLITE_PERM:
  case SQLITE_CANTOPEN:
    return {ec::permission_denied, text + ": let the agent's user write it, or set --state-dir"};
  case SQLITE_CORRUPT:
  case SQLITE_NOTADB:
    return {ec::io_error, text + ": restart the agent, which sets a damaged database aside"};
  default: return {ec::io_error, text};
  }
}

void check_pages(SQLite::Database& db) {
  SQLite::Statement check{db, "PRAGMA quick_check(1)"};
  if (check.executeStep() && check.getColumn(0).getString() != "ok")
    throw SQLite::Exception(check.getColumn(0).getString(), SQLITE_CORRUPT);
}

accepted_manifest manifest_in(SQLite::Statement& row) {
  accepted_manifest m;
  m.generation = static_cast<generation_number>(row.getColumn(0).getInt64());
  m.key_epoch = row.getColumn(1).getUInt();
  m.hash = row.getColumn(2).getString();
  m.document = row.getColumn(3).getString();
  m.accepted_at = timestamp{std::chrono::milliseconds{row.getColumn(4).getInt64()}};
  m.ending = static_cast<generation_ending>(row.getColumn(5).getInt());
  m.why = row.getColumn(6).getString();
  return m;
}

owned_target target_in(SQLite::Statement& row) {
  owned_target t;
  if (!parse_resource_id(row.getColumn(0).getString(), t.owner))
    throw SQLite::Exception("bad owner '" + row.getColumn(0).getString() + "'", SQLITE_CORRUPT);
  t.target = row.getColumn(1).getString();
  t.created = row.getColumn(2).getInt() != 0;
  t.note = row.getColumn(3).getString();
  return t;
}

std::vector<owned_target> read_inventory(SQLite::Database& db) {
  std::vector<owned_target> rows;
  SQLite::Statement s{db, "SELECT owner, target, created, note FROM inventory"};
  while (s.executeStep())
    rows.push_back(target_in(s));
  return rows;
}

std::string percent_encoded(const std::string& path) {
  std::string text;
  for (const char c : path)
    if (c == '%' || c == '?' || c == '#')
      text += c == '%' ? "%25" : c == '?' ? "%3f" : "%23";
    else
      text += c;
  return text;
}

/// Checks the database and brings it to this program's schema. Gives why it cannot be used; empty:
/// it can.
std::string bring_up_to_date(SQLite::Database& db) {
  constexpr int newest = state_database::schema_version;
  const int version = db.execAndGet("PRAGMA user_version").getInt();
  if (version > newest)
    return "its schema " + std::to_string(version) + " is newer than this agent's "
           + std::to_string(newest);
  db.exec(settings);
  check_pages(db);
  if (version < newest) {
    SQLite::Transaction t{db};
    for (auto each = static_cast<std::size_t>(version); each < migrations.size(); ++each)
      db.exec(migrations.at(each));
    db.exec("PRAGMA user_version=" + std::to_string(newest));
    t.commit();
  }
  read_inventory(db); // a row that makes no sense is damage, and shows now rather than later
  return {};
}

/// Copies the content of `file`, opened with these parameters of a SQLite URI. A write-ahead log
/// can be read where its index is there; an immutable database is read without it.
bool copy_into(SQLite::Database& to, const std::string& file, const std::string& parameters) {
  try {
    SQLite::Database from{"file:" + percent_encoded(file) + parameters,
                          SQLite::OPEN_READONLY | SQLite::OPEN_URI, 2000};
    SQLite::Backup copy{to, from};
    return copy.executeStep(-1) == SQLITE_DONE;
  } catch (const SQLite::Exception&) {
    return false;
  }
}

} // namespace

state_database::state_database(std::unique_ptr<SQLite::Database> db, std::string file)
  : db_(std::move(db)), file_(std::move(file)) {}
state_database::state_database(state_database&&) noexcept = default;
state_database& state_database::operator=(state_database&&) noexcept = default;
state_database::~state_database() = default;

outcome<std::variant<state_database, state_database::unusable>>
state_database::open(const std::string& file) {
  using opened = std::variant<state_database, unusable>;
  try {
    auto db =
      std::make_unique<SQLite::Database>(file, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE, 2000);
    if (auto why = bring_up_to_date(*db); !why.empty())
      return opened{unusable{std::move(why)}};
    return opened{state_database{std::move(db), file}};
  } catch (const SQLite::Exception& e) {
    // SQLITE_ERROR here: tables of somebody else's with our names.
    if (is_corruption(e) || e.getErrorCode() == SQLITE_ERROR)
      return opened{unusable{e.what()}};
    return failure_of(e, file);
  }
}

outcome<std::variant<state_database, state_database::unusable>>
state_database::open_copy(const std::string& file) {
  using opened = std::variant<state_database, unusable>;
  try {
    auto copy = std::make_unique<SQLite::Database>(
      ":memory:", SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE, 2000);
    if (!copy_into(*copy, file, "?mode=ro") && !copy_into(*copy, file, "?mode=ro&immutable=1"))
      return {ec::io_error, "state database '" + file + "' cannot be read either"};
    if (auto why = bring_up_to_date(*copy); !why.empty())
      return opened{unusable{std::move(why)}};
    return opened{state_database{std::move(copy), ":memory:"}};
  } catch (const SQLite::Exception& e) {
    return failure_of(e, file);
  }
}

outcome<void> state_database::commit(const std::vector<const state_write*>& writes) {
  try {
    HARMONY_FAULT("state.commit.before");
    SQLite::Transaction t{*db_};
    for (const auto* w : writes)
      std::visit([&](const auto& write) { perform(write); }, *w);
    HARMONY_FAULT("state.commit.within");
    t.commit();
    HARMONY_FAULT("state.commit.after");
    return {};
  } catch (const SQLite::Exception& e) {
    return failure_of(e, file_);
  }
}

void state_database::perform(const owned_target& t) {
  SQLite::Statement s{*db_, "INSERT INTO inventory (owner, target, created, note) "
                            "VALUES (?, ?, ?, ?) ON CONFLICT (owner, target) "
                            "DO UPDATE SET created = excluded.created, note = excluded.note"};
  s.bind(1, t.owner.str());
  s.bind(2, t.target);
  s.bind(3, t.created ? 1 : 0);
  s.bind(4, t.note);
  s.exec();
}

void state_database::perform(const release_record& r) {
  SQLite::Statement s{*db_, "DELETE FROM inventory WHERE owner = ? AND target = ?"};
  s.bind(1, r.owner.str());
  s.bind(2, r.target);
  s.exec();
}

void state_database::perform(const accepted_manifest& m) {
  SQLite::Statement add{*db_, "INSERT INTO accepted (generation, key_epoch, hash, document, "
                              "accepted_at) VALUES (?, ?, ?, ?, ?)"};
  add.bind(1, static_cast<std::int64_t>(m.generation));
  add.bind(2, m.key_epoch);
  add.bind(3, m.hash);
  add.bind(4, m.document.data(), static_cast<int>(m.document.size()));
  add.bind(5, static_cast<std::int64_t>(m.accepted_at.time_since_epoch().count()));
  add.exec();
  // The newest that converged stays, however many came after it: it is what to go back to.
  SQLite::Statement trim{*db_, "DELETE FROM accepted WHERE sequence NOT IN "
                               "(SELECT sequence FROM accepted ORDER BY sequence DESC LIMIT ?) "
                               "AND sequence NOT IN (SELECT sequence FROM accepted "
                               "WHERE ending = ? ORDER BY sequence DESC LIMIT 1)"};
  trim.bind(1, static_cast<std::int64_t>(state_store::history_length));
  trim.bind(2, static_cast<int>(generation_ending::converged));
  trim.exec();
}

void state_database::perform(const ending_record& r) {
  SQLite::Statement s{*db_, "UPDATE accepted SET ending = ?, why = ? WHERE sequence = (SELECT "
                            "sequence FROM accepted WHERE generation = ? AND key_epoch = ? "
                            "ORDER BY sequence DESC LIMIT 1)"};
  s.bind(1, static_cast<int>(r.ending));
  s.bind(2, r.why);
  s.bind(3, static_cast<std::int64_t>(r.generation));
  s.bind(4, r.key_epoch);
  s.exec();
}

void state_database::perform(const retry_record& r) {
  SQLite::Statement s{*db_, "INSERT INTO retries (owner, desire, failures, restarts) "
                            "VALUES (?, ?, ?, ?) ON CONFLICT (owner) DO UPDATE SET desire = "
                            "excluded.desire, failures = excluded.failures, "
                            "restarts = excluded.restarts"};
  s.bind(1, r.owner.str());
  s.bind(2, r.counts.desire);
  s.bind(3, r.counts.failures);
  s.bind(4, r.counts.restarts);
  s.exec();
}

void state_database::perform(const forget_retries& f) {
  SQLite::Statement s{*db_, "DELETE FROM retries WHERE owner = ?"};
  s.bind(1, f.owner.str());
  s.exec();
}

void state_database::perform(const hold_record& h) {
  SQLite::Statement s{*db_, "INSERT INTO holds (owner, until, reason) VALUES (?, ?, ?) "
                            "ON CONFLICT (owner) DO UPDATE SET until = excluded.until, "
                            "reason = excluded.reason"};
  s.bind(1, h.owner);
  s.bind(2, static_cast<std::int64_t>(h.hold.until.time_since_epoch().count()));
  s.bind(3, h.hold.reason);
  s.exec();
}

void state_database::perform(const release_hold& r) {
  SQLite::Statement s{*db_, "DELETE FROM holds WHERE owner = ?"};
  s.bind(1, r.owner);
  s.exec();
}

outcome<std::vector<hold_record>> state_database::hold_rows() {
  try {
    std::vector<hold_record> rows;
    SQLite::Statement s{*db_, "SELECT owner, until, reason FROM holds"};
    while (s.executeStep())
      rows.push_back({s.getColumn(0).getString(),
                      {timestamp{std::chrono::milliseconds{s.getColumn(1).getInt64()}},
                       s.getColumn(2).getString()}});
    return rows;
  } catch (const SQLite::Exception& e) {
    return failure_of(e, file_);
  }
}

void state_database::perform(const fact_record& f) {
  SQLite::Statement s{*db_, f.value.empty()
                              ? "DELETE FROM facts WHERE name = ?1"
                              : "INSERT INTO facts (name, value) VALUES (?1, ?2) "
                                "ON CONFLICT (name) DO UPDATE SET value = excluded.value"};
  s.bind(1, f.name);
  if (!f.value.empty())
    s.bind(2, f.value);
  s.exec();
}

outcome<std::string> state_database::fact(const std::string& name) {
  try {
    SQLite::Statement s{*db_, "SELECT value FROM facts WHERE name = ?"};
    s.bind(1, name);
    return s.executeStep() ? s.getColumn(0).getString() : std::string{};
  } catch (const SQLite::Exception& e) {
    return failure_of(e, file_);
  }
}

outcome<std::vector<retry_record>> state_database::retry_rows() {
  try {
    std::vector<retry_record> rows;
    SQLite::Statement s{*db_, "SELECT owner, desire, failures, restarts FROM retries"};
    while (s.executeStep()) {
      retry_record r;
      if (!parse_resource_id(s.getColumn(0).getString(), r.owner))
        continue; // counters are no reason to give up
      r.counts = {s.getColumn(1).getString(), s.getColumn(2).getUInt(), s.getColumn(3).getUInt()};
      rows.push_back(std::move(r));
    }
    return rows;
  } catch (const SQLite::Exception& e) {
    return failure_of(e, file_);
  }
}

outcome<std::vector<owned_target>> state_database::inventory_rows() {
  try {
    return read_inventory(*db_);
  } catch (const SQLite::Exception& e) {
    return failure_of(e, file_);
  }
}

outcome<std::vector<accepted_manifest>> state_database::accepted_rows(std::size_t limit) {
  try {
    std::vector<accepted_manifest> rows;
    SQLite::Statement s{*db_, "SELECT generation, key_epoch, hash, document, accepted_at, "
                              "ending, why FROM accepted ORDER BY sequence DESC LIMIT ?"};
    s.bind(1, static_cast<std::int64_t>(limit));
    while (s.executeStep())
      rows.push_back(manifest_in(s));
    return rows;
  } catch (const SQLite::Exception& e) {
    return failure_of(e, file_);
  }
}

} // namespace harmony
