#include "postgres/server.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <filesystem>

#include <unistd.h>

#include "guard/launch.hpp"
#include "postgres/conninfo.hpp"
#include "topology/process_runner.hpp"

namespace harmony::postgres {

namespace {

/// So that no password of root's own is taken; what is not there is passed over in silence.
constexpr const char* no_file = "/nonexistent/pgpass";
constexpr const char* debian = "/usr/lib/postgresql";

/// What this agent does itself waits for no standby: the first one needs the role that it makes.
constexpr const char* session_options = "-c synchronous_commit=local -c statement_timeout=10000 "
                                        "-c default_transaction_read_only=off "
                                        "-c search_path=pg_catalog";
/// Nobody's function or operator is to be called for PostgreSQL's own.
constexpr const char* remote_options = "-c search_path=pg_catalog";

bool same_folder(const std::string& a, const std::string& b) {
  std::error_code failed;
  return a == b || std::filesystem::equivalent(a, b, failed);
}

} // namespace

check_limits within(std::chrono::milliseconds t, const std::stop_token& cancel) {
  return {cancel, std::chrono::steady_clock::now() + t};
}

outcome<data_files> files_of(const failover::member_settings& s) {
  const auto who = owner_of(s.data_dir);
  if (!who)
    return who.error();
  if (who->user == 0)
    return {ec::permission_denied,
            "the data directory '" + s.data_dir
              + "' belongs to root, as whom PostgreSQL does not run: chown it to its user"};
  return data_files{s.data_dir, *who};
}

outcome<session> open_local(const failover::member_settings& s, const owner& who,
                            const check_limits& limits) {
  const auto* self = find_member(s, s.node);
  auto made = session::open({{"host", s.socket_dir},
                             {"port", std::to_string(self == nullptr ? 0 : self->port)},
                             {"user", name_of(who)},
                             {"dbname", "postgres"},
                             {"replication", "database"},
                             {"application_name", "harmony-agent"},
                             {"passfile", no_file},
                             {"client_encoding", "UTF8"},
                             {"options", session_options}},
                            who, limits);
  if (!made)
    return made;
  const auto folder = made->ask("SELECT current_setting('data_directory')", limits);
  if (!folder)
    return folder.error();
  const auto where = first_field(*folder);
  const acting_as rights{who};
  if (auto held = rights.held(); !held)
    return held.error();
  if (!same_folder(where, s.data_dir))
    return {ec::name_conflict, "the server that answers in '" + s.socket_dir + "' serves '" + where
                                 + "' and not '" + s.data_dir + "': give one of them another port"};
  return made;
}

outcome<session> open_remote(const failover::member_settings& s,
                             const failover::member_address& whom, const check_limits& limits) {
  auto parameters = reach(s, whom, clone_name);
  parameters.emplace_back("dbname", "postgres");
  parameters.emplace_back("replication", "database");
  parameters.emplace_back("options", remote_options);
  parameters.emplace_back("passfile", no_file);
  if (!s.replication_password.reveal().empty())
    parameters.emplace_back("password", s.replication_password.reveal());
  auto made = session::open(parameters, {}, limits);
  for (auto& [name, value] : parameters)
    if (name == "password")
      wipe(value);
  return made;
}

std::string programs(const failover::member_settings& s, const std::string& major) {
  return s.bin_dir.empty() ? std::string{debian} + "/" + major + "/bin" : s.bin_dir;
}

std::string newest_installed() {
  int newest = 0;
  std::error_code failed;
  for (std::filesystem::directory_iterator at{debian, failed}, end; !failed && at != end;
       at.increment(failed)) {
    const auto name = at->path().filename().string();
    int number = 0;
    std::from_chars(name.data(), name.data() + name.size(), number);
    if (::access((at->path() / "bin/postgres").c_str(), X_OK) == 0)
      newest = std::max(newest, number);
  }
  return newest == 0 ? std::string{} : std::to_string(newest);
}

outcome<> check_programs(const std::string& folder, const std::string& major, const owner& who,
                         const check_limits& limits) {
  const auto program = folder + "/postgres";
  if (::access(program.c_str(), X_OK) != 0)
    return {ec::capability_missing, "there is no '" + program + "': install postgresql"
                                      + (major.empty() ? "" : "-" + major)
                                      + ", or name the folder of its programs"};
  const auto printed = run_process({command_as(who, {program, "--version"}), {"LC_ALL=C"}}, limits);
  const auto is = printed ? guard::major_of(printed->output) : std::string{};
  if (is.empty())
    return {ec::capability_missing, "'" + program + "' does not say which PostgreSQL it is"};
  if (!major.empty() && is != major)
    return {ec::invalid_spec, "'" + program + "' is of PostgreSQL " + is + ", and PostgreSQL "
                                + major + " is needed: name the folder of its programs"};
  return {};
}

outcome<std::string> run_program(const failover::member_settings& s, const owner& who,
                                 program_call what, const check_limits& limits) {
  const auto& program = what.command.front();
  const auto name = program.substr(program.rfind('/') + 1);
  process_command c;
  if (what.launched)
    c.arguments = s.launcher;
  const auto command = command_as(who, std::move(what.command));
  c.arguments.insert(c.arguments.end(), command.begin(), command.end());
  c.environment = {"LC_ALL=C", "PATH=/usr/bin:/bin", "HOME=/nonexistent"};
  c.kept = process_command::part::end;
  if (what.with_password)
    c.environment.push_back("PGPASSWORD=" + std::string{s.replication_password.reveal()});
  const auto ended = run_process(c, limits);
  if (what.with_password)
    wipe(c.environment.back());
  if (!ended)
    return {ended.error().code, "'" + name + "' cannot be run: " + ended.error().message};
  if (ended->ok())
    return ended->output;
  if (ended->how == process_result::ending::canceled)
    return {ec::canceled, "'" + name + "' was given up"};
  if (ended->how == process_result::ending::timed_out)
    return {ec::timed_out, "'" + name + "' did not end in time"};
  auto said = ended->output;
  std::replace(said.begin(), said.end(), '\n', ' ');
  constexpr std::size_t enough = 600;
  return {ec::io_error, "'" + name + "' failed: "
                          + (said.size() > enough ? said.substr(said.size() - enough) : said)};
}

outcome<control> control_of(const failover::member_settings& s, const data_files& files,
                            const check_limits& limits) {
  const auto printed = run_program(
    s, files.whose(),
    {{programs(s, major_of_data(files)) + "/pg_controldata", "-D", files.folder()}, false, false},
    limits);
  if (!printed)
    return printed.error();
  const auto c = read_control(*printed);
  if (!c)
    return {ec::io_error, "'pg_controldata' says nothing that is known of '" + files.folder()
                            + "': is its 'global/pg_control' damaged?"};
  return *c;
}

failover::lsn end_of_log(const control& c, const data_files& files) {
  if (c.state != "shut down")
    return std::max(c.checkpoint, c.recovered);
  // It ends with the record of the last checkpoint, which begins with its length.
  const auto at = place_of(c.checkpoint, c.checkpoint_timeline, c.segment_size);
  std::uint32_t length = 0;
  const auto bytes = files.read_part("pg_wal/" + at.file, at.offset, sizeof length);
  if (bytes.size() == sizeof length)
    std::memcpy(&length, bytes.data(), sizeof length);
  return record_end(c.checkpoint, length, c.block_size, c.segment_size);
}

} // namespace harmony::postgres
