#include "apps/agent/options.hpp"

#include <cstdlib>

#include "support/catch.hpp"
#include "support/people.hpp"
#include "support/temp_dir.hpp"

namespace harmony::test {

namespace {

using namespace std::chrono_literals;

parsed_options read(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "harmony-agent");
  return read_options(static_cast<int>(arguments.size()), arguments.data());
}

agent_options good(const std::vector<const char*>& arguments) {
  auto result = read(arguments);
  if (auto* wrong = std::get_if<early_exit>(&result))
    FAIL(wrong->text);
  return std::get<agent_options>(result);
}

/// The message of a wrong command line; its exit code must be 2.
std::string fault(const std::vector<const char*>& arguments) {
  auto result = read(arguments);
  REQUIRE(std::holds_alternative<early_exit>(result));
  CHECK(std::get<early_exit>(result).code == 2);
  return std::get<early_exit>(result).text;
}

/// Sets an environment variable while it lives.
class variable {
public:
  variable(const char* name, const char* value) : name_(name) { ::setenv(name, value, 1); }
  ~variable() { ::unsetenv(name_); }
  variable(const variable&) = delete;
  variable& operator=(const variable&) = delete;

private:
  const char* name_;
};

class config_file {
public:
  explicit config_file(const std::string& text) : path_((folder_ / "agent.toml").string()) {
    write_file(path_, text);
  }
  [[nodiscard]] const char* path() const { return path_.c_str(); }

private:
  temp_dir folder_;
  std::string path_;
};

} // namespace

TEST_CASE("options: none but the id -> the documented defaults") {
  const auto o = good({"--agent-id", "pi-1"});
  CHECK(o.agent_id == "pi-1");
  CHECK(o.store == "dir:/var/lib/harmony/store");
  CHECK(o.state_dir == "/var/lib/harmony-agent");
  CHECK(o.systemd == systemd_mode::system);
  CHECK(o.podman == "/run/podman/podman.sock");
  CHECK(o.heartbeat_interval == 10s);
  CHECK(o.policy == device_policy{});
}

TEST_CASE("options: the shipped agent.toml -> the defaults, option by option") {
  const config_file file{read_file(std::string{CONFIG_FOLDER} + "/agent.toml")};
  auto shipped = good({"--agent-id", "pi-1", "--config", file.path()});
  CHECK(std::exchange(shipped.config, "") == file.path());
  CHECK(shipped == good({"--agent-id", "pi-1"}));
}

TEST_CASE("options: what an enrolment brought -> where neither flag, variable nor file says so") {
  const temp_dir state;
  const auto settings = state / "identity" / "enrolled.toml";
  write_file(settings, "agent-id = \"pi-7\"\nstore = \"tls://h:4222\"\n"
                       "store-credentials = \"/s/device.creds\"\n");
  const auto folder = state.str();
  const auto o = good({"--state-dir", folder.c_str()});
  CHECK(o.agent_id == "pi-7");
  CHECK(o.store == "tls://h:4222");
  CHECK(o.store_credentials == "/s/device.creds");
  const config_file file{"store = \"nats://other:4222\"\nstate-dir = \"" + folder + "\"\n"};
  const auto both = good({"--agent-id", "pi-1", "--config", file.path()});
  CHECK(both.agent_id == "pi-1");
  CHECK(both.store == "nats://other:4222");
  CHECK(both.store_credentials == "/s/device.creds");
  write_file(settings, "store = \"ftp://h\"\n");
  CHECK(fault({"--agent-id", "pi-1", "--state-dir", folder.c_str()})
          .find("enrolled.toml:1: store: expected")
        != std::string::npos);
}

TEST_CASE("options: enroll -> the token, how long, and what was set of what it brings") {
  const config_file file{"store = \"nats://other:4222\"\nstore-nkey = \"\"\n"};
  const auto r = std::get<enroll_request>(read(
    {"enroll", "--token", "t", "--wait", "5m", "--agent-id", "pi-1", "--config", file.path()}));
  CHECK(r.token == "t");
  CHECK(r.wait == 5min);
  CHECK(r.named);
  CHECK(r.set.at("store").second == std::string{file.path()} + ":1: store");
  CHECK_FALSE(r.set.contains("store-nkey"));
  CHECK(fault({"enroll", "--wait", "soon"}).find("expected a duration") != std::string::npos);
}

TEST_CASE("options: flag, variable and file -> the flag wins, then the variable") {
  const config_file file{
    "agent-id = \"from-file\"\nlog-level = \"error\"\nheartbeat-interval = \"3s\"\n"};
  const variable level{"HARMONY_LOG_LEVEL", "warn"};
  const variable beat{"HARMONY_HEARTBEAT_INTERVAL", "2s"};
  const auto o = good({"--config", file.path(), "--heartbeat-interval", "1s"});
  CHECK(o.agent_id == "from-file");
  CHECK(o.log_level == "warn");
  CHECK(o.heartbeat_interval == 1s);
}

TEST_CASE("options: the table [trust] -> pinned keys; a mistake in it ends the agent") {
  const auto key = write_public_key(alice.pub());
  const config_file file{"agent-id = \"pi-1\"\n[trust]\nkeys = [\"" + key + "\"]\nepoch = 3\n"};
  CHECK(good({"--config", file.path()}).trust == trust_policy{{alice.pub()}, 1, 3});
  const config_file wrong{"agent-id = \"pi-1\"\n[trust]\nthreshold = 2\nkeys = [\"" + key
                          + "\"]\n"};
  CHECK_THAT(fault({"--config", wrong.path()}),
             Catch::Matchers::Contains(std::string{wrong.path()} + ":3:13: trust.threshold"));
  // An option behind the table belongs to it, and is told.
  const config_file late{"[trust]\nkeys = [\"" + key + "\"]\nagent-id = \"pi-1\"\n"};
  CHECK_THAT(fault({"--config", late.path()}),
             Catch::Matchers::Contains(":3:") && Catch::Matchers::Contains("trust.agent-id"));
}

TEST_CASE("options: a flag twice -> the last one") {
  CHECK(good({"--agent-id", "a", "--agent-id", "b"}).agent_id == "b");
}

TEST_CASE("options: every flag of the documentation -> understood") {
  const config_file file{""};
  const auto o =
    good({"--config", file.path(), "--agent-id", "pi-1", "--store", "nats://a:4222,b:4222",
          "--state-dir", "/tmp/s", "--systemd", "user", "--podman", "off", "--heartbeat-interval",
          "500ms", "--log-level", "debug", "--log-format", "json"});
  CHECK(o.store == "nats://a:4222,b:4222");
  CHECK(o.systemd == systemd_mode::user);
  CHECK(o.podman == "off");
  CHECK(o.heartbeat_interval == 500ms);
  CHECK(o.format == log_format::json);
}

TEST_CASE("options: a wrong value -> where it came from, what was expected, what it got") {
  CHECK(fault({"--agent-id", "Pi_1"}).find("--agent-id: expected 1 to 63 of a-z")
        != std::string::npos);
  CHECK(fault({"--agent-id", "a", "--store", "http://x"}).find("--store: expected nats://HOST:PORT")
        != std::string::npos);
  CHECK(fault({"--agent-id", "a", "--heartbeat-interval", "10"})
          .find("--heartbeat-interval: expected a duration like \"10s\", got '10'")
        != std::string::npos);
  CHECK(fault({"--agent-id", "a", "--heartbeat-interval", "1ms"}).find("from 100ms to 3600s")
        != std::string::npos);
  CHECK(fault({"--agent-id", "a", "--systemd", "maybe"}).find("expected system, user or off")
        != std::string::npos);
  CHECK(fault({"--agent-id", "a", "--state-dir", "here"}).find("expected an absolute path")
        != std::string::npos);
  const variable level{"HARMONY_LOG_LEVEL", "loud"};
  CHECK(fault({"--agent-id", "a"}).find("HARMONY_LOG_LEVEL: expected debug") != std::string::npos);
}

TEST_CASE("options: a wrong file -> its line") {
  const config_file level{"\n\nlog-level = \"loud\"\n"};
  CHECK(
    fault({"--agent-id", "a", "--config", level.path()}).find("agent.toml:3: log-level: expected")
    != std::string::npos);
  const config_file unknown{"agent-id = \"a\"\nlog-levle = \"info\"\n"};
  CHECK(fault({"--config", unknown.path()}).find("agent.toml:2: log-levle: there is no such option")
        != std::string::npos);
  const config_file broken{"agent-id = \"a\"\nstore = \n"};
  CHECK(fault({"--config", broken.path()}).find("agent.toml:2:") != std::string::npos);
  const config_file table{"[store]\nurl = \"dir:/x\"\n"};
  CHECK(fault({"--agent-id", "a", "--config", table.path()}).find("agent.toml:1:")
        != std::string::npos);
  CHECK(fault({"--agent-id", "a", "--config", "/nowhere/agent.toml"}).find("/nowhere/agent.toml")
        != std::string::npos);
}

TEST_CASE("options: help and version -> text, exit code 0") {
  for (const char* flag : {"--help", "--version"}) {
    auto result = read({flag});
    REQUIRE(std::holds_alternative<early_exit>(result));
    CHECK(std::get<early_exit>(result).code == 0);
    CHECK(std::get<early_exit>(result).text.find("armony") != std::string::npos);
  }
  CHECK(fault({"--no-such-flag"}).find("no-such-flag") != std::string::npos);
}

TEST_CASE("durations: text -> milliseconds, or what was expected") {
  CHECK(parse_duration("250ms").value() == 250ms);
  CHECK(parse_duration("10s").value() == 10s);
  CHECK(parse_duration("5m").value() == 5min);
  CHECK(parse_duration("1h").value() == 1h);
  for (const char* wrong : {"", "s", "10", "-1s", "1.5s", "10 s", "1d", "99999999999999999999s"})
    CHECK_FALSE(parse_duration(wrong).ok());
}

TEST_CASE("options: check -> what could be read, and why the rest could not") {
  const auto with = [](const std::vector<const char*>& arguments) {
    return std::get<check_request>(read(arguments));
  };
  const auto fine = with({"check", "--agent-id", "a", "--podman", "off"});
  CHECK(fine.fault.empty());
  CHECK(fine.options.podman == "off");
  CHECK_FALSE(fine.as_json);
  CHECK(with({"check", "-o", "json", "--agent-id", "a"}).as_json);
  const config_file broken{"state-dir = \"/srv/s\"\nlog-level = \"loud\"\n"};
  const auto faulty = with({"check", "--config", broken.path()});
  CHECK(faulty.fault.find("agent.toml:2: log-level") != std::string::npos);
  CHECK(faulty.options.state_dir == "/srv/s");
}

} // namespace harmony::test
