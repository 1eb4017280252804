// approve, deny and revoke over a store in memory: where two people, or a device, are in the way.
#include "identity/enrolment.hpp"

#include <algorithm>
#include <filesystem>

#include "fixture.hpp"
#include "support/catch.hpp"
#include "support/temp_dir.hpp"

namespace harmony::ctl {

namespace {

/// A terminal whose store has one token, and one device that asks with it.
struct desk : terminal {
  desk() {
    record.created = std::chrono::floor<std::chrono::milliseconds>(noon);
    record.expires = record.created + std::chrono::hours{24};
    at().force(bucket::enrolment, "abc", write_record(record));
    ask("abc", "pi-7", key);
  }

  void ask(const std::string& token, const std::string& device, const nkey_pair& by) {
    const enrolment_request request{token, device, {}, {}, {{"host", "evil\x1b[2J"}}};
    at().force(
      bucket::enrolment_request, token,
      sign_request(request, by, nullptr, std::chrono::floor<std::chrono::seconds>(noon)).value());
  }
  int approve(const std::string& which, std::vector<std::string> more = {"-y"}) {
    more.insert(more.begin(), {"approve", which, "--devices", devices()});
    return run(more);
  }
  [[nodiscard]] std::string devices() const { return (folder / "devices").string(); }
  enrolment_record now_of(const std::string& id) {
    return read_record(at().get(bucket::enrolment, id, soon).value()->value).value();
  }

  test::temp_dir folder;
  nkey_pair key = nkey_pair::make(nkey_kind::user);
  enrolment_record record;
};

} // namespace

TEST_CASE("approve: static keys -> the list has the key, and the snippet for the server is shown") {
  desk t;
  CHECK(t.approve("pi-7") == 0);
  CHECK(test::read_file(t.devices()) == "pi-7 " + t.key.public_key() + "\n");
  CHECK(t.out.find("nkey: " + t.key.public_key()) != std::string::npos);
  CHECK(t.now_of("abc").is == enrolment_record::state::approved);
  CHECK(t.now_of("abc").nkey == t.key.public_key());
}

TEST_CASE("approve: somebody else denies at the same moment -> conflict, the list as before") {
  desk t;
  const auto other = "pi-1 " + nkey_pair::make(nkey_kind::user).public_key() + "\n";
  test::write_file(t.devices(), other);
  auto theirs = t.record;
  theirs.is = enrolment_record::state::denied;
  t.at().before(test::store_call::put, [&](bucket, std::string_view) {
    t.at().before(test::store_call::put, {});
    t.at().force(bucket::enrolment, "abc", write_record(theirs));
  });
  CHECK(t.approve("pi-7") == 4);
  CHECK(t.err.find("somebody else answered") != std::string::npos);
  CHECK(t.now_of("abc").is == enrolment_record::state::denied);
  CHECK(test::read_file(t.devices()) == other);
}

TEST_CASE("approve: another approves the same at the same moment -> conflict, the list has it") {
  desk t;
  auto theirs = t.record;
  theirs.is = enrolment_record::state::approved;
  theirs.device = "pi-7";
  theirs.nkey = t.key.public_key();
  t.at().before(test::store_call::put, [&](bucket, std::string_view) {
    t.at().before(test::store_call::put, {});
    t.at().force(bucket::enrolment, "abc", write_record(theirs));
  });
  CHECK(t.approve("pi-7") == 4);
  CHECK(test::read_file(t.devices()) == "pi-7 " + t.key.public_key() + "\n");
}

TEST_CASE("approve: somebody else denies, and what stands cannot be read -> told which line") {
  desk t;
  t.at().before(test::store_call::put, [&](bucket, std::string_view) {
    t.at().before(test::store_call::put, {});
    auto theirs = t.record;
    theirs.is = enrolment_record::state::denied;
    t.at().force(bucket::enrolment, "abc", write_record(theirs));
    t.at().fail_next(test::store_call::get, {ec::store_unavailable, "cut"});
  });
  CHECK(t.approve("pi-7") == 4);
  CHECK(t.err.find("the line 'pi-7 " + t.key.public_key() + "' could not be") != std::string::npos);
}

TEST_CASE("approve: interrupted once the list has the key -> again, and the list has it once") {
  desk t;
  t.at().fail_next(test::store_call::put, {ec::store_unavailable, "cut"});
  CHECK(t.approve("pi-7") == 1);
  CHECK(t.now_of("abc").is == enrolment_record::state::issued);
  CHECK(t.approve("pi-7") == 0);
  CHECK(test::read_file(t.devices()) == "pi-7 " + t.key.public_key() + "\n");
}

TEST_CASE("approve: on a terminal -> shows the fingerprint, cleaned of control characters, asks") {
  desk t;
  t.interactive = true;
  CHECK(t.run({"approve", "pi-7", "--devices", t.devices()}, "n\n") == 1);
  CHECK(t.err.find(fingerprint_of(t.key.public_key())) != std::string::npos);
  CHECK(t.err.find('\x1b' + std::string{"[2J"}) == std::string::npos);
  CHECK(t.now_of("abc").is == enrolment_record::state::issued);
  CHECK(t.run({"approve", "pi-7", "--devices", t.devices()}, "y\n") == 0);
}

TEST_CASE("approve: two ask to be the same device -> by token alone") {
  desk t;
  t.at().force(bucket::enrolment, "def", write_record(t.record));
  t.ask("def", "pi-7", nkey_pair::make(nkey_kind::user));
  CHECK(t.approve("pi-7") == 4);
  CHECK(t.err.find("abc, def") != std::string::npos);
  CHECK(t.approve("abc") == 0);
  CHECK(t.approve("def") == 4); // pi-7 has a key now
  CHECK(t.err.find("--replace") != std::string::npos);
  CHECK(t.approve("def", {"-y", "--replace"}) == 0);
}

TEST_CASE("approve: key that is another device's -> refused, lists as before") {
  desk t;
  const auto keys = (t.folder / "keys").string();
  t.at().force(bucket::enrolment, "def", write_record(t.record));
  t.ask("def", "pi-9", t.key);
  SECTION("static keys") {
    REQUIRE(t.approve("pi-7") == 0);
    CHECK(t.approve("pi-9") == 4);
    CHECK(test::read_file(t.devices()) == "pi-7 " + t.key.public_key() + "\n");
  }
  SECTION("operator mode") {
    REQUIRE(t.run({"server-config", "--keys", keys}) == 0);
    REQUIRE(t.run({"approve", "pi-7", "-y", "--keys", keys}) == 0);
    CHECK(t.run({"approve", "pi-9", "-y", "--keys", keys}) == 4);
    CHECK(test::read_file(keys + "/devices") == "pi-7 " + t.key.public_key() + "\n");
  }
  CHECK(t.err.find("already the one of 'pi-7'") != std::string::npos);
  CHECK(t.err.find("have 'pi-9' make a new one") != std::string::npos);
  CHECK(t.now_of("def").is == enrolment_record::state::issued);
}

TEST_CASE("approve: list of more than 1 MiB -> read, added to and made a configuration from") {
  desk t;
  std::string much;
  while (much.size() <= std::size_t{1} << 20)
    much += "# " + std::string(97, 'x') + "\n";
  test::write_file(t.devices(), much);
  REQUIRE(t.approve("pi-7") == 0);
  CHECK(test::read_file(t.devices()) == much + "pi-7 " + t.key.public_key() + "\n");
  CHECK(t.run({"server-config", "--devices", t.devices()}) == 0);
  CHECK(t.out.find(t.key.public_key()) != std::string::npos);
}

TEST_CASE("revoke: lists of more than 1 MiB -> the key is noted as revoked") {
  desk t;
  const auto keys = (t.folder / "keys").string();
  const auto key = t.key.public_key();
  REQUIRE(t.run({"server-config", "--keys", keys}) == 0);
  REQUIRE(t.run({"credentials", "pi-7", "--for", key, "--keys", keys}) == 0);
  const std::string room((std::size_t{1} << 20) + 1, '\n');
  test::write_file(keys + "/devices", room + test::read_file(keys + "/devices"));
  test::write_file(keys + "/revoked", room);
  CHECK(t.run({"revoke", "pi-7", "--keys", keys}) != 0); // no server to tell
  CHECK(t.err.find("1 key of 'pi-7' noted as revoked") != std::string::npos);
  CHECK(test::read_file(keys + "/revoked").find(key) != std::string::npos);
}

TEST_CASE("credentials: --for a key that is another device's -> refused, list as before") {
  desk t;
  const auto keys = (t.folder / "keys").string();
  const auto key = t.key.public_key();
  REQUIRE(t.run({"server-config", "--keys", keys}) == 0);
  REQUIRE(t.run({"credentials", "pi-7", "--for", key, "--keys", keys}) == 0);
  CHECK(t.run({"credentials", "pi-9", "--for", key, "--keys", keys}) == 4);
  CHECK(t.err.find("already the one of 'pi-7'") != std::string::npos);
  CHECK(t.out.empty());
  CHECK(test::read_file(keys + "/devices") == "pi-7 " + key + "\n");
  CHECK(t.run({"credentials", "pi-7", "--for", key, "--keys", keys}) == 0); // made anew
}

TEST_CASE("approve: asked with the token's own key -> Invalid, not approved") {
  desk t;
  const auto own = nkey_pair::make(nkey_kind::user);
  const auto id = token_id(own.public_key());
  t.at().force(bucket::enrolment, id, write_record(t.record));
  t.ask(id, "pi-9", own);
  CHECK(t.approve(id) == 4);
  CHECK(t.err.find("the token's own key") != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(t.devices()));
}

TEST_CASE("approve: token that has expired, or was revoked -> not found") {
  desk t;
  SECTION("expired") {
    t.now = noon + std::chrono::hours{25};
    CHECK(t.approve("pi-7") == 3);
    CHECK(t.err.find("abc is Expired") != std::string::npos);
  }
  SECTION("revoked") {
    CHECK(t.run({"enroll-token", "revoke", "abc"}) == 0);
    CHECK(t.approve("pi-7") == 3);
    CHECK(t.err.find("abc is Revoked") != std::string::npos);
  }
  CHECK(t.run({"enrolments", "-o", "json"}) == 0);
  CHECK(t.out.find("Pending") == std::string::npos);
}

TEST_CASE("enroll-token: what does not fit -> refused, and no token made") {
  desk t;
  CHECK(t.run({"enroll-token", "create", "--tokens", "/nowhere/x"}) == 2); // a directory store
  CHECK(t.run({"--store", "nats://h:4222", "enroll-token", "create"}) == 2);
  CHECK(t.run({"enroll-token", "create", "--count", "0"}) == 2);
  CHECK(t.run({"enroll-token", "create", "--for", "Pi 1"}) == 2);
  CHECK(t.run({"enroll-token", "revoke", "nobody"}) == 3);
  CHECK(t.run({"enroll-token", "list"}) == 0);
  CHECK(t.out.find("abc") != std::string::npos);
  CHECK(t.approve("pi-7") == 0);
  CHECK(t.run({"enroll-token", "revoke", "abc"}) == 4); // that is 'revoke pi-7' now
}

TEST_CASE("enroll-token: made -> a line each on standard output, good for that store and device") {
  desk t;
  CHECK(t.run({"--store", "nats://me:secret@h:4222", "enroll-token", "create", "--count", "2",
               "--for", "pi-9", "--tokens", (t.folder / "tokens").string()})
        == 0);
  std::istringstream lines{t.out};
  std::string listed;
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    const auto token = read_token(line);
    REQUIRE(token);
    CHECK(token->store == "nats://h:4222"); // not the operator's log-in
    CHECK(token->device == "pi-9");
    CHECK(t.now_of(token->id()).device == "pi-9");
    listed += token->id() + " " + token->key.public_key() + "\n";
  }
  CHECK(count == 2);
  CHECK(test::read_file(t.folder / "tokens") == listed);
}

TEST_CASE("enroll-token: cut half way -> fails, and those that were made are shown in any format") {
  desk t;
  const std::string format = GENERATE("table", "json", "yaml");
  t.at().before(test::store_call::put, [&](bucket, std::string_view) {
    t.at().before(test::store_call::put, [&](bucket, std::string_view) {
      t.at().before(test::store_call::put, {});
      t.at().fail_next(test::store_call::put, {ec::store_unavailable, "cut"});
    });
  });
  CHECK(t.run({"--store", "nats://h:4222", "enroll-token", "create", "--count", "3", "-o", format,
               "--tokens", (t.folder / "tokens").string()})
        == 1);
  const auto listed = test::read_file(t.folder / "tokens");
  CHECK(std::count(listed.begin(), listed.end(), '\n') == 1);
  CHECK(t.out.find("harmony-token-1.") != std::string::npos);
  CHECK(t.err.find("cut") != std::string::npos);
}

} // namespace harmony::ctl
