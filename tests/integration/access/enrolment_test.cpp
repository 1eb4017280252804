// A device without an identity gets one: asked for by a token, approved by its fingerprint.
#include <algorithm>
#include <csignal>
#include <filesystem>
#include <set>
#include <sys/stat.h>

#include "enrol_bed.hpp"
#include "identity/login.hpp"
#include "integration/hostile/certificate.hpp"
#include "support/catch.hpp"
#include "support/eventually.hpp"
#include "transport/nats_access.hpp"

namespace harmony::test {

namespace {

constexpr auto desired = bucket::desired_state;

trust_mode either_mode() {
  return GENERATE(trust_mode::static_keys, trust_mode::operator_mode);
}

unsigned mode_of(const std::string& path) {
  struct stat seen {};
  REQUIRE(::stat(path.c_str(), &seen) == 0);
  return seen.st_mode & 07777U;
}

/// An agent that knows nothing but where its state lies.
std::unique_ptr<process> agent_in(const std::string& state) {
  return std::make_unique<process>(std::vector<std::string>{HARMONY_AGENT, "--state-dir", state,
                                                            "--podman", "off", "--systemd", "off",
                                                            "--heartbeat-interval", "100ms"},
                                   "", std::map<std::string, std::string>{});
}

bool beats_after(store& op, const std::string& id, std::uint64_t revision) {
  return eventually(
    [&] {
      const auto beat = op.last_beat(id, ample);
      return beat && *beat && (*beat)->revision > revision;
    },
    patience);
}

void enrol_fully(enrol_bed& bed, new_device& device, const std::string& id) {
  device.enrol(bed.token({"--for", id}));
  device.asked();
  bed.let_in(id);
  const auto done = device.wait();
  INFO(done.err);
  REQUIRE(done.code == 0);
}

} // namespace

TEST_CASE("enrolment: token and fingerprint approved -> in as itself, with no word in agent.toml") {
  enrol_bed bed{either_mode()};
  const auto token = bed.token({"--for", "pi-7"});
  new_device device;
  device.enrol(token);
  const auto print = device.asked();
  CHECK(bed.standing("pi-7") == "Pending");
  CHECK(bed.enrolments()[0]["fingerprint"] == print);
  CHECK(bed.fleet.try_ctl(bed.approve("pi-7")).code == 2); // nobody compared anything
  const auto said = bed.fleet.ctl(bed.approve("pi-7", {"--fingerprint", print}));
  CHECK(said.find("'pi-7' approved, key " + print) != std::string::npos);
  if (!bed.fleet.has_jwts()) {
    CHECK(said.find("\"$KV.actual-state.pi-7\"") != std::string::npos);
    CHECK(device.running().printed("waiting until the server's configuration has"));
  }
  bed.tell_server();
  const auto done = device.wait();
  INFO(done.err);
  REQUIRE(done.code == 0);
  CHECK(bed.standing("pi-7") == "Enrolled");

  // The secret is on the device alone, and for nobody else there.
  const auto seed = device.key().seed();
  const auto id = read_token(token)->id();
  for (const auto& entry : {bed.op->get(bucket::enrolment, id, ample).value(),
                            bed.op->get(bucket::enrolment_request, id, ample).value()})
    CHECK(entry->value.find(seed) == std::string::npos);
  CHECK(mode_of(device.identity("")) == 0700);
  CHECK(mode_of(device.identity(bed.fleet.has_jwts() ? "device.creds" : "device.nk")) == 0600);
  CHECK_FALSE(std::filesystem::exists(device.identity("pending.nk")));

  const auto agent = agent_in(device.state());
  CHECK(beats_after(*bed.op, "pi-7", 0));
}

TEST_CASE("enrolment: killed at any step, and run again -> goes on with the same key") {
  enrol_bed bed{either_mode()};
  const auto token = bed.token({"--for", "pi-7"});
  new_device device;
  device.enrol(token);
  const auto print = device.asked();
  device.kill();

  SECTION("while it waits") {
    device.enrol(token);
    CHECK(device.asked() == print);
    bed.let_in("pi-7");
    CHECK(device.wait().code == 0);
  }
  SECTION("approved meanwhile") {
    bed.let_in("pi-7");
    device.enrol(token);
    CHECK(device.wait().code == 0);
  }
  SECTION("between the files, each prefix") {
    bed.let_in("pi-7");
    device.enrol(token);
    REQUIRE(device.wait().code == 0);
    const auto seed = device.key().seed();
    const auto file = device.identity(bed.fleet.has_jwts() ? "device.creds" : "device.nk");
    const auto content = read_file(file);
    const auto settings = read_file(device.identity("enrolled.toml"));
    for (int reached = 0; reached < 4; ++reached) {
      CAPTURE(reached);
      if (reached < 1)
        std::filesystem::remove(file);
      if (reached < 2)
        std::filesystem::remove(device.identity("enrolled.toml"));
      if (reached < 3) {
        write_file(device.identity("pending.nk"), seed + "\n");
        ::chmod(device.identity("pending.nk").c_str(), 0600);
      }
      device.enrol(token);
      const auto done = device.wait();
      INFO(done.err);
      CHECK(done.code == 0);
      CHECK(read_file(file) == content);
      CHECK(read_file(device.identity("enrolled.toml")) == settings);
      CHECK_FALSE(std::filesystem::exists(device.identity("pending.nk")));
    }
  }
  CHECK(fingerprint_of(device.key().public_key()) == print);
  CHECK(bed.standing("pi-7") == "Enrolled");
  REQUIRE(open_as(device.login(bed, "pi-7"))->get(desired, "pi-7", ample));
}

#ifdef HARMONY_FAULTS
TEST_CASE("enrolment: killed within any write of a file, and run again -> in, and nothing of it is "
          "left behind") {
  enrol_bed bed{either_mode()};
  const auto token = bed.token({"--for", "pi-7"});
  new_device device;
  const auto left = [&] {
    std::set<std::string> names;
    for (const auto& each : std::filesystem::directory_iterator{device.identity("")})
      names.insert(each.path().filename().string());
    return names;
  };
  // The pending key, the identity, the settings: the next run writes the same again.
  for (int written = 0; written < 3; ++written) {
    CAPTURE(written);
    device.enrol(token, "25s",
                 {{"HARMONY_FAULT",
                   "own-file.write.within " + std::to_string(written == 2 ? 2 : 1) + " kill"}});
    CHECK(device.wait().code == 128 + SIGKILL);
    const auto names = left();
    CHECK(std::count_if(
            names.begin(), names.end(),
            [](const std::string& name) { return name.find(".harmony-") != std::string::npos; })
          == 1);
    if (written == 0) {
      device.enrol(token);
      device.asked();
      device.kill();
      bed.let_in("pi-7");
    }
  }
  device.enrol(token);
  CHECK(device.wait().code == 0);
  CHECK(
    left()
    == std::set<std::string>{bed.fleet.has_jwts() ? "device.creds" : "device.nk", "enrolled.toml"});
}
#endif

TEST_CASE("enrolment: over TLS -> the token brings the CA; a server of another is not talked to") {
  temp_dir keys;
  const auto of_server = make_certificate(keys.str(), "server");
  const auto of_stranger = make_certificate(keys.str(), "stranger");
  enrol_bed bed{trust_mode::operator_mode};
  bed.fleet.use({"--tls-cert", of_server.certificate, "--tls-key", of_server.key});
  const auto url = "tls://127.0.0.1:" + std::to_string(bed.fleet.server().port());
  const std::vector<std::string> tls{"--store", url, "--ca", of_server.certificate};
  const auto good = read_token(bed.token(tls)).value();
  CHECK(good.ca == read_file(of_server.certificate));
  CHECK(good.store == url);

  auto other = good;
  other.ca = read_file(of_stranger.certificate);
  new_device misled{"pi-7"};
  misled.enrol(write_token(other), "4s");
  const auto refused = misled.wait();
  CHECK(refused.code == 1);
  CHECK(refused.err.find("cannot connect") != std::string::npos);

  new_device device{"pi-7"};
  device.enrol(write_token(good));
  device.asked();
  bed.let_in("pi-7", tls);
  CHECK(device.wait().code == 0);
  const auto settings = read_file(device.identity("enrolled.toml"));
  CHECK(settings.find("store-ca = \"" + device.identity("ca-")) != std::string::npos);
}

TEST_CASE("enrolment: denied, with a reason -> told, and nothing is kept") {
  enrol_bed bed{trust_mode::operator_mode};
  const auto token = bed.token();
  new_device device{"pi-7"};
  device.enrol(token);
  const auto print = device.asked();
  bed.fleet.ctl({"deny", "pi-7", "--reason", "not one of ours"});
  const auto done = device.wait();
  CHECK(done.code == 4);
  CHECK(done.err.find("not one of ours") != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(device.identity("enrolled.toml")));
  CHECK(bed.standing("pi-7") == "Denied");
  CHECK(bed.fleet.try_ctl(bed.approve("pi-7", {"-y"})).code == 3);
  device.enrol(bed.token());
  CHECK(device.asked() != print); // what was turned down may have been the key
}

TEST_CASE("enrolment: asked by another name before -> told which, and that name goes on") {
  enrol_bed bed{trust_mode::operator_mode};
  const auto token = bed.token();
  new_device device{"pi-7"};
  device.enrol(token);
  const auto print = device.asked();
  device.kill();
  device.call_itself("pi-8");
  device.enrol(token);
  const auto told = device.wait();
  CHECK(told.code == 3);
  CHECK(told.err.find("go on with --agent-id pi-7") != std::string::npos);
  device.call_itself("pi-7");
  device.enrol(token);
  CHECK(device.asked() == print);
  bed.let_in("pi-7");
  CHECK(device.wait().code == 0);
}

TEST_CASE("enrolment: nobody answers -> says so after --wait, and the request stands") {
  enrol_bed bed{trust_mode::operator_mode};
  const auto token = bed.token();
  new_device device{"pi-7"};
  device.enrol(token, "1s");
  const auto done = device.wait();
  CHECK(done.code == 5);
  CHECK(done.err.find("the same command goes on waiting") != std::string::npos);
  CHECK(bed.standing("pi-7") == "Pending");
}

TEST_CASE("enrolment: agent.toml sets what a token brings -> refused by the line, nothing asked") {
  enrol_bed bed{trust_mode::operator_mode};
  temp_dir folder;
  write_file(folder / "agent.toml", "agent-id = \"pi-7\"\nstore = \"nats://elsewhere:4222\"\n");
  const auto config = (folder / "agent.toml").string();
  const auto done = process{
    {HARMONY_AGENT, "enroll", "--token", bed.token(), "--config", config, "--state-dir",
     folder.str()},
    "",
    {}}.wait();
  CHECK(done.code == 2);
  CHECK(done.err.find(config + ":2: store is set to 'nats://elsewhere:4222'") != std::string::npos);
  CHECK(bed.enrolments().empty());
}

TEST_CASE("enrolment: a second one -> new key; the former is revoked once that is in use") {
  enrol_bed bed{trust_mode::operator_mode};
  new_device device;
  enrol_fully(bed, device, "pi-7");
  const auto former = device.login(bed, "pi-7");
  write_file(bed.fleet.path("former.creds"), read_file(former.credentials));
  ::chmod(bed.fleet.path("former.creds").c_str(), 0600);
  const auto agent = agent_in(device.state());
  REQUIRE(beats_after(*bed.op, "pi-7", 0));
  const std::vector<std::string> revoke{"revoke", "pi-7", "--superseded", "--keys",
                                        bed.fleet.keys()};
  CHECK(bed.fleet.try_ctl(revoke).code == 3); // there is but one key

  device.enrol(bed.token({"--for", "pi-7"}));
  device.asked();
  device.kill();      // before it could take the new key
  bed.let_in("pi-7"); // without --replace: the former key has signed
  const auto early = bed.fleet.try_ctl(revoke);
  CHECK(early.code == 4);
  CHECK(early.err.find("has not said yet that it was let in by its newest key")
        != std::string::npos);
  CHECK(beats_after(*bed.op, "pi-7", bed.op->last_beat("pi-7", ample).value()->revision));
}

TEST_CASE("enrolment: rotated -> the former key is out, and the agent runs on with the new one") {
  enrol_bed bed{trust_mode::operator_mode};
  new_device device;
  enrol_fully(bed, device, "pi-7");
  auto former = device.login(bed, "pi-7");
  const auto copy = bed.fleet.path("former.creds");
  write_file(copy, read_file(former.credentials));
  ::chmod(copy.c_str(), 0600);
  former.credentials = copy;
  const auto before = device.key().public_key();
  const auto agent = agent_in(device.state());
  REQUIRE(beats_after(*bed.op, "pi-7", 0));

  enrol_fully(bed, device, "pi-7");
  CHECK(device.key().public_key() != before);
  CHECK(bed.fleet.ctl({"revoke", "pi-7", "--superseded", "--keys", bed.fleet.keys()})
          .find("1 key of 'pi-7' revoked")
        != std::string::npos);
  auto out = open_store(former);
  REQUIRE(out);
  CHECK(states{**out}.says(false, "Authorization Violation"));
  REQUIRE(agent->complained("User Authentication Revoked"));
  CHECK(beats_after(*bed.op, "pi-7", bed.op->last_beat("pi-7", ample).value()->revision));
}

TEST_CASE("enrolment: any one right of a token taken away -> the device misses it") {
  const auto rights = nats::token_rights("x");
  const auto count = rights.publish.size() + rights.subscribe.size();
  REQUIRE(count == 7);
  for (std::size_t i = 0; i < count; ++i) {
    enrol_bed bed{trust_mode::static_keys};
    const auto token = bed.token();
    auto all = nats::token_rights(read_token(token)->id());
    all.publish.insert(all.publish.end(), all.subscribe.begin(), all.subscribe.end());
    const auto right = all.publish.at(i);
    CAPTURE(right);
    bed.missing = right;
    bed.tell_server();
    new_device device{"pi-7"};
    device.enrol(token);
    const auto subject = right.substr(0, right.find_first_of(">*"));
    CHECK(eventually(
      [&] {
        const auto log = bed.fleet.server().log();
        if (log.find("Violation") != std::string::npos && log.find(subject) != std::string::npos)
          return true;
        if (bed.standing("pi-7") == "Pending")
          bed.let_in("pi-7");
        return false;
      },
      patience));
  }
}

} // namespace harmony::test
