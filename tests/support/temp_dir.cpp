#include "support/temp_dir.hpp"

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <system_error>

namespace harmony::test {

namespace fs = std::filesystem;

temp_dir::temp_dir() {
  auto name = (fs::temp_directory_path() / "harmony-test-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr)
    throw fs::filesystem_error{"mkdtemp", name, {errno, std::generic_category()}};
  path_ = name;
}

temp_dir::~temp_dir() {
  std::error_code ignored;
  // A test may have taken away the right to list or change a folder.
  for (fs::recursive_directory_iterator it{path_, ignored}, end; it != end; it.increment(ignored))
    if (it->is_directory(ignored) && !it->is_symlink(ignored))
      fs::permissions(it->path(), fs::perms::owner_all, fs::perm_options::add, ignored);
  fs::remove_all(path_, ignored);
}

std::string read_file(const fs::path& path) {
  std::ifstream in{path, std::ios::binary};
  if (!in)
    throw std::runtime_error{"cannot read '" + path.string() + "'"};
  return {std::istreambuf_iterator<char>{in}, {}};
}

void write_file(const fs::path& path, std::string_view content) {
  fs::create_directories(path.parent_path());
  std::ofstream out{path, std::ios::binary | std::ios::trunc};
  out.write(content.data(), static_cast<std::streamsize>(content.size()));
  out.flush();
  if (!out)
    throw std::runtime_error{"cannot write '" + path.string() + "'"};
}

} // namespace harmony::test
