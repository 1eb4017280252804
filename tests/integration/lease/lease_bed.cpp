#include "lease_bed.hpp"

namespace harmony::test {

fo::lease_record record_of(const std::string& holder, std::uint64_t epoch, std::uint64_t nonce) {
  fo::lease_record r;
  r.epoch = epoch;
  r.holder = r.primary = holder;
  r.incarnation = "boot-" + holder;
  r.nonce = nonce;
  r.state = fo::lease_state::held;
  r.lease_ms = 3000;
  r.system_id = 7;
  r.timeline = 1;
  r.reserved = 1;
  return r;
}

fo::member_heartbeat beat_of(const std::string& node, std::uint64_t number) {
  fo::member_heartbeat b;
  b.node = node;
  b.incarnation = "boot-" + node;
  b.beat = number;
  b.timeline = 1;
  return b;
}

fo::timings patient() {
  fo::timings t;
  t.request = milliseconds{2000};
  return t;
}

lease_member::lease_member(const std::string& url, const std::string& node, fo::timings periods) {
  lease_store_options options;
  options.how.url = url;
  options.how.name = "lease test " + node;
  options.cluster = cluster_name;
  options.node = node;
  options.periods = periods;
  open(std::move(options));
}

lease_member::lease_member(lease_store_options options) {
  open(std::move(options));
}

void lease_member::open(lease_store_options options) {
  options.log = [log = log_](const std::string& text) { log->put(text); };
  auto made = nats_lease_store::make(std::move(options));
  if (!made)
    throw std::runtime_error{made.error().message};
  store_ = std::move(*made);
  store_->open([events = events_](const fo::event& e) { events->put(e); });
}

fo::event lease_member::cas(std::uint64_t connection, std::uint64_t expected,
                            fo::lease_record record) {
  const auto request = ++requests_;
  store_->cas({request, connection, expected, std::move(record)});
  fo::event answer;
  const bool came = events_->take_until([&](const fo::event& e) {
    const auto* done = std::get_if<ev::cas_done>(&e);
    const auto* wrong = std::get_if<ev::cas_wrong_sequence>(&e);
    const auto* failed = std::get_if<ev::request_failed>(&e);
    answer = e;
    return (done != nullptr && done->request == request)
           || (wrong != nullptr && wrong->request == request)
           || (failed != nullptr && failed->request == request);
  });
  return came ? answer : fo::event{ev::tick{}};
}

fo::event lease_member::read(std::uint64_t connection) {
  const auto request = ++requests_;
  store_->read({request, connection});
  fo::event answer;
  const bool came = events_->take_until([&](const fo::event& e) {
    const auto* is = std::get_if<ev::record_read>(&e);
    const auto* failed = std::get_if<ev::request_failed>(&e);
    answer = e;
    return (is != nullptr && is->request == request)
           || (failed != nullptr && failed->request == request);
  });
  return came ? answer : fo::event{ev::tick{}};
}

bool lease_member::says(const std::string& part) {
  return log_->take_until(
    [&](const std::string& text) { return text.find(part) != std::string::npos; });
}

stranger::stranger(const std::string& url) {
  if (natsConnection_ConnectTo(&connection_, url.c_str()) != NATS_OK
      || natsConnection_JetStream(&context_, connection_, nullptr) != NATS_OK)
    throw std::runtime_error{"cannot connect to " + url};
}

stranger::~stranger() {
  jsCtx_Destroy(context_);
  natsConnection_Destroy(connection_);
}

void stranger::put(const std::string& subject, const std::string& text, bool deletion) {
  natsMsg* message = nullptr;
  natsMsg_Create(&message, subject.c_str(), nullptr, text.data(), static_cast<int>(text.size()));
  if (deletion)
    natsMsgHeader_Set(message, "KV-Operation", "DEL");
  const auto status = js_PublishMsg(nullptr, context_, message, nullptr, nullptr);
  natsMsg_Destroy(message);
  if (status != NATS_OK)
    throw std::runtime_error{"cannot write " + subject};
}

void stranger::say(const std::string& subject, const std::string& text) {
  natsConnection_PublishString(connection_, subject.c_str(), text.c_str());
  natsConnection_Flush(connection_);
}

} // namespace harmony::test
