#include "apps/agent/enrolment_run.hpp"

#include <algorithm>
#include <chrono>
#include <istream>
#include <memory>
#include <optional>
#include <ostream>

#include "apps/agent/device_facts.hpp"
#include "apps/agent/enrolment_ending.hpp"
#include "apps/agent/identity_folder.hpp"
#include "apps/agent/wakeup.hpp"
#include "identity/enrolment.hpp"
#include "model/manifest.hpp"
#include "transport/nats_access.hpp"
#include "transport/store.hpp"

namespace harmony {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using state = enrolment_record::state;

constexpr auto call_timeout = milliseconds{5000};
constexpr auto look_again = milliseconds{5000}; // a hint may be lost
constexpr auto soon_connected = milliseconds{3000};

using ending = enrolment_ending;
template <class T>
using step = std::variant<T, ending>;

ending failed(const failure& why) {
  return {enroll_exit::failure, why.message};
}

std::chrono::sys_seconds now() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

/// Whether a call may go better later.
bool may_pass(const failure& why) {
  return why.code == ec::store_unavailable || why.code == ec::timed_out;
}

class enrolment_run {
public:
  enrolment_run(const enroll_request& what, enrolment_token token, std::ostream& out)
    : what_(what), token_(std::move(token)), out_(out), folder_(what.options.state_dir) {}

  ending run();

private:
  std::optional<ending> settle_id();
  std::optional<ending> in_the_way() const;
  outcome<std::unique_ptr<store>> open(const std::string& name, const std::string& inbox, login as);
  [[nodiscard]] ending desk_failed(const failure& why) const;
  step<enrolment_record> read_record_once();
  step<enrolment_record> next_record();
  step<nkey_pair> ask(const enrolment_record& record);
  std::optional<ending> submit(const nkey_pair& key);
  step<bool> has_asked(const nkey_pair& key);
  step<nkey_pair> key_of(const enrolment_record& approved) const;
  std::optional<ending> prove(const nkey_pair& key, const enrolment_record& approved);
  std::optional<ending> finish(const nkey_pair& key, const enrolment_record& approved);

  outcome<void> send_receipt(const std::string& receipt, const std::string& nkey);
  void say(const std::string& text) { out_ << text << "\n" << std::flush; }
  [[nodiscard]] bool over() const { return steady_clock::now() >= end_; }
  void pause() { wake_->wait_until(std::min(end_, steady_clock::now() + look_again)); }
  const enroll_request& what_;
  const enrolment_token token_;
  std::ostream& out_;
  const identity_folder folder_;
  const steady_clock::time_point begun_ = steady_clock::now();
  const steady_clock::time_point end_ = begun_ + what_.wait;
  std::string told_; ///< why it cannot be asked, as it was said last
  std::string id_;
  std::string ca_file_;
  std::shared_ptr<wakeup> wake_ = std::make_shared<wakeup>();
  std::unique_ptr<store> desk_; ///< where the token lets ask
};

std::optional<ending> enrolment_run::settle_id() {
  if (!token_.device.empty() && what_.named && token_.device != what_.agent_id)
    return ending{enroll_exit::usage, "the token is for '" + token_.device
                                        + "', and this device is called '" + what_.agent_id
                                        + "'; ask for another one, or change agent-id"};
  id_ = token_.device.empty() ? what_.agent_id : token_.device;
  if (id_.empty())
    return ending{enroll_exit::usage, "who this device is, is not known: the host name is no valid "
                                      "id and the token names none; give --agent-id"};
  return std::nullopt;
}

// What agent.toml says wins over what an enrolment brings, which would then be of no use.
std::optional<ending> enrolment_run::in_the_way() const {
  const auto wins = std::find_if(what_.set.begin(), what_.set.end(), [this](const auto& setting) {
    const auto& [name, from] = setting;
    const bool same = name == "store" && from.first == token_.store;
    return name != "agent-id" && name != "store-ca" && !same;
  });
  if (wins == what_.set.end())
    return std::nullopt;
  const auto& [value, place] = wins->second;
  return ending{enroll_exit::usage, place + " is set to '" + value
                                      + "', which would win over what the token brings; take it "
                                        "out and run this again"};
}

outcome<std::unique_ptr<store>> enrolment_run::open(const std::string& name,
                                                    const std::string& inbox, login as) {
  store_options how;
  how.url = token_.store;
  how.name = name;
  how.as = [as = std::move(as)]() -> outcome<login> { return as; };
  how.ca_file = ca_file_;
  how.cert_file = what_.options.store_cert;
  how.key_file = what_.options.store_key;
  how.inbox_prefix = "_INBOX." + inbox;
  auto opened = open_store(how);
  if (opened)
    (*opened)->watch_connection([wake = wake_](bool, const std::string&) { wake->raise(); });
  return opened;
}

step<enrolment_record> enrolment_run::read_record_once() {
  const auto entry = desk_->get(bucket::enrolment, token_.id(), call_timeout);
  const bool refused = !entry && entry.error().code == ec::store_denied;
  if (refused)
    if (auto ended = ended_by_refusal(token_, entry.error().message, now(), over()))
      return *ended;
  if (!entry && (refused || may_pass(entry.error())) && !over()) {
    const auto why = refused ? "the server does not take this token: its configuration does not "
                               "have it yet, or no longer; waiting for 'harmonyctl server-config "
                               "--tokens' and a reload of the server"
                             : entry.error().message;
    if (steady_clock::now() > begun_ + soon_connected && told_ != why)
      say(told_ = why);
    return enrolment_record{}; // of no time yet
  }
  if (!entry)
    return failed(entry.error());
  if (!*entry)
    return token_of_no_use("the store knows nothing of this token (" + token_.id() + ")");
  const auto record = read_record((*entry)->value);
  if (!record)
    return failed(record.error());
  // What was turned down may be the key: the next request is made with a new one.
  if (record->is == state::denied)
    if (const auto dropped = folder_.drop_pending(); !dropped)
      say(dropped.error().message);
  if (auto ended = ended_by(*record, token_, now()))
    return *ended;
  return *record;
}

/// The record, as soon as the store can be asked.
step<enrolment_record> enrolment_run::next_record() {
  for (;;) {
    auto got = read_record_once();
    const auto* record = std::get_if<enrolment_record>(&got);
    if (record == nullptr || record->expires != enrolment_record::timestamp{})
      return got;
    pause();
  }
}

/// A call by the token has failed for good.
ending enrolment_run::desk_failed(const failure& why) const {
  if (why.code == ec::store_denied)
    if (auto ended = ended_by_refusal(token_, why.message, now(), true))
      return *ended;
  return failed(why);
}

/// Whether this device has asked already; an ending where another has.
step<bool> enrolment_run::has_asked(const nkey_pair& key) {
  auto entry = desk_->get(bucket::enrolment_request, token_.id(), call_timeout);
  while (!entry && may_pass(entry.error()) && !over()) {
    pause();
    entry = desk_->get(bucket::enrolment_request, token_.id(), call_timeout);
  }
  if (!entry)
    return desk_failed(entry.error());
  if (!*entry)
    return false;
  const auto stored = read_request((*entry)->value);
  const bool own = stored && stored->nkey == key.public_key();
  if (own && stored->device == id_)
    return true;
  if (own)
    return ending{enroll_exit::refused, "this device has asked with this token to be '"
                                          + stored->device
                                          + "', and a token is good for one request: go on with "
                                            "--agent-id "
                                          + stored->device + ", or " + ask_for_another};
  const auto by = stored
                    ? ", by '" + stored->device + "' with the key " + fingerprint_of(stored->nkey)
                    : std::string{};
  return token_of_no_use("the token was used before" + by
                         + ": it is good for one device. Where you did not expect that, tell your "
                           "operator, who can deny that request");
}

// Whoever writes first has the token; the server refuses every other.
std::optional<ending> enrolment_run::submit(const nkey_pair& key) {
  const auto former = folder_.current();
  if (!former)
    return failed(former.error());
  const enrolment_request request{token_.id(), id_, key.public_key(), {}, short_facts()};
  const auto text = sign_request(request, key, *former ? &**former : nullptr, now());
  if (!text)
    return failed(text.error());
  for (;;) {
    const auto asked = has_asked(key);
    if (const auto* ended = std::get_if<ending>(&asked))
      return *ended;
    if (std::get<bool>(asked))
      return std::nullopt;
    const auto put = desk_->put(bucket::enrolment_request, token_.id(), *text, 0, call_timeout);
    if (put)
      return std::nullopt;
    const bool raced = put.error().code == ec::conflict;
    if (over() || !(raced || may_pass(put.error())))
      return desk_failed(put.error());
    if (!raced)
      pause();
  }
}

/// Asks, and waits until the answer is yes.
step<nkey_pair> enrolment_run::ask(const enrolment_record& record) {
  auto key = folder_.make_pending();
  if (!key)
    return failed(key.error());
  if (auto ended = submit(*key))
    return *ended;
  const auto print = fingerprint_of(key->public_key());
  say("'" + id_ + "' asks '" + token_.store + "' to be let in\nkey fingerprint: " + print
      + "\nwaiting for an operator: harmonyctl approve " + id_ + " --fingerprint " + print
      + "\nthe token is good until " + format_time(record.expires));
  for (;;) {
    auto got = next_record();
    if (const auto* ended = std::get_if<ending>(&got))
      return *ended;
    if (std::get<enrolment_record>(got).is == state::approved)
      return std::move(*key);
    if (over())
      return ending{enroll_exit::timeout, "no operator has answered in time; the request stands, "
                                          "and the same command goes on waiting"};
    pause();
  }
}

step<nkey_pair> enrolment_run::key_of(const enrolment_record& approved) const {
  for (auto key : {folder_.pending(), folder_.current()}) {
    if (!key)
      return failed(key.error());
    if (*key && (*key)->public_key() == approved.nkey)
      return std::move(**key);
  }
  return token_of_no_use("the token was used before: '" + approved.device
                         + "' was let in by it with the key " + fingerprint_of(approved.nkey)
                         + ", which this device does not have");
}

// A read of its own manifest: only who is let in as this very device has an answer.
std::optional<ending> enrolment_run::prove(const nkey_pair& key, const enrolment_record& approved) {
  auto opened = open("harmony-agent " + id_ + " enrolling", id_,
                     {approved.jwt, std::make_shared<nkey_pair>(key)});
  if (!opened)
    return failed(opened.error());
  bool told = false;
  for (;;) {
    const auto own = (*opened)->get(bucket::desired_state, id_, call_timeout);
    if (own || own.error().code == ec::bucket_not_found)
      return std::nullopt;
    const bool refused = own.error().code == ec::store_denied;
    if (!may_pass(own.error()) && !(refused && approved.jwt.empty()))
      return ending{enroll_exit::failure, "approved, but what was delivered does not let this "
                                          "device in: "
                                            + own.error().message};
    if (refused && !std::exchange(told, true))
      say("approved; waiting until the server's configuration has this device's key");
    if (over())
      return ending{enroll_exit::timeout, "approved, but not let in yet: " + own.error().message
                                            + "; the same command goes on waiting"};
    pause();
  }
}

std::optional<ending> enrolment_run::finish(const nkey_pair& key,
                                            const enrolment_record& approved) {
  if (const auto kept = folder_.adopt(key, {id_, token_.store, ca_file_, approved.jwt}); !kept)
    return failed(kept.error());
  const auto receipt = sign_receipt(token_.id(), key, now());
  if (!receipt)
    return failed(receipt.error());
  auto sent = send_receipt(*receipt, key.public_key());
  while (!sent && may_pass(sent.error()) && !over()) { // a reload of the server cuts the connection
    pause();
    sent = send_receipt(*receipt, key.public_key());
  }
  if (!sent) // it is let in all the same
    say("the operator could not be told: " + sent.error().message);
  return std::nullopt;
}

outcome<void> enrolment_run::send_receipt(const std::string& receipt, const std::string& nkey) {
  const auto at = nats::receipt_key(token_.id());
  const auto before = desk_->get(bucket::enrolment_request, at, call_timeout);
  if (!before)
    return before.error();
  if (*before && is_receipt((*before)->value, token_.id(), nkey))
    return {};
  if (*before)
    return {ec::conflict, "somebody else with this token has written where this device would say "
                          "so; after a rotation the former key is turned out with 'harmonyctl "
                          "revoke "
                            + id_ + " --for KEY'"};
  if (const auto put = desk_->put(bucket::enrolment_request, at, receipt, 0, call_timeout); !put)
    return put.error();
  return {};
}

ending enrolment_run::run() {
  if (auto ended = settle_id())
    return *ended;
  if (auto ended = in_the_way())
    return *ended;
  const auto ca = what_.set.find("store-ca");
  ca_file_ = ca != what_.set.end() ? ca->second.first : std::string{};
  if (ca_file_.empty() && !token_.ca.empty()) {
    auto kept = folder_.keep_ca(token_.ca);
    if (!kept)
      return failed(kept.error());
    ca_file_ = std::move(*kept);
  }
  auto desk = open("harmony-agent enroll " + token_.id(), token_.id(),
                   {token_.jwt, std::make_shared<nkey_pair>(token_.key)});
  if (!desk)
    return failed(desk.error());
  desk_ = std::move(*desk);
  const auto hints = desk_->watch(bucket::enrolment, token_.id(),
                                  [wake = wake_](const std::string&) { wake->raise(); });
  if (!hints)
    return failed(hints.error());
  auto first = next_record();
  if (const auto* ended = std::get_if<ending>(&first))
    return *ended;
  auto record = std::get<enrolment_record>(std::move(first));
  if (!record.device.empty() && record.device != id_)
    return {enroll_exit::refused, "the token is for '" + record.device + "' alone"};
  auto key = record.is == state::approved ? key_of(record) : ask(record);
  if (const auto* ended = std::get_if<ending>(&key))
    return *ended;
  if (record.is != state::approved) {
    auto again = next_record();
    if (const auto* ended = std::get_if<ending>(&again))
      return *ended;
    record = std::get<enrolment_record>(std::move(again));
    key = key_of(record); // an operator may have approved another's than this device has now
    if (const auto* ended = std::get_if<ending>(&key))
      return *ended;
  }
  const auto& own = std::get<nkey_pair>(key);
  if (auto ended = prove(own, record))
    return *ended;
  if (auto ended = finish(own, record))
    return *ended;
  say("enrolled: '" + id_ + "' was let in, key " + fingerprint_of(own.public_key())
      + "\nidentity in '" + folder_.path()
      + "'; the agent uses it from its next start: systemctl restart harmony-agent");
  return {};
}

} // namespace

int enroll_by_token(const enroll_request& what, std::istream& in, std::ostream& out,
                    std::ostream& err) {
  auto text = what.token;
  if (text == "-" && !(in >> text))
    text.clear();
  auto token = read_token(text);
  const auto end = token ? enrolment_run{what, std::move(*token), out}.run()
                         : ending{enroll_exit::usage, token.error().message};
  if (!end.why.empty())
    err << "harmony-agent: enroll: " << end.why << "\n";
  return static_cast<int>(end.code);
}

} // namespace harmony
