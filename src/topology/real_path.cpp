#include "topology/real_path.hpp"

#include <algorithm>
#include <array>
#include <climits>
#include <fstream>
#include <iterator>
#include <utility>

#include <unistd.h>

namespace harmony {

namespace {

constexpr int most_links = 40; ///< as the kernel's MAXSYMLINKS

/// Takes the first name off `rest`; empty at its end.
std::string next_name(std::string& rest) {
  const auto begin = rest.find_first_not_of('/');
  if (begin == std::string::npos) {
    rest.clear();
    return {};
  }
  const auto end = std::min(rest.find('/', begin), rest.size());
  auto name = rest.substr(begin, end - begin);
  rest.erase(0, end);
  return name;
}

} // namespace

std::string real_path(const std::string& path) {
  std::string rest = path;
  std::string at;
  int links = 0;
  for (auto name = next_name(rest); !name.empty(); name = next_name(rest)) {
    if (name == ".")
      continue;
    if (name == "..") {
      at.erase(at.empty() ? 0 : at.rfind('/'));
      continue;
    }
    auto link = at;
    link.append("/").append(name);
    std::array<char, PATH_MAX> target{};
    const auto n = ::readlink(link.c_str(), target.data(), target.size());
    if (n <= 0 || ++links > most_links) {
      at = std::move(link);
      continue;
    }
    const std::string to{target.data(), static_cast<std::size_t>(n)};
    if (to.front() == '/')
      at.clear();
    rest.insert(0, "/").insert(0, to);
  }
  return at.empty() ? "/" : at;
}

mount_table mounts_now() {
  std::ifstream in{"/proc/self/mountinfo"};
  return mount_table::read(std::string{std::istreambuf_iterator<char>{in}, {}});
}

} // namespace harmony
