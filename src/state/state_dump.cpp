#include "state/state_dump.hpp"

#include <SQLiteCpp/SQLiteCpp.h>
#include <sqlite3.h>

namespace harmony {

namespace {

constexpr int patience = 2000; ///< milliseconds, with a commit of the agent's

std::string schema_of(SQLite::Database& db) {
  auto text = "PRAGMA user_version = "
              + std::to_string(db.execAndGet("PRAGMA user_version").getInt()) + ";\n";
  SQLite::Statement s{db, "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name"};
  while (s.executeStep())
    text += s.getColumn(0).getString() + ";\n";
  return text;
}

std::vector<std::string> tables_of(SQLite::Database& db) {
  std::vector<std::string> names;
  SQLite::Statement s{db, "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE "
                          "'sqlite_%' AND name <> 'accepted' ORDER BY name"};
  while (s.executeStep())
    names.push_back(s.getColumn(0).getString());
  return names;
}

state_dump::table read_table(SQLite::Database& db, const std::string& name) {
  state_dump::table t;
  t.name = name;
  SQLite::Statement s{db, "SELECT * FROM \"" + name + "\""};
  for (int i = 0; i < s.getColumnCount(); ++i)
    t.columns.emplace_back(s.getColumnName(i));
  while (s.executeStep()) {
    auto& row = t.rows.emplace_back();
    for (int i = 0; i < s.getColumnCount(); ++i)
      row.push_back(s.getColumn(i).getString());
  }
  return t;
}

std::vector<accepted_manifest> read_accepted(SQLite::Database& db) {
  std::vector<accepted_manifest> all;
  SQLite::Statement s{db, "SELECT generation, key_epoch, hash, document, accepted_at, ending, why "
                          "FROM accepted ORDER BY sequence DESC"};
  while (s.executeStep()) {
    accepted_manifest m;
    m.generation = static_cast<generation_number>(s.getColumn(0).getInt64());
    m.key_epoch = s.getColumn(1).getUInt();
    m.hash = s.getColumn(2).getString();
    m.document = s.getColumn(3).getString();
    m.accepted_at = timestamp{std::chrono::milliseconds{s.getColumn(4).getInt64()}};
    m.ending = static_cast<generation_ending>(s.getColumn(5).getInt());
    m.why = s.getColumn(6).getString();
    all.push_back(std::move(m));
  }
  return all;
}

ec code_of(const SQLite::Exception& e) {
  switch (e.getErrorCode()) {
  case SQLITE_CANTOPEN: return ec::not_found;
  case SQLITE_PERM:
  case SQLITE_READONLY: return ec::permission_denied;
  default: return ec::io_error;
  }
}

} // namespace

outcome<state_dump> dump_state(const std::string& folder) {
  const auto file = folder + "/state.db";
  try {
    SQLite::Database db{file, SQLite::OPEN_READONLY, patience};
    state_dump dump;
    dump.schema = schema_of(db);
    for (const auto& name : tables_of(db))
      dump.tables.push_back(read_table(db, name));
    dump.accepted = read_accepted(db);
    return dump;
  } catch (const SQLite::Exception& e) {
    return {code_of(e), "cannot read '" + file + "': " + e.what()};
  }
}

} // namespace harmony
