#include "postgres/data_files.hpp"

#include <array>
#include <cerrno>
#include <filesystem>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "identity/secret_file.hpp"
#include "posix/descriptor.hpp"
#include "posix/small_file.hpp"
#include "postgres/conf.hpp"

namespace harmony::postgres {

namespace {

constexpr const char* main_conf = "postgresql.conf";
constexpr const char* auto_conf = "postgresql.auto.conf";
constexpr std::array<const char*, 4> own_names{main_conf, auto_conf, "pg_hba.conf",
                                               "pg_ident.conf"};

} // namespace

std::string data_files::path(std::string_view name) const {
  return folder_ + "/" + std::string{name};
}

outcome<std::string> data_files::read(std::string_view name) const {
  const acting_as rights{owner_};
  if (auto held = rights.held(); !held)
    return held.error();
  return read_text_file(path(name));
}

std::string data_files::read_part(std::string_view name, std::size_t offset,
                                  std::size_t size) const {
  const acting_as rights{owner_};
  const open_fd file{rights.held() ? ::open(path(name).c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)
                                   : -1};
  std::string bytes(size, '\0');
  const auto n = file ? ::pread(file.get(), bytes.data(), size, static_cast<off_t>(offset)) : -1;
  bytes.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  return bytes;
}

outcome<> data_files::write(std::string_view name, const std::string& content) const {
  if (const auto there = read(name); there && *there == content)
    return {};
  const acting_as rights{owner_};
  if (auto held = rights.held(); !held)
    return held.error();
  return replace_secret_file(path(name), content);
}

outcome<> data_files::remove(std::string_view name) const {
  const acting_as rights{owner_};
  if (auto held = rights.held(); !held)
    return held.error();
  if (::unlink(path(name).c_str()) != 0 && errno != ENOENT)
    return failure_of(errno, "remove '" + path(name) + "'");
  return {};
}

bool data_files::has(std::string_view name) const {
  const acting_as rights{owner_};
  struct stat s {};
  return rights.held() && ::stat(path(name).c_str(), &s) == 0;
}

outcome<std::vector<std::string>> data_files::list(std::string_view folder) const {
  const acting_as rights{owner_};
  if (auto held = rights.held(); !held)
    return held.error();
  std::vector<std::string> names;
  std::error_code failed;
  for (std::filesystem::directory_iterator at{path(folder), failed}, end; !failed && at != end;
       at.increment(failed))
    names.push_back(at->path().filename().string());
  if (failed)
    return failure_of(failed.value(), "list '" + path(folder) + "'");
  return names;
}

own_files save_own(const data_files& files) {
  own_files own;
  for (const auto* name : own_names)
    if (auto content = files.read(name))
      own[name] = std::move(*content);
  return own;
}

outcome<> restore_own(const data_files& files, const own_files& own) {
  for (const auto& [name, content] : own)
    if (auto written = files.write(name, content); !written)
      return written;
  return {};
}

outcome<> install(const data_files& files, const failover::member_settings& s, const standing& now,
                  const least_values& least) {
  const auto superuser = name_of(files.whose());
  if (auto done = files.write(conf_file, write_conf(s, now, least)); !done)
    return done;
  if (auto done = files.write(hba_file, write_hba(s, superuser)); !done)
    return done;
  if (auto done = files.write(pass_file, write_pass(s)); !done)
    return done;
  const auto main = files.read(main_conf);
  if (!main && main.error().code != ec::not_found)
    return main.error();
  if (auto done = files.write(main_conf, with_include(main ? *main : "", conf_file)); !done)
    return done;
  const auto automatic = files.read(auto_conf);
  if (!automatic)
    return automatic.error().code == ec::not_found ? outcome<>{} : automatic.error();
  return files.write(auto_conf, without_settings(*automatic, names_set(s)));
}

std::string major_in(std::string_view text) {
  constexpr std::size_t most_digits = 3;
  const bool is_one = !text.empty() && text.size() <= most_digits
                      && text.find_first_not_of("0123456789") == std::string_view::npos;
  return is_one ? std::string{text} : std::string{};
}

std::string major_of_data(const data_files& files) {
  const auto text = files.read("PG_VERSION");
  return text ? major_in(text->substr(0, text->find('\n'))) : std::string{};
}

outcome<> sync_folder(const std::string& path) {
  const open_fd folder{::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!folder || ::fsync(folder.get()) != 0)
    return failure_of(errno, "sync '" + path + "'");
  return {};
}

} // namespace harmony::postgres
