#include "postgres/folders.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <optional>
#include <vector>

#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "posix/small_file.hpp"
#include "postgres/data_files.hpp"

namespace harmony::postgres {

namespace {

constexpr const char* aside = ".old-";

std::string around(const std::string& path) {
  return std::filesystem::path{path}.parent_path().string();
}

/// The rights for the folder around: in what belongs to a user no other user's name means what it
/// did a moment ago.
class in_folder_around {
public:
  in_folder_around(const std::string& path, const owner& who) {
    const auto whose = owner_of(around(path));
    if (whose && whose->user == who.user)
      rights_.emplace(who);
  }

  [[nodiscard]] outcome<> held() const { return rights_ ? rights_->held() : outcome<>{}; }

private:
  std::optional<acting_as> rights_;
};

bool is_there(const std::string& path) {
  struct stat s {};
  return ::lstat(path.c_str(), &s) == 0;
}

/// Whether it is what `name_aside` makes.
bool is_time_aside(std::string_view text) {
  constexpr std::string_view form = "00000000T000000Z";
  if (text.size() < form.size())
    return false;
  for (std::size_t i = 0; i < form.size(); ++i)
    if (form[i] == '0' ? text[i] < '0' || text[i] > '9' : text[i] != form[i])
      return false;
  return text.find_first_not_of('x', form.size()) == std::string_view::npos;
}

/// Oldest first.
outcome<std::vector<std::string>> set_aside(const std::string& data_dir) {
  const auto before = data_dir + aside;
  std::vector<std::string> all;
  std::error_code failed;
  for (std::filesystem::directory_iterator at{around(data_dir), failed}, end; !failed && at != end;
       at.increment(failed))
    if (auto path = at->path().string();
        path.rfind(before, 0) == 0 && is_time_aside(std::string_view{path}.substr(before.size())))
      all.push_back(std::move(path));
  if (failed)
    return failure_of(failed.value(), "list '" + around(data_dir) + "'");
  std::sort(all.begin(), all.end());
  return all;
}

std::string name_aside(const std::string& data_dir) {
  std::array<char, 32> text{};
  const auto now = std::time(nullptr);
  tm parts{};
  ::gmtime_r(&now, &parts);
  std::strftime(text.data(), text.size(), "%Y%m%dT%H%M%SZ", &parts);
  auto name = data_dir + aside + text.data();
  while (is_there(name))
    name += "x";
  return name;
}

outcome<> rename_in(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) == 0)
    return {};
  const int error = errno;
  return failure_of(error, "rename '" + from + "' to '" + to + "'"
                             + (error == EBUSY || error == EXDEV
                                  ? " (the data directory must not be a mount itself, but a folder "
                                    "on it)"
                                  : ""));
}

} // namespace

std::string fresh_beside(const std::string& data_dir) {
  return data_dir + ".harmony-new";
}

outcome<> make_folder(const std::string& path, const owner& who) {
  if (auto removed = remove_folder(path, who); !removed)
    return removed;
  return ensure_folder(path, who);
}

outcome<> ensure_folder(const std::string& path, const owner& who) {
  const in_folder_around rights{path, who};
  if (auto held = rights.held(); !held)
    return held;
  if (::mkdir(path.c_str(), 0700) != 0)
    return errno == EEXIST ? outcome<>{} : failure_of(errno, "make the folder '" + path + "'");
  if (::geteuid() == 0 && ::lchown(path.c_str(), who.user, who.group) != 0)
    return failure_of(errno, "give the folder '" + path + "' to its user");
  return {};
}

outcome<> remove_folder(const std::string& path, const owner& who) {
  if (!is_there(path))
    return {};
  {
    const acting_as rights{who};
    if (auto held = rights.held(); !held)
      return held;
    std::error_code failed;
    for (std::filesystem::directory_iterator at{path, failed}, end; !failed && at != end;
         at.increment(failed))
      std::filesystem::remove_all(at->path(), failed);
  }
  const in_folder_around rights{path, who};
  if (auto held = rights.held(); !held)
    return held;
  if (::rmdir(path.c_str()) != 0)
    return failure_of(errno, "remove '" + path + "'");
  return {};
}

outcome<> remove_set_aside(const std::string& data_dir, const owner& who, const std::string& kept) {
  const auto all = set_aside(data_dir);
  if (!all)
    return all.error();
  for (const auto& each : *all)
    if (each != kept)
      if (auto removed = remove_folder(each, who); !removed)
        return removed;
  return {};
}

outcome<> take_place(const std::string& data_dir, const std::string& fresh, const owner& who) {
  const in_folder_around rights{data_dir, who};
  if (auto held = rights.held(); !held)
    return held;
  if (auto done = rename_in(fresh, data_dir); !done)
    return done;
  return sync_folder(around(data_dir));
}

outcome<> exchange(const std::string& data_dir, const std::string& fresh, const owner& who) {
  const in_folder_around rights{data_dir, who};
  if (auto held = rights.held(); !held)
    return held;
  if (::rename(fresh.c_str(), data_dir.c_str()) == 0) // it was empty, or missing
    return sync_folder(around(data_dir));
  const auto old = name_aside(data_dir);
  if (auto done = rename_in(data_dir, old); !done)
    return done;
  if (auto done = rename_in(fresh, data_dir); !done) {
    (void)rename_in(old, data_dir);
    return done;
  }
  if (auto synced = sync_folder(around(data_dir)); !synced)
    return synced;
  (void)remove_set_aside(data_dir, who, old); // the next exchange, or lack of room, tries it again
  return {};
}

outcome<bool> restore_set_aside(const std::string& data_dir, const owner& who) {
  const in_folder_around rights{data_dir, who};
  if (auto held = rights.held(); !held)
    return held.error();
  const auto all = set_aside(data_dir);
  if (!all)
    return all.error();
  if (all->empty())
    return false;
  if (auto done = rename_in(all->back(), data_dir); !done)
    return done.error();
  if (auto synced = sync_folder(around(data_dir)); !synced)
    return synced.error();
  return true;
}

outcome<std::uint64_t> free_around(const std::string& path) {
  struct statvfs s {};
  const auto folder = around(path);
  if (::statvfs(folder.c_str(), &s) != 0)
    return failure_of(errno, "see how much room there is in '" + folder + "'");
  return std::uint64_t{s.f_bavail} * s.f_frsize;
}

std::string size_text(std::uint64_t bytes) {
  constexpr double kibi = 1024;
  constexpr std::array<const char*, 4> units{"KiB", "MiB", "GiB", "TiB"};
  auto size = static_cast<double>(bytes) / kibi;
  std::size_t unit = 0;
  while (size >= kibi && unit + 1 < units.size()) {
    size /= kibi;
    ++unit;
  }
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f %s", size, units[unit]);
  return text.data();
}

} // namespace harmony::postgres
