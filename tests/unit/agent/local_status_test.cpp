#include "apps/agent/local_status.hpp"

#include <sstream>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "model/status.hpp"
#include "support/catch.hpp"
#include "support/temp_dir.hpp"

namespace harmony::test {

namespace {

std::string some_status() {
  agent_status s;
  s.agent = "pi-1";
  s.boot_id = "0123456789abcdef";
  s.phase = agent_phase::degraded;
  s.resources[{"File", "a"}].phase = resource_phase::failed;
  s.resources[{"File", "a"}].reason = "DiskFull";
  return write_status(s);
}

struct answer {
  int code;
  std::string out, err;
};

answer ask(const status_request& what) {
  std::ostringstream out;
  std::ostringstream err;
  const int code = show_local_status(what, out, err);
  return {code, out.str(), err.str()};
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE("local status: kept -> explained, and says that no agent runs") {
  const temp_dir dir;
  keep_local_status(dir.str(), some_status());
  const auto got = ask({dir.str(), {}, false});
  CHECK(got.code == 0);
  CHECK(contains(got.out, "pi-1: Degraded"));
  CHECK(contains(got.out, "File/a: Failed: DiskFull"));
  CHECK(contains(got.err, "no agent runs"));
  const int lock = ::open((dir / "lock").c_str(), O_RDWR | O_CREAT, 0600);
  REQUIRE(::flock(lock, LOCK_EX | LOCK_NB) == 0);
  CHECK(ask({dir.str(), {}, false}).err.empty());
  ::close(lock);
}

TEST_CASE("local status: as JSON -> the document itself") {
  const temp_dir dir;
  keep_local_status(dir.str(), some_status());
  CHECK(ask({dir.str(), {}, true}).out == some_status() + "\n");
}

TEST_CASE("local status: nothing there, rubbish, unknown resource -> what is wrong") {
  const temp_dir dir;
  CHECK(ask({dir.str(), {}, false}).code == 1);
  CHECK(contains(ask({dir.str(), {}, false}).err, "has not run here yet"));
  CHECK(contains(ask({(dir / "no").string(), {}, false}).err, "--state-dir"));
  write_file(dir / "status.json", "{");
  CHECK(ask({dir.str(), {}, false}).code == 1);
  keep_local_status(dir.str(), some_status());
  CHECK(ask({dir.str(), resource_id{"File", "z"}, false}).code == 3);
  CHECK(ask({dir.str(), resource_id{"File", "a"}, false}).code == 0);
}

TEST_CASE("local status: folder gone -> given up silently") {
  keep_local_status("/nowhere/at/all", "x");
}

} // namespace harmony::test
