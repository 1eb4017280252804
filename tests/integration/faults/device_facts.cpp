#include "device_facts.hpp"

#include <algorithm>
#include <sstream>

#include <sys/stat.h>

#include "support/temp_dir.hpp"

namespace harmony::test {

namespace fs = std::filesystem;

std::string resource_json(const std::string& kind, const std::string& name, const std::string& spec,
                          const std::string& more) {
  return R"({"kind":")" + kind + R"(","name":")" + name + R"(","spec":{)" + spec + "}" + more + "}";
}

std::string lines_of(std::vector<std::string> all) {
  std::sort(all.begin(), all.end());
  std::string text;
  for (const auto& each : all)
    text += each + "\n";
  return text;
}

std::string sorted(const std::string& text) {
  std::istringstream in{text};
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);)
    if (!line.empty())
      lines.push_back(line);
  return lines_of(std::move(lines));
}

std::string tree_of(const fs::path& folder) {
  std::vector<std::string> there;
  if (fs::exists(folder))
    for (const auto& each : fs::recursive_directory_iterator(folder))
      there.push_back(fs::relative(each.path(), folder).string());
  return lines_of(std::move(there));
}

std::string mode_of(const fs::path& path) {
  struct stat s {};
  if (::lstat(path.c_str(), &s) != 0)
    return "absent";
  std::ostringstream text;
  text << std::oct << (s.st_mode & 07777);
  return text.str();
}

std::string inode_of(const fs::path& path) {
  struct stat s {};
  return ::lstat(path.c_str(), &s) == 0 ? std::to_string(s.st_ino) : "absent";
}

std::string content_of(const fs::path& path) {
  return fs::exists(path) ? read_file(path) : "absent";
}

} // namespace harmony::test
