#include "postgres/folders.hpp"

#include <array>
#include <filesystem>
#include <thread>

#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "postgres/data_files.hpp"
#include "support/outcomes.hpp"
#include "support/temp_dir.hpp"

namespace harmony::postgres {

using test::check_failure;
using test::check_ok;

namespace {

const owner self{::geteuid(), ::getegid()};

/// A data directory and a copy beside it, each with a file that names it.
struct bed {
  test::temp_dir folder;
  std::string data = folder / "data";
  std::string fresh = fresh_beside(data);

  void put(const std::string& where, const std::string& what) const {
    test::write_file(where + "/PG_VERSION", what);
  }
  [[nodiscard]] std::string in(const std::string& where) const {
    return std::filesystem::exists(where + "/PG_VERSION") ? test::read_file(where + "/PG_VERSION")
                                                          : std::string{};
  }
  [[nodiscard]] std::vector<std::string> others() const {
    std::vector<std::string> all;
    for (const auto& each : std::filesystem::directory_iterator{folder.str()})
      if (each.path() != data)
        all.push_back(each.path().string());
    return all;
  }
};

} // namespace

TEST_CASE("folders: an exchange -> the old data are the only ones set aside, and what merely looks "
          "so stays") {
  const bed b;
  b.put(b.data, "old");
  b.put(b.data + ".old-20200101T000000Z", "older");
  b.put(b.data + ".old-mine", "mine");
  b.put(b.data + ".old-20200101T000000Z.tar", "mine");
  b.put(b.fresh, "new");
  check_ok(exchange(b.data, b.fresh, self));
  CHECK(b.in(b.data) == "new");
  CHECK(b.in(b.data + ".old-mine") == "mine");
  CHECK(b.in(b.data + ".old-20200101T000000Z.tar") == "mine");
  CHECK(b.in(b.data + ".old-20200101T000000Z").empty());
  CHECK(b.others().size() == 3);
}

TEST_CASE("folders: an exchange that fails -> everything is where it was") {
  const bed b;
  b.put(b.data, "old");
  b.put(b.data + ".old-20200101T000000Z", "older");
  CHECK_FALSE(exchange(b.data, b.fresh, self)); // there is no copy
  CHECK(b.in(b.data) == "old");
  CHECK(b.in(b.data + ".old-20200101T000000Z") == "older");
}

TEST_CASE("folders: an exchange that was broken off -> the newest that was set aside comes back") {
  const bed b;
  CHECK_FALSE(restore_set_aside(b.data, self).value());
  b.put(b.data + ".old-20200101T000000Z", "older");
  b.put(b.data + ".old-20260101T000000Z", "old");
  b.put(b.data + ".old-mine", "mine");
  CHECK(restore_set_aside(b.data, self).value());
  CHECK(b.in(b.data) == "old");
  CHECK(b.others().size() == 2);
}

TEST_CASE("folders: data that come to be meanwhile -> are not replaced") {
  const bed b;
  b.put(b.data, "old");
  b.put(b.fresh, "new");
  CHECK_FALSE(take_place(b.data, b.fresh, self));
  check_ok(ensure_folder(b.data, self));
  CHECK(b.in(b.data) == "old");
  std::filesystem::remove(b.data + "/PG_VERSION");
  check_ok(take_place(b.data, b.fresh, self));
  CHECK(b.in(b.data) == "new");
}

TEST_CASE("data files: a version that is none -> is not taken for one") {
  const bed b;
  const data_files files{b.data, self};
  for (const auto* text : {"../../tmp/x\n", "15/..\n", "9.6\n", "1500\n", "-15\n", " 15\n", ""}) {
    b.put(b.data, text);
    CHECK(major_of_data(files).empty());
  }
  b.put(b.data, "15\n");
  CHECK(major_of_data(files) == "15");
}

TEST_CASE("data files: a folder that cannot be listed -> a failure, and not an empty one") {
  const bed b;
  CHECK_FALSE(data_files(b.data, self).list(""));
  b.put(b.data, "15");
  CHECK(data_files(b.data, self).list("").value().size() == 1);
}

TEST_CASE("owner: a signal -> goes to that user's processes alone") {
  check_ok(send_signal(self, ::getpid(), 0));
  for (const pid_t pid : {-1, 0, 1})
    check_failure(send_signal(self, pid, 0), ec::not_found, "none of user");
  check_failure(send_signal({self.user + 1, self.group}, ::getppid(), 0), ec::not_found,
                "none of user");
}

TEST_CASE("owner: root that cannot take a user's rights -> nothing is done with its own") {
  if (::geteuid() != 0)
    return;
  const bed b;
  b.put(b.data, "15");
  const owner nobody{65534, 65534};
  const data_files files{b.data, nobody};
  outcome<> held;
  outcome<> read;
  outcome<> written;
  outcome<> removed;
  bool lost = false;
  bool has = true;
  // The capabilities are a thread's.
  std::thread{[&] {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    const std::array<__user_cap_data_struct, 2> none{};
    lost = ::syscall(SYS_capset, &header, none.data()) == 0;
    held = acting_as{nobody}.held();
    if (const auto text = files.read("PG_VERSION"); !text)
      read = text.error();
    has = files.has("PG_VERSION");
    written = files.write("x", "y");
    removed = remove_folder(b.data, nobody);
  }}.join();
  REQUIRE(lost);
  CHECK_FALSE(has);
  for (const auto& each : {held, read, written, removed})
    check_failure(each, ec::capability_missing, "CAP_SETUID");
  CHECK(b.in(b.data) == "15");
}

} // namespace harmony::postgres
