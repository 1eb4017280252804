#include "state/audit_log.hpp"

#include <sys/stat.h>

#include <filesystem>

#include "support/catch.hpp"
#include "support/temp_dir.hpp"

namespace harmony::test {

namespace {

timestamp at_start() {
  return timestamp{std::chrono::milliseconds{0}};
}

audit_event event_of(std::string result = {}) {
  return {"job-started",    {"ShellJob", "once"}, "sha256:1", "", {"/bin/sh", "a \"b\"\n"},
          std::move(result)};
}

const std::string line = R"({"time":"1970-01-01T00:00:00.000Z","event":"job-started",)"
                         R"("resource":"ShellJob/once","revision":"sha256:1",)"
                         R"("command":["/bin/sh","a \"b\"\n"]})";

} // namespace

TEST_CASE("audit log: events -> one line of JSON each, mode 0600, echoed") {
  const temp_dir folder;
  std::vector<std::string> echoed;
  audit_log log{(folder / "audit.log").string(), at_start,
                [&](const std::string& l) { echoed.push_back(l); }};
  CHECK(log.append(event_of()).ok());
  auto with_origin = event_of("done");
  with_origin.origin = "rollout/7";
  with_origin.command.clear();
  CHECK(log.append(with_origin).ok());
  const std::string second = R"({"time":"1970-01-01T00:00:00.000Z","event":"job-started",)"
                             R"("resource":"ShellJob/once","revision":"sha256:1",)"
                             R"("origin":"rollout/7","result":"done"})";
  CHECK(read_file(folder / "audit.log") == line + "\n" + second + "\n");
  CHECK(echoed == std::vector<std::string>{line, second});
  struct stat info {};
  REQUIRE(::stat((folder / "audit.log").c_str(), &info) == 0);
  CHECK((info.st_mode & 0777U) == 0600U);
}

TEST_CASE("audit log: opened again -> goes on at the end") {
  const temp_dir folder;
  const auto path = (folder / "audit.log").string();
  for (int i = 0; i < 2; ++i) {
    audit_log log{path, at_start, [](const std::string&) {}};
    CHECK(log.append(event_of()).ok());
  }
  CHECK(read_file(path) == line + "\n" + line + "\n");
}

TEST_CASE("audit log: file at its limit -> set aside once, a new one begun") {
  const temp_dir folder;
  const auto path = (folder / "audit.log").string();
  audit_log log{path, at_start, [](const std::string&) {}};
  write_file(path, "old\n");
  std::filesystem::resize_file(path, audit_log::most_bytes);
  write_file(path + ".1", "older\n");
  CHECK(log.append(event_of()).ok());
  CHECK(read_file(path) == line + "\n");
  CHECK(std::filesystem::file_size(path + ".1") == audit_log::most_bytes);
}

TEST_CASE("audit log: folder that is not there, link in its place -> fails, echoes nothing") {
  const temp_dir folder;
  int echoes = 0;
  const auto count = [&](const std::string&) { ++echoes; };
  CHECK_FALSE(
    audit_log{(folder / "no" / "audit.log").string(), at_start, count}.append(event_of()));
  std::filesystem::create_symlink(folder / "elsewhere", folder / "audit.log");
  CHECK_FALSE(audit_log{(folder / "audit.log").string(), at_start, count}.append(event_of()));
  CHECK_FALSE(std::filesystem::exists(folder / "elsewhere"));
  CHECK(echoes == 0);
}

} // namespace harmony::test
