#include "postgres/prepare.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>

#include <sys/stat.h>
#include <unistd.h>

#include "postgres/folders.hpp"
#include "postgres/server.hpp"

namespace harmony::postgres {

namespace {

constexpr std::uint64_t new_cluster = std::uint64_t{256} << 20U;
constexpr int oldest = 13;

std::string mode_text(mode_t mode) {
  std::array<char, 8> text{};
  std::snprintf(text.data(), text.size(), "%04o", mode & 07777U);
  return text.data();
}

/// As PostgreSQL itself, and the guard, would have it.
outcome<> check_folder(const std::string& path, const owner& who, const std::string& name) {
  struct stat s {};
  // A copy takes its place by its name, so that a link would lead elsewhere after it.
  if (::lstat(path.c_str(), &s) != 0 || !S_ISDIR(s.st_mode))
    return {ec::invalid_spec, "the data directory '" + path
                                + "' is no folder: a link to one will not do, name the folder"};
  if (s.st_uid != who.user)
    return {ec::permission_denied, "the data directory '" + path + "' belongs to user "
                                     + name_of({s.st_uid, s.st_gid}) + " and not to " + name
                                     + ": chown -R it, or name its user as the owner"};
  if ((s.st_mode & 0027) != 0)
    return {ec::permission_denied, "the data directory '" + path + "' has mode "
                                     + mode_text(s.st_mode)
                                     + ": PostgreSQL takes 0700 or 0750 only; chmod 0700 it"};
  return {};
}

outcome<> check_data(const failover::member_settings& s, const data_files& files,
                     const preparation& how, const check_limits& limits) {
  const auto major = major_of_data(files);
  if (major.empty() || !files.has("global/pg_control"))
    return {ec::invalid_spec, "'" + s.data_dir
                                + "' is neither empty nor a data directory, or a copy that did not "
                                  "end: name another folder, or empty it"};
  if (!how.version.empty() && how.version != major)
    return {ec::invalid_spec, "the data directory '" + s.data_dir + "' is of PostgreSQL " + major
                                + ", and version " + how.version
                                + " is asked for: upgrade the data with pg_upgrade"};
  const auto number = std::strtol(major.c_str(), nullptr, 10);
  if (number < oldest)
    return {ec::invalid_spec, "the data directory '" + s.data_dir + "' is of PostgreSQL " + major
                                + ": " + std::to_string(oldest) + " is the oldest that is run"};
  return check_programs(programs(s, major), major, files.whose(), limits);
}

outcome<> initialise(const failover::member_settings& s, const owner& who,
                     const std::string& program_folder, const check_limits& limits) {
  // Beside it, so that one that is broken off leaves nothing that looks like data.
  const auto folder = fresh_beside(s.data_dir);
  if (auto gone = remove_folder(folder, who); !gone)
    return gone;
  if (const auto room = free_around(s.data_dir); room && *room < new_cluster)
    return {ec::disk_full, "a new cluster needs " + size_text(new_cluster) + " around '"
                             + s.data_dir + "', and there are " + size_text(*room)};
  if (auto made = make_folder(folder, who); !made)
    return made;
  const auto done =
    run_program(s, who,
                {{program_folder + "/initdb", "--pgdata=" + folder, "--encoding=UTF8",
                  "--locale=C.UTF-8", "--data-checksums", "--auth-local=peer",
                  "--auth-host=scram-sha-256", "--username=" + name_of(who)}},
                limits);
  if (!done) {
    (void)remove_folder(folder, who);
    return done.error();
  }
  const data_files files{folder, who};
  if (auto marked = files.write(standby_signal, ""); !marked)
    return marked;
  return take_place(s.data_dir, folder, who);
}

/// The folder is there then, with what a clone that was broken off had set aside.
outcome<> provide_folder(const std::string& path, const owner& who) {
  struct stat found {};
  if (::lstat(path.c_str(), &found) == 0 || errno != ENOENT)
    return {};
  std::error_code failed;
  std::filesystem::create_directories(std::filesystem::path{path}.parent_path(), failed);
  const auto restored = restore_set_aside(path, who);
  if (!restored)
    return restored.error();
  return *restored ? outcome<>{} : ensure_folder(path, who);
}

} // namespace

outcome<> prepare(const failover::member_settings& s, const preparation& how,
                  const std::stop_token& cancel, std::chrono::milliseconds limit) {
  const auto limits = within(limit, cancel);
  if (auto fine = check(s); !fine)
    return fine;
  if (auto there = load_libpq(); !there)
    return there;
  const auto who = account(how.owner);
  if (!who || who->user == 0)
    return {ec::no_such_user, "'" + how.owner + "' is no account that PostgreSQL can run as"};
  if (auto can = acting_as{*who}.held(); !can)
    return can;
  if (auto there = provide_folder(s.data_dir, *who); !there)
    return there;
  if (auto fine = check_folder(s.data_dir, *who, how.owner); !fine)
    return fine;
  const data_files files{s.data_dir, *who};
  const auto content = files.list("");
  if (!content)
    return content.error();
  if (!content->empty())
    return check_data(s, files, how, limits);
  const auto folder = programs(s, how.version.empty() ? newest_installed() : how.version);
  if (auto fit = check_programs(folder, how.version, *who, limits); !fit)
    return fit;
  return how.bootstrap ? initialise(s, *who, folder, limits) : outcome<>{};
}

} // namespace harmony::postgres
