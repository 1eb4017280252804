#include "failover/memory_file.hpp"
#include "support/catch.hpp"
#include "support/temp_dir.hpp"

using namespace harmony;
using namespace harmony::failover;

namespace {

memory full() {
  lease_record r;
  r.epoch = 7;
  r.holder = r.primary = "a";
  r.incarnation = "a-1";
  r.nonce = 9;
  r.lease_ms = 3000;
  r.system_id = 42;
  r.timeline = 2;
  r.maker = "a-1/7";
  r.sync = {1, {"b", "c"}};
  r.reserved = 2;
  memory m;
  m.floor = 6;
  m.newest = r;
  m.timeline = 2;
  m.maker = "a-1/7";
  m.left = 1;
  m.left_maker = "b-1/5";
  m.damaged = true;
  r.nonce = 8;
  m.promise = r;
  return m;
}

} // namespace

TEST_CASE("memory: what is written is read") {
  CHECK(read_memory(write(full())).value() == full());
  CHECK(read_memory(write(memory{})).value() == memory{});
}

TEST_CASE("memory: what is not its own is refused") {
  const auto* const text = GENERATE(
    "", "{}", "[]", "null", R"({"floor":-1})", "{\"floor\":1",
    R"({"floor":"1","newest":null,"timeline":0,"maker":"","damaged":false,"promise":null})",
    R"({"floor":1,"newest":{},"timeline":0,"maker":"","damaged":false,"promise":null})");
  CHECK_FALSE(read_memory(text).ok());
}

TEST_CASE("memory: a file that is not there remembers nothing; a bad one is a failure") {
  const test::temp_dir folder;
  const auto path = (folder / "failover-main.json").string();
  const memory_file file{path};
  CHECK(file.load().value() == memory{});
  REQUIRE(file.save(full()).ok());
  CHECK(file.load().value() == full());
  test::write_file(path, "rubbish");
  const auto bad = file.load();
  REQUIRE_FALSE(bad.ok());
  CHECK(bad.error().message.find(path) != std::string::npos);
  CHECK(test::read_file(path) == "rubbish");
}
