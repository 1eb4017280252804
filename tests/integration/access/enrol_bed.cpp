#include "enrol_bed.hpp"

#include <csignal>
#include <filesystem>
#include <sys/stat.h>

#include "apps/agent/identity_folder.hpp"
#include "identity/login.hpp"
#include "support/catch.hpp"
#include "support/eventually.hpp"

namespace harmony::test {

std::string enrol_bed::token(std::vector<std::string> more) {
  more.insert(more.begin(), {"enroll-token", "create"});
  if (fleet.has_jwts())
    more.insert(more.end(), {"--keys", fleet.keys()});
  else
    more.insert(more.end(), {"--tokens", fleet.path("tokens")});
  auto text = fleet.ctl(more);
  REQUIRE(text.back() == '\n');
  text.pop_back();
  tell_server();
  return text;
}

std::vector<std::string> enrol_bed::approve(const std::string& which,
                                            std::vector<std::string> more) const {
  more.insert(more.begin(), {"approve", which});
  if (fleet.has_jwts())
    more.insert(more.end(), {"--keys", fleet.keys()});
  else
    more.insert(more.end(), {"--devices", fleet.path("approved.line")});
  return more;
}

void enrol_bed::let_in(const std::string& which, std::vector<std::string> more) {
  more.emplace_back("-y");
  fleet.ctl(approve(which, more));
  tell_server();
}

void enrol_bed::tell_server() {
  if (fleet.has_jwts())
    return;
  fleet.write_config();
  auto config = fleet.config();
  if (!missing.empty()) {
    const auto at = config.find("            \"" + missing + "\"\n");
    REQUIRE(at != std::string::npos);
    config.erase(at, config.find('\n', at) + 1 - at);
  }
  fleet.server().reload(config);
}

ctl::json enrol_bed::enrolments() const {
  return ctl::json::parse(fleet.ctl({"enrolments", "-o", "json"}));
}

std::string enrol_bed::standing(const std::string& device) const {
  for (const auto& row : enrolments())
    if (row["device"] == device)
      return row["state"];
  return {};
}

bool enrol_bed::reaches(const std::string& device, const std::string& wanted) const {
  return eventually([&] { return standing(device) == wanted; }, patience);
}

store_options enrol_bed::holder(const std::string& text) const {
  const auto token = read_token(text).value();
  store_options who;
  who.url = token.store;
  who.inbox_prefix = "_INBOX." + token.id();
  const auto file = fleet.path(token.id());
  write_file(file, token.jwt.empty() ? token.key.seed() + "\n" : creds_text(token.jwt, token.key));
  ::chmod(file.c_str(), 0600);
  (token.jwt.empty() ? who.nkey : who.credentials) = file;
  return who;
}

void new_device::enrol(const std::string& token, const std::string& wait,
                       const std::map<std::string, std::string>& environment) {
  std::vector<std::string> command{HARMONY_AGENT, "enroll", "--token",     "-",
                                   "--wait",      wait,     "--state-dir", state()};
  if (!id_.empty())
    command.insert(command.end(), {"--agent-id", id_});
  process_ = std::make_unique<process>(command, token + "\n", environment);
}

std::string new_device::asked() {
  REQUIRE(process_->printed("waiting for an operator"));
  const auto key = identity_folder{state()}.pending().value();
  REQUIRE(key);
  auto print = fingerprint_of(key->public_key());
  REQUIRE(process_->printed("key fingerprint: " + print));
  return print;
}

void new_device::kill() {
  process_->signal(SIGKILL);
  REQUIRE(process_->wait().code == 128 + SIGKILL);
}

nkey_pair new_device::key() const {
  auto key = identity_folder{state()}.current().value();
  REQUIRE(key);
  return *key;
}

store_options new_device::login(const enrol_bed& at, const std::string& id) const {
  store_options who;
  who.url = at.fleet.admin().url;
  who.inbox_prefix = "_INBOX." + id;
  (at.fleet.has_jwts() ? who.credentials : who.nkey) =
    identity(at.fleet.has_jwts() ? "device.creds" : "device.nk");
  return who;
}

} // namespace harmony::test
