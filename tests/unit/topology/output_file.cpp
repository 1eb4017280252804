#include "topology/output_file.hpp"

#include <sys/stat.h>

#include "support/catch.hpp"
#include "support/temp_dir.hpp"

namespace harmony::test {

TEST_CASE("output file: tail -> the last bytes, all of a short file, nothing of none") {
  const temp_dir folder;
  write_file(folder / "out", "0123456789");
  CHECK(read_tail(folder / "out", 4) == "6789");
  CHECK(read_tail(folder / "out", 100) == "0123456789");
  CHECK(read_tail(folder / "none", 4).empty());
  CHECK(read_tail(folder.path(), 4).empty());
  std::filesystem::create_symlink(folder / "out", folder / "link");
  CHECK(read_tail(folder / "link", 4).empty());
}

TEST_CASE("output file: trimmed -> size and end as they were, space given back") {
  const temp_dir folder;
  const auto path = folder / "out";
  write_file(path, std::string(1 << 20, 'x') + "the end");
  keep_tail(path, 2048);
  struct stat info {};
  REQUIRE(::stat(path.c_str(), &info) == 0);
  CHECK(info.st_size == (1 << 20) + 7);
  CHECK(info.st_blocks * 512 <= 16384);
  const auto tail = read_tail(path, 2048);
  CHECK(tail == std::string(2041, 'x') + "the end");
  write_file(path, "short");
  keep_tail(path, 2048);
  CHECK(read_tail(path, 100) == "short");
  keep_tail(folder / "none", 2048);
}

TEST_CASE(
  "output file: private folder -> mode 0700; there already -> success; no parent -> fails") {
  const temp_dir folder;
  CHECK(make_private_folder(folder / "jobs").ok());
  CHECK(make_private_folder(folder / "jobs").ok());
  struct stat info {};
  REQUIRE(::stat((folder / "jobs").c_str(), &info) == 0);
  CHECK((info.st_mode & 0777U) == 0700U);
  CHECK_FALSE(make_private_folder(folder / "no" / "jobs").ok());
}

} // namespace harmony::test
