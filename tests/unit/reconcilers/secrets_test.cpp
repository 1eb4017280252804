#include "reconcilers/secrets.hpp"

#include <map>

#include "container_bench.hpp"
#include "file_fixture.hpp"
#include "support/catch.hpp"

namespace harmony::test {

namespace {

using Catch::Contains;

/// Secrets that a test sets, whatever their source.
class set_secrets final : public secret_port {
public:
  std::map<std::string, std::string> values;
  bool keyless = false;

  outcome<secret_bytes> read(const secret_ref& ref, const resource_id& /*user*/) override {
    const auto found = values.find(ref.what);
    if (found == values.end())
      return {ec::secret_unavailable, ref.str() + " is not there"};
    return secret_bytes{std::string{found->second}};
  }
  outcome<std::string> mark(std::string_view value) override {
    if (keyless)
      return {ec::secret_unavailable, "no key"};
    return "mark" + std::to_string(std::hash<std::string_view>{}(value));
  }
  std::string stamp(const secret_ref& ref) override {
    const auto found = values.find(ref.what);
    return found == values.end() ? std::string{} : found->second;
  }
};

/// A driver behind the secrets, and what it works on.
template <class Reconciler, class Topology>
struct behind_secrets {
  std::shared_ptr<set_secrets> secrets = std::make_shared<set_secrets>();
  std::shared_ptr<secret_uses> uses = std::make_shared<secret_uses>(secrets);
  secret_driver subject;

  explicit behind_secrets(Topology& on)
    : subject(std::make_shared<driver_of<Reconciler>>(on), secrets, uses) {}
};

struct secret_file : behind_secrets<file_reconciler<posix_device>, posix_device> {
  file_world world;
  plain_inventory owned;
  op_context ctx{"pi-0042", owned, {}};
  desired<resource_spec> want{{"File", "key"}, file_spec{}, "sha256:r", {}};

  explicit secret_file(posix_device& on) : behind_secrets(on) {
    auto& spec = std::get<file_spec>(want.spec);
    spec.path = world / "key";
    spec.mode = "0600";
    spec.secret = secret_ref{secret_source::file, "tls"};
    secrets->values["tls"] = "s3cret-one";
  }

  outcome<observation> look() { return subject.observe(want, ctx); }
  void converge() {
    const auto seen = look();
    REQUIRE(seen);
    REQUIRE_FALSE(seen->obstacle);
    REQUIRE(subject.apply(want, seen->changes, ctx));
    REQUIRE(look()->changes.empty());
  }
};

/// All that is told of a look.
std::string told(const observation& seen) {
  return describe(seen.changes) + (seen.obstacle ? seen.obstacle->message : "");
}

std::string present_at(const observation& seen) {
  return std::get<file_state>(seen.state).present_at;
}

} // namespace

TEST_CASE("secret driver: File -> the value in the file, and no hash of it in what is told") {
  posix_device device;
  secret_file it{device};
  const auto first = it.look();
  REQUIRE(first);
  CHECK(told(*first).find("sha256") == std::string::npos);
  CHECK_THAT(told(*first), Contains("secret"));
  it.converge();
  CHECK(it.world.read("key") == "s3cret-one");
  CHECK(it.world.mode("key") == 0600);
  CHECK(present_at(*it.look()) == "secret");
  it.secrets->values["tls"] = "s3cret-two";
  const auto changed = it.look();
  REQUIRE(changed->changes.size() == 1);
  CHECK(changed->changes.front() == change{action::update, "content", "another", "secret"});
  it.converge();
  CHECK(it.world.read("key") == "s3cret-two");
}

TEST_CASE("secret driver: value gone -> SecretUnavailable, and what is there stays") {
  posix_device device;
  secret_file it{device};
  it.converge();
  it.secrets->values.clear();
  const auto seen = it.look();
  REQUIRE(seen);
  CHECK(seen->changes.empty());
  REQUIRE(seen->obstacle);
  CHECK(*seen->obstacle == failure{ec::secret_unavailable, "secret file 'tls' is not there"});
  CHECK(present_at(*seen) == "secret");
  const auto done = it.subject.apply(it.want, {{action::update, "content", {}, {}}}, it.ctx);
  REQUIRE_FALSE(done);
  CHECK(done.error().code == ec::secret_unavailable);
  CHECK(it.world.read("key") == "s3cret-one");
}

TEST_CASE("secret driver: secret may have changed -> another fingerprint of its target alone") {
  posix_device device;
  secret_file it{device};
  class one_fact final : public runtime_monitor {
  public:
    explicit one_fact(std::string target) : target_(std::move(target)) {}
    void start(on_hint) override {}
    void stop() override {}
    void watch(std::vector<std::string>) override {}
    outcome<std::vector<runtime_fact>> relist(std::chrono::milliseconds) override {
      return std::vector<runtime_fact>{{target_, "f"}, {"other", "f"}};
    }
    [[nodiscard]] bool streaming() const override { return true; }

  private:
    std::string target_;
  };
  secret_monitor monitor{std::make_shared<one_fact>(it.world / "key"), it.uses};
  const auto now = [&] { return monitor.relist(std::chrono::milliseconds{1}).value(); };
  it.converge();
  const auto before = now();
  CHECK(now() == before);
  it.secrets->values["tls"] = "s3cret-two";
  CHECK(now()[0] != before[0]);
  CHECK(now()[1] == before[1]);
  it.secrets->values.clear();
  CHECK(now()[0] != before[0]);
  REQUIRE(it.subject.remove({it.want.id, it.world / "key"}, it.ctx));
  CHECK(now()[0].fingerprint == "f");
}

namespace containers {

namespace {

struct secret_container : behind_secrets<container_reconciler<device>, device> {
  bench& at;
  desired<resource_spec> want;

  explicit secret_container(bench& on) : behind_secrets(on.topology), at(on) {
    const auto plain = want_of();
    want = {plain.id, plain.spec, plain.revision, {}};
    auto& spec = std::get<container_spec>(want.spec);
    spec.env["MODE"] = "x";
    spec.secret_env["PASSWORD"] = secret_ref{secret_source::file, "db"};
    spec.secret_env["TOKEN"] = secret_ref{secret_source::credential, "token"};
    secrets->values = {{"db", "s3cret-db\n"}, {"token", "s3cret-token"}};
  }

  outcome<observation> look() {
    auto ctx = at.ctx();
    return subject.observe(want, ctx);
  }
  void converge() {
    const auto seen = look();
    REQUIRE(seen);
    REQUIRE_FALSE(seen->obstacle);
    auto ctx = at.ctx();
    REQUIRE(subject.apply(want, seen->changes, ctx));
    REQUIRE(look()->changes.empty());
  }
  [[nodiscard]] std::string env(const std::string& variable) const {
    const auto& ref = at.runtime.specs.at(name).secret_env.at(variable);
    return ref.value ? std::string{ref.value->reveal()} : "(none)";
  }
};

} // namespace

TEST_CASE("secret driver: Container -> values in its environment, a mark of them in its labels") {
  bench on;
  secret_container it{on};
  it.converge();
  CHECK(it.env("PASSWORD") == "s3cret-db"); // without the line break of an editor
  CHECK(it.env("TOKEN") == "s3cret-token");
  for (const auto& [label, value] : on.runtime.all.at(name).labels)
    CHECK_THAT(label + value, !Contains("s3cret"));
  on.runtime.log.clear();
  it.converge();
  CHECK(on.runtime.log.empty());
}

TEST_CASE("secret driver: one value changes -> the container is replaced, once") {
  bench on;
  secret_container it{on};
  it.converge();
  it.secrets->values["token"] = "s3cret-new";
  const auto seen = it.look();
  REQUIRE(seen->changes.size() == 1);
  CHECK(seen->changes.front().what == action::replace);
  CHECK_THAT(told(*seen), !Contains("s3cret"));
  it.converge();
  CHECK(it.env("TOKEN") == "s3cret-new");
}

TEST_CASE("secret driver: value or key gone -> SecretUnavailable, and the container runs on") {
  bench on;
  secret_container it{on};
  it.converge();
  SECTION("a value") {
    it.secrets->values.erase("token");
  }
  SECTION("the key") {
    it.secrets->keyless = true;
  }
  SECTION("a value that is no text") {
    it.secrets->values["token"] = "s3cret\xFF";
  }
  SECTION("a value with a NUL") {
    it.secrets->values["token"] = std::string{"s3cret\0x", 8};
  }
  on.runtime.log.clear();
  const auto seen = it.look();
  REQUIRE(seen);
  CHECK(seen->changes.empty());
  REQUIRE(seen->obstacle);
  CHECK(seen->obstacle->code == ec::secret_unavailable);
  CHECK_THAT(told(*seen), !Contains("s3cret"));
  CHECK(std::holds_alternative<container_running>(std::get<container_state>(seen->state).state));
  auto ctx = on.ctx();
  CHECK_FALSE(it.subject.apply(it.want, {{action::replace, "revision", "a", "b"}}, ctx));
  CHECK(on.runtime.log.empty());
}

TEST_CASE("secret driver: a program prints a secret before it ends -> not in what is told") {
  bench on;
  secret_container it{on};
  it.converge();
  on.runtime.words = "login with s3cret-token failed";
  on.runtime.all.at(name).status = container_status::exited;
  const auto seen = it.look();
  REQUIRE(seen);
  CHECK_THAT(told(*seen), Contains("login with (secret) failed"));
  auto ctx = on.ctx();
  const auto why = it.subject.why_ended(it.want, ctx);
  REQUIRE(why);
  CHECK_THAT(why->message, Contains("login with (secret) failed"));
}

} // namespace containers

} // namespace harmony::test
