// The agent itself where the server asks its clients for certificates.
#include <optional>
#include <sys/stat.h>

#include "fleet_bed.hpp"
#include "integration/hostile/certificate.hpp"
#include "support/agent_process.hpp"
#include "support/catch.hpp"
#include "support/eventually.hpp"

namespace harmony::test {

namespace {

/// A fleet over mutual TLS, and an agent whose agent.toml names a certificate that is yet to be
/// put there. The operator is let in all along.
class mutual_tls_bed {
public:
  explicit mutual_tls_bed(bool with_certificate = true)
    : server_(make("server")), operator_(make("operator")), fleet_(trust_mode::operator_mode) {
    let_in({});
    write_config(with_certificate);
    agent_.emplace(HARMONY_AGENT, std::vector<std::string>{"--config", path("agent.toml")},
                   as_operator());
  }

  [[nodiscard]] certificate_files make(const std::string& name) const {
    auto made = make_certificate(folder_.str(), name);
    ::chmod(made.key.c_str(), 0600);
    return made;
  }

  /// The server takes the operator's certificate and those of this authority from now on; it is
  /// started anew.
  void let_in(const std::string& authority) {
    write_file(path("clients.pem"), read_file(operator_.certificate) + authority);
    fleet_.use({"--tls-cert", server_.certificate, "--tls-key", server_.key, "--tls-ca",
                path("clients.pem")});
  }

  /// Puts a certificate and its key where the agent looks for them.
  void install(const certificate_files& of) const {
    write_file(path("own.key"), read_file(of.key));
    ::chmod(path("own.key").c_str(), 0600);
    write_file(path("own.pem"), read_file(of.certificate));
  }

  /// Whether the next generation comes to the device.
  bool delivers(const std::string& content) {
    REQUIRE(
      eventually([&] { return agent().link().get(bucket::desired_state, "pi-1", ample).ok(); },
                 patience)); // the operator's own connection, after the server's restart
    agent().apply(R"({"kind":"File","name":"a","spec":{"path":")" + path("a") + R"(","content":")"
                  + content + R"("}})");
    return agent().converged() && read_file(path("a")) == content;
  }

  /// What `harmony-agent check` says.
  [[nodiscard]] std::string doctor() const {
    return process{
      {HARMONY_AGENT, "check", "--agent-id", "pi-1", "--config", path("agent.toml")}, "", {}}
      .wait()
      .out;
  }

  agent_process& agent() { return *agent_; }
  [[nodiscard]] std::string path(const std::string& name) const {
    return (folder_ / name).string();
  }

private:
  [[nodiscard]] store_options as_operator() {
    auto who = fleet_.admin();
    who.url = "tls://127.0.0.1:" + std::to_string(fleet_.server().port());
    who.ca_file = server_.certificate;
    who.cert_file = operator_.certificate;
    who.key_file = operator_.key;
    return who;
  }

  void write_config(bool with_certificate) const {
    const auto who = fleet_.device("pi-1");
    const auto line = [](const char* name, const std::string& value) {
      return std::string{name} + " = \"" + value + "\"\n";
    };
    auto text = line("store-nkey", who.nkey) + line("store-credentials", who.credentials)
                + line("store-ca", server_.certificate) + line("podman", "off")
                + line("systemd", "off");
    if (with_certificate)
      text += line("store-cert", path("own.pem")) + line("store-key", path("own.key"));
    write_file(path("agent.toml"), text);
  }

  temp_dir folder_;
  certificate_files server_;
  certificate_files operator_;
  fleet_bed fleet_;
  std::optional<agent_process> agent_;
};

} // namespace

TEST_CASE("access: agent over mutual TLS -> refused without a certificate and with a foreign one, "
          "and says why; the right one is put there -> in without a restart") {
  mutual_tls_bed bed;
  const auto device = bed.make("device");
  bed.let_in(read_file(device.certificate));
  SECTION("named in agent.toml, and not there") {
    bed.agent().start();
    CHECK(bed.agent().logged("cannot read '" + bed.path("own.key") + "': No such file"));
  }
  SECTION("of another authority") {
    bed.install(bed.make("stranger"));
    bed.agent().start();
    CHECK(bed.agent().logged("the server may not take the certificate in '" + bed.path("own.pem")));
  }
  SECTION("its key is open to others") {
    bed.install(device);
    ::chmod(bed.path("own.key").c_str(), 0640);
    bed.agent().start();
    CHECK(bed.agent().logged("chmod 0600 " + bed.path("own.key")));
  }
  bed.install(device);
  CHECK(bed.delivers("one"));
  CHECK(bed.doctor().find("WARN certificate    will end in ") != std::string::npos); // within hours
}

TEST_CASE(
  "access: doctor where the certificate is another's, its key open or not its own -> said") {
  mutual_tls_bed bed;
  const auto says = [&](const std::string& text) {
    const auto said = bed.doctor();
    INFO(said);
    CHECK(said.find(text) != std::string::npos);
  };
  says("FAIL certificate    cannot read '" + bed.path("own.pem") + "'");
  bed.install(bed.make("device"));
  ::chmod(bed.path("own.key").c_str(), 0640);
  says("chmod 0600 " + bed.path("own.key"));
  write_file(bed.path("own.key"), read_file(bed.make("other").key));
  ::chmod(bed.path("own.key").c_str(), 0600);
  says("is not that of the certificate in '" + bed.path("own.pem") + "'");
  write_file(bed.path("own.key"), "rubbish");
  says("there is no key (PEM, without a passphrase) in '" + bed.path("own.key") + "'");
  write_file(bed.path("own.pem"), "rubbish");
  says("there is no certificate (PEM) in '" + bed.path("own.pem") + "'");
}

TEST_CASE("access: agent with no certificate where one is asked for -> refused, and says why") {
  mutual_tls_bed bed{false};
  bed.agent().start();
  CHECK(bed.agent().logged("want a certificate of this client, and none is configured"));
}

TEST_CASE(
  "access: agent whose certificate is no longer taken -> out, what runs, runs on; the files "
  "are renewed -> in again without a restart") {
  mutual_tls_bed bed;
  const auto first = bed.make("first");
  const auto second = bed.make("second");
  bed.let_in(read_file(first.certificate));
  bed.install(first);
  bed.agent().start();
  REQUIRE(bed.delivers("one"));
  bed.let_in(read_file(second.certificate));
  CHECK(bed.agent().logged("the server may not take the certificate in '" + bed.path("own.pem")));
  CHECK(read_file(bed.path("a")) == "one");
  bed.install(second);
  CHECK(bed.delivers("two"));
}

} // namespace harmony::test
