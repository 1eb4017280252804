#include "transport/directory_history.hpp"

#include <unistd.h>

namespace harmony::directory {

namespace {

std::string name_of(const std::string& key, std::uint64_t revision) {
  return "." + key + "." + std::to_string(revision);
}

} // namespace

void keep_former(const open_fd& folder, const std::string& key, std::uint64_t newest,
                 bool deleted) {
  if (!deleted) {
    [[maybe_unused]] const int linked =
      ::linkat(folder.get(), key.c_str(), folder.get(), name_of(key, newest).c_str(), 0);
  }
  if (newest > kept_revisions)
    ::unlinkat(folder.get(), name_of(key, newest - kept_revisions).c_str(), 0);
}

std::vector<entry> former_entries(const open_fd& folder, const std::string& key,
                                  std::uint64_t newest) {
  std::vector<entry> entries;
  const auto oldest = newest > kept_revisions ? newest - kept_revisions : 1;
  for (auto revision = newest; revision-- > oldest;) {
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
