#include "fleet_bed.hpp"

#include <filesystem>
#include <map>
#include <utility>

#include "identity/login.hpp"
#include "support/catch.hpp"
#include "transport/nats_login.hpp"

namespace harmony::test {

fleet_bed::fleet_bed(trust_mode mode, std::vector<std::string> more)
  : mode_(mode), more_(std::move(more)), server_(nats_server::later{}) {
  if (mode_ == trust_mode::operator_mode) {
    write_config();
    ctl({"credentials", "ann", "--admin", "--keys", keys(), "--out", path("admin.creds")});
  }
  make_device("pi-1");
  make_device("pi-2");
  if (mode_ == trust_mode::static_keys)
    write_config();
  server_.configure(config());
  server_.start();
  REQUIRE(open_as(admin())->prepare(ample));
}

// As on the device: the key is made there, and its public part alone goes to the operator.
void fleet_bed::make_device(const std::string& id) const {
  process enrolling{
    {HARMONY_AGENT, "enroll", "--agent-id", id, "--store-nkey", path(id + ".nk")}, "", {}};
  const auto line = enrolling.wait();
  INFO(line.err);
  REQUIRE(line.code == 0);
  const auto nkey = line.out.substr(id.size() + 1, 56);
  REQUIRE(line.out == id + " " + nkey + "\n");
  if (mode_ == trust_mode::operator_mode)
    ctl({"credentials", id, "--keys", keys(), "--for", nkey, "--out", path(id + ".jwt")});
  else
    write_file(path(id + ".line"), line.out);
}

void fleet_bed::write_config() {
  std::vector<std::string> command{
    "server-config",    "--listen",   "127.0.0.1:" + std::to_string(server_.port()),
    "--store-dir",      path("nats"), "--out",
    path("server.conf")};
  if (mode_ == trust_mode::operator_mode) {
    command.insert(command.end(), {"--keys", keys()});
  } else {
    std::string lines = "# the fleet\n";
    for (const char* each : {"pi-1.line", "pi-2.line", "approved.line"})
      if (std::filesystem::exists(path(each)))
        lines += read_file(path(each));
    write_file(path("devices"), lines);
    if (std::filesystem::exists(path("tokens")))
      command.insert(command.end(), {"--tokens", path("tokens")});
    const auto admin_key = ctl({"nkey", path("admin.nk")}).substr(0, 56);
    command.insert(command.end(), {"--devices", path("devices"), "--admin", admin_key});
  }
  command.insert(command.end(), more_.begin(), more_.end());
  ctl(command);
}

void fleet_bed::use(const std::vector<std::string>& more) {
  more_ = more;
  write_config();
  server_.kill();
  server_.configure(config());
  server_.start();
}

store_options fleet_bed::admin() const {
  store_options who;
  who.url = server_.url();
  if (mode_ == trust_mode::operator_mode)
    who.credentials = path("admin.creds");
  else
    who.nkey = path("admin.nk");
  return who;
}

store_options fleet_bed::device(const std::string& id) const {
  store_options who;
  who.url = server_.url();
  who.nkey = path(id + ".nk");
  if (mode_ == trust_mode::operator_mode)
    who.credentials = path(id + ".jwt");
  who.inbox_prefix = "_INBOX." + id;
  return who;
}

std::vector<std::string> fleet_bed::agent_flags(const std::string& id) const {
  const auto who = device(id);
  std::vector<std::string> flags{"--podman", "off", "--systemd", "off", "--store-nkey", who.nkey};
  if (!who.credentials.empty())
    flags.insert(flags.end(), {"--store-credentials", who.credentials});
  return flags;
}

run_result fleet_bed::try_ctl(std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin(), HARMONYCTL);
  const auto who = admin();
  return process{
    arguments,
    "",
    {{"HARMONY_STORE", who.url}, {"HARMONY_CREDS", who.credentials}, {"HARMONY_NKEY", who.nkey}}}
    .wait();
}

std::string fleet_bed::ctl(const std::vector<std::string>& arguments) const {
  const auto done = try_ctl(arguments);
  INFO(done.err);
  REQUIRE(done.code == 0);
  return done.out;
}

run_result check_config(const std::string& file) {
  return process{{nats_server::program(), "-t", "-c", file}, "", {}}.wait();
}

std::unique_ptr<store> open_as(const store_options& who) {
  auto opened = open_store(who);
  REQUIRE(opened);
  REQUIRE(states{**opened}.reaches(true));
  return std::move(*opened);
}

bare_client::bare_client(const store_options& who) {
  natsOptions* options = nullptr;
  REQUIRE(natsOptions_Create(&options) == NATS_OK);
  CHECK(natsOptions_SetURL(options, who.url.c_str()) == NATS_OK);
  CHECK(natsOptions_SetErrorHandler(
          options,
          [](natsConnection* connection, natsSubscription*, natsStatus, void* errors) {
            const char* text = nullptr;
            natsConnection_GetLastError(connection, &text);
            static_cast<mailbox<std::string>*>(errors)->put(text);
          },
          &errors_)
        == NATS_OK);
  const auto as = load_login({who.credentials, who.nkey}).value(); // see nats::set_login
  nats::login_attempt attempt{&as};
  CHECK(nats::set_login(options, &attempt) == NATS_OK);
  const auto status = nats::connect(&connection_, options, attempt);
  natsOptions_Destroy(options);
  INFO(natsStatus_GetText(status));
  REQUIRE(status == NATS_OK);
}

bare_client::~bare_client() {
  for (auto* each : subscriptions_)
    natsSubscription_Destroy(each);
  natsConnection_Destroy(connection_);
}

// Once the server has answered a ping, it has said what it had to say before.
bool bare_client::refused(const std::string& what) {
  REQUIRE(natsConnection_Flush(connection_) == NATS_OK);
  return errors_.take_until(
    [&](const std::string& text) { return text.find(what) != std::string::npos; },
    milliseconds{500});
}

bool bare_client::publish_denied(const std::string& subject) {
  publish(subject, {}, "x");
  return refused("Publish to \"" + subject + "\"");
}

bool bare_client::subscribe_denied(const std::string& subject) {
  natsSubscription* made = nullptr;
  REQUIRE(natsConnection_SubscribeSync(&made, connection_, subject.c_str()) == NATS_OK);
  subscriptions_.push_back(made);
  return refused("Subscription to \"" + subject + "\"");
}

void bare_client::publish_with(const std::string& subject, const std::string& text,
                               const std::map<std::string, std::string>& headers) {
  natsMsg* message = nullptr;
  REQUIRE(
    natsMsg_Create(&message, subject.c_str(), nullptr, text.data(), static_cast<int>(text.size()))
    == NATS_OK);
  for (const auto& [name, value] : headers)
    CHECK(natsMsgHeader_Set(message, name.c_str(), value.c_str()) == NATS_OK);
  CHECK(natsConnection_PublishMsg(connection_, message) == NATS_OK);
  CHECK(natsConnection_Flush(connection_) == NATS_OK);
  natsMsg_Destroy(message);
}

void bare_client::publish(const std::string& subject, const std::string& reply,
                          const std::string& text) {
  const auto sent = reply.empty()
                      ? natsConnection_PublishString(connection_, subject.c_str(), text.c_str())
                      : natsConnection_PublishRequestString(connection_, subject.c_str(),
                                                            reply.c_str(), text.c_str());
  REQUIRE(sent == NATS_OK);
  REQUIRE(natsConnection_Flush(connection_) == NATS_OK);
}

} // namespace harmony::test
