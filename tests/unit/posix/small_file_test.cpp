#include "posix/small_file.hpp"

#include <filesystem>

#include <sys/stat.h>
#include <unistd.h>

#include "support/catch.hpp"
#include "support/temp_dir.hpp"

namespace harmony::test {

namespace {

using Catch::Matchers::Contains;

/// One file, and what becomes of reading it.
struct file_bed {
  temp_dir folder;
  std::string path = (folder / "f").string();

  void put(const std::string& text, mode_t mode = 0600) const {
    write_file(path, text);
    REQUIRE(::chmod(path.c_str(), mode) == 0);
  }
  [[nodiscard]] failure refused(const small_file_terms& terms) const {
    const auto read = read_small_file(path, terms);
    REQUIRE_FALSE(read);
    CHECK(check_small_file(path, terms).error().message == read.error().message);
    return read.error();
  }
};

constexpr small_file_terms secret{file_keeping::secret};
constexpr small_file_terms guarded{file_keeping::guarded};

} // namespace

TEST_CASE("small file: as it should be -> its bytes as they are, whatever was asked") {
  const file_bed bed;
  const std::string bytes{"a\0b\n\xFF", 5};
  bed.put(bytes);
  for (const auto& terms : {small_file_terms{}, secret, guarded}) {
    CHECK(read_small_file(bed.path, terms).value().reveal() == bytes);
    CHECK(check_small_file(bed.path, terms));
  }
  bed.put("");
  CHECK(read_small_file(bed.path, secret).value().reveal().empty());
}

TEST_CASE("small file: mode -> what is refused for a secret, and for what others must not change") {
  struct row {
    mode_t mode;
    bool as_secret, as_guarded;
  };
  const auto r = GENERATE(values<row>({{0400, true, true},
                                       {0600, true, true},
                                       {0700, true, true},
                                       {0610, false, true},
                                       {0604, false, true},
                                       {0640, false, true},
                                       {0644, false, true},
                                       {0620, false, true}, // this user's own group
                                       {0602, false, false},
                                       {0646, false, false}}));
  const file_bed bed;
  bed.put("x", r.mode);
  CAPTURE(r.mode);
  CHECK(read_small_file(bed.path).ok());
  CHECK(read_small_file(bed.path, secret).ok() == r.as_secret);
  CHECK(read_small_file(bed.path, guarded).ok() == r.as_guarded);
  if (!r.as_secret) {
    const auto why = bed.refused(secret);
    CHECK(why.code == ec::permission_denied);
    CHECK_THAT(why.message,
               Contains("others than its owner reach it") && Contains("chmod 0600 " + bed.path));
  }
  if (!r.as_guarded)
    CHECK_THAT(bed.refused(guarded).message,
               Contains("can be written by everybody") && Contains("chmod go-w"));
}

TEST_CASE("small file: of another user -> refused, by root too", "[root]") {
  const file_bed bed;
  bed.put("x");
  REQUIRE(::chown(bed.path.c_str(), 65534, 65534) == 0);
  CHECK(read_small_file(bed.path).ok());
  for (const auto& terms : {secret, guarded}) {
    const auto why = bed.refused(terms);
    CHECK(why.code == ec::permission_denied);
    CHECK_THAT(why.message,
               Contains("belongs to another user (uid 65534)") && Contains("chown it to root"));
  }
}

TEST_CASE("small file: link -> followed to what is judged, or refused") {
  const file_bed bed;
  const auto target = (bed.folder / "target").string();
  write_file(target, "x");
  ::chmod(target.c_str(), 0600);
  std::filesystem::create_symlink(target, bed.path);
  CHECK(read_small_file(bed.path, secret).ok());
  CHECK_THAT(bed.refused({file_keeping::secret, false}).message, Contains("symbolic link"));
  ::chmod(target.c_str(), 0644);
  CHECK(bed.refused(secret).code == ec::permission_denied);
  std::filesystem::remove(target);
  CHECK(bed.refused(secret).code == ec::not_found);
}

TEST_CASE("small file: missing, a folder, a FIFO, a device -> said, and nothing waited for") {
  const file_bed bed;
  CHECK(bed.refused({}).code == ec::not_found);
  REQUIRE(::mkfifo(bed.path.c_str(), 0600) == 0);
  CHECK_THAT(bed.refused({}).message, Contains("no regular file"));
  std::filesystem::remove(bed.path);
  std::filesystem::create_directory(bed.path);
  CHECK_THAT(bed.refused(secret).message, Contains("no regular file"));
  std::filesystem::remove(bed.path);
  std::filesystem::create_symlink("/dev/zero", bed.path);
  CHECK_THAT(bed.refused({}).message, Contains("no regular file"));
}

TEST_CASE("small file: size -> up to the most that was allowed, and not a byte more") {
  const file_bed bed;
  const small_file_terms terms{file_keeping::anybodys, true, 3};
  bed.put("abc");
  CHECK(read_small_file(bed.path, terms).value().reveal() == "abc");
  bed.put("abcd");
  CHECK_THAT(bed.refused(terms).message, Contains("more than 3 bytes"));
  bed.put(std::string((std::size_t{1} << 20) + 1, 'x'));
  CHECK_THAT(bed.refused({}).message, Contains("more than 1 MiB"));
}

} // namespace harmony::test
