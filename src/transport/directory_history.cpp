#include "transport/directory_history.hpp"

#include <algorithm>
#include <charconv>
#include <functional>
#include <memory>

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

namespace harmony::directory {

namespace {

std::string name_of(const std::string& key, std::uint64_t revision) {
  return "." + key + "." + std::to_string(revision);
}

/// The revisions that are kept, newest first.
std::vector<std::uint64_t> revisions(const unique_fd& folder, const std::string& key) {
  std::vector<std::uint64_t> found;
  const int fd = ::openat(folder.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const std::unique_ptr<DIR, int (*)(DIR*)> listing{fd < 0 ? nullptr : ::fdopendir(fd), ::closedir};
  if (!listing)
    return found;
  const auto prefix = "." + key + ".";
  while (const auto* each = ::readdir(listing.get())) { // NOLINT(concurrency-mt-unsafe): own DIR
    const std::string_view name{static_cast<const char*>(each->d_name)};
    if (!name.starts_with(prefix))
      continue;
    const auto digits = name.substr(prefix.size());
    std::uint64_t revision = 0;
    const auto* const end = digits.data() + digits.size();
    const auto [rest, error] = std::from_chars(digits.data(), end, revision);
    if (error == std::errc{} && rest == end)
      found.push_back(revision);
  }
  std::sort(found.begin(), found.end(), std::greater<>{});
  return found;
}

} // namespace

void keep_former(const unique_fd& folder, const std::string& key, std::uint64_t revision,
                 std::size_t most) {
  [[maybe_unused]] const int linked =
    ::linkat(folder.get(), key.c_str(), folder.get(), name_of(key, revision).c_str(), 0);
  const auto kept = revisions(folder, key);
  for (std::size_t i = most; i < kept.size(); ++i)
    (void)::unlinkat(folder.get(), name_of(key, kept[i]).c_str(), 0);
}

std::vector<entry> former_entries(const unique_fd& folder, const std::string& key) {
  std::vector<entry> entries;
  for (const auto revision : revisions(folder, key)) {
    const auto name = name_of(key, revision);
    const auto content = read_at(folder, name);
    if (!content || !*content)
      continue;
    if (auto read = read_entry((*content)->bytes, name); read && !read->deleted)
      entries.push_back(std::move(*read));
  }
  return entries;
}

} // namespace harmony::directory
