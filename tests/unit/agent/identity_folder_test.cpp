#include "apps/agent/identity_folder.hpp"

#include <sys/stat.h>

#include "support/catch.hpp"
#include "support/temp_dir.hpp"

namespace harmony::test {

TEST_CASE("identity folder: key that asks -> the same until it is adopted or dropped") {
  const temp_dir dir;
  const identity_folder folder{dir.str()};
  const auto first = folder.make_pending().value().public_key();
  CHECK(folder.make_pending()->public_key() == first);
  REQUIRE(folder.drop_pending());
  CHECK_FALSE(folder.pending().value());
  REQUIRE(folder.drop_pending()); // again
  const auto second = folder.make_pending().value();
  CHECK(second.public_key() != first);
  REQUIRE(folder.adopt(second, {"pi-7", "tls://nats.example:4222", {}, "eyJ.a.b"}));
  CHECK_FALSE(folder.pending().value());
  CHECK(folder.make_pending()->public_key() != second.public_key());
}

TEST_CASE("identity folder: adoption cut before its end -> a rotation asks with a new key") {
  const std::string jwt = GENERATE("", "eyJ.a.b"); // static keys, operator mode
  const temp_dir dir;
  const identity_folder folder{dir.str()};
  const auto key = folder.make_pending().value();
  REQUIRE(folder.adopt(key, {"pi-7", "tls://nats.example:4222", {}, jwt}));
  const auto pending = (dir / "identity/pending.nk").string();
  write_file(pending, key.seed() + "\n"); // as if it had not come to the last step
  ::chmod(pending.c_str(), 0600);
  const auto next = folder.make_pending();
  REQUIRE(next);
  CHECK(next->public_key() != key.public_key());
  CHECK(folder.current().value()->public_key() == key.public_key());
}

} // namespace harmony::test
