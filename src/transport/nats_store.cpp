#include "transport/nats_store.hpp"

#include <array>
#include <cstdio>
#include <random>
#include <utility>

#include "fault/fault.hpp"
#include "transport/nats_buckets.hpp"
#include "transport/nats_errors.hpp"
#include "transport/store_rules.hpp"

namespace harmony {

namespace {

using nats::link;
using std::chrono::steady_clock;

constexpr auto beat_timeout = std::chrono::milliseconds{1000};
constexpr auto reply_timeout = std::chrono::milliseconds{1000};

/// What only wants to know that something changed.
nats::on_incoming key_of_each(store::on_change sink) {
  return [sink = std::move(sink)](const nats::incoming& what) { sink(what.key); };
}

std::string make_nonce() {
  std::random_device random;
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), "%08x%08x%08x", random(), random(), random());
  return text.data();
}

/// One attempt at a write.
struct attempt {
  const std::string& subject;
  const std::string& value;
  const std::string& message_id;
  bool deletion;
  std::uint64_t after; ///< the key's last sequence; 0: none
};

struct attempt_result {
  natsStatus status = NATS_OK;
  jsErrCode error{};
  std::uint64_t sequence = 0;
};

attempt_result publish(const nats::session& made, const attempt& what, link::deadline until) {
  jsPubOptions options;
  jsPubOptions_Init(&options);
  options.MaxWait = nats::left_until(until);
  options.MsgId = what.message_id.c_str();
  options.ExpectLastSubjectSeq = what.after;
  options.ExpectNoMessage = what.after == 0;
  attempt_result result;
  natsMsg* raw = nullptr;
  result.status = natsMsg_Create(&raw, what.subject.c_str(), nullptr, what.value.data(),
                                 static_cast<int>(what.value.size()));
  const nats::msg_ptr message{raw};
  if (result.status == NATS_OK && what.deletion)
    result.status = natsMsgHeader_Set(raw, "KV-Operation", "DEL");
  if (result.status != NATS_OK)
    return result;
  jsPubAck* ack = nullptr;
  result.status = js_PublishMsg(&ack, made.jetstream(), raw, &options, &result.error);
  const nats::pub_ack_ptr owned{ack};
  if (ack != nullptr)
    result.sequence = ack->Sequence;
  return result;
}

} // namespace

nats_store::nats_store(const store_options& options, std::vector<nats::server> servers)
  : link_(std::make_shared<nats::link>(options, std::move(servers))), nonce_(make_nonce()) {
  link_->start();
}

nats_store::~nats_store() {
  link_->close();
}

outcome<void> nats_store::prepare(milliseconds timeout) {
  return link_->call<void>({timeout, {"$JS.API."}},
                           [](const link::session_ptr& made, link::deadline until) {
                             return nats::make_streams(*made, until);
                           });
}

outcome<std::optional<store_entry>> nats_store::get(bucket b, std::string_view key,
                                                    milliseconds timeout) {
  if (auto good = check_key(key); !good)
    return good.error();
  using found = std::optional<store_entry>;
  const auto stream = nats::stream_of(b);
  const auto subject = nats::subject_prefix_of(b) + std::string{key};
  return link_->call<found>(
    {timeout, {std::string{nats::direct_get} + stream}},
    [stream, subject](const link::session_ptr& made, link::deadline until) -> outcome<found> {
      HARMONY_FAULT("nats.get");
      auto newest = nats::newest_on(*made, stream, subject, until);
      if (!newest)
        return newest.error();
      if (!*newest || (*newest)->deletion)
        return found{};
      auto& message = **newest;
      return found{store_entry{std::move(message.value), message.sequence, message.written}};
    });
}

outcome<std::uint64_t> nats_store::put(bucket b, std::string_view key, std::string_view value,
                                       std::uint64_t expected, milliseconds timeout) {
  if (auto good = check_key(key); !good)
    return good.error();
  if (auto good = check_value(value); !good)
    return good.error();
  return write({b, std::string{key}, std::string{value}, false, expected}, timeout);
}

outcome<void> nats_store::remove(bucket b, std::string_view key, std::uint64_t expected,
                                 milliseconds timeout) {
  if (expected == 0) { // nothing to delete, unless there is something
    const auto found = get(b, key, timeout);
    if (!found)
      return found.error();
    if (*found)
      return {ec::conflict, "key '" + std::string{key} + "' was expected to be absent"};
    return {};
  }
  if (auto good = check_key(key); !good)
    return good;
  if (auto done = write({b, std::string{key}, {}, true, expected}, timeout); !done)
    return done.error();
  return {};
}

// Publishes until there is a definite answer, each time with the same message id: the server stores
// it once. An attempt has half of the time that is left, so that a lost one leaves room for
// another.
outcome<std::uint64_t> nats_store::write(write_request request, milliseconds timeout) {
  const auto stream = nats::stream_of(request.where);
  const auto subject = nats::subject_prefix_of(request.where) + request.key;
  const auto message_id = message_id_for(request);
  auto work = [owner = link_, request, stream, subject, message_id](
                const link::session_ptr& first, link::deadline until) -> outcome<std::uint64_t> {
    const auto doing = "write '" + subject + "'";
    auto made = first;
    auto after = request.expected;
    for (;;) {
      HARMONY_FAULT("nats.put.before");
      const auto now = steady_clock::now();
      const auto part = std::max<steady_clock::duration>((until - now) / 2, milliseconds{50});
      const auto got = publish(*made, {subject, request.value, message_id, request.deletion, after},
                               std::min(until, now + part));
      HARMONY_FAULT("nats.put.after");
      if (got.status == NATS_OK)
        return got.sequence;
      if (got.error == JSStreamWrongLastSequenceErr && request.expected == 0 && after == 0) {
        // Absent is expected; a deletion's mark is as good, and its sequence is the condition then.
        const auto newest = nats::newest_on(*made, stream, subject, until);
        if (!newest)
          return newest.error();
        if (*newest && (*newest)->deletion) {
          after = (*newest)->sequence;
          continue;
        }
      }
      if (got.status != NATS_TIMEOUT && !nats::lost_connection(got.status))
        return nats::from_status(got.status, got.error, doing);
      if (nats::lost_connection(got.status)) {
        const auto old = made->id();
        made = owner->newer_session(old, until);
      }
      if (made == nullptr || steady_clock::now() >= until)
        return {ec::timed_out, "cannot " + doing + ": no answer; it may have been written"};
    }
  };
  auto done = link_->call<std::uint64_t>(
    {timeout, {subject, std::string{nats::direct_get} + stream}}, std::move(work));
  if (!done && done.error().code == ec::timed_out) {
    const std::lock_guard guard{mutex_};
    auto key = request.key;
    uncertain_.insert_or_assign(std::move(key), uncertain_write{std::move(request), message_id});
  }
  return done;
}

std::string nats_store::message_id_for(const write_request& request) {
  const std::lock_guard guard{mutex_};
  const auto found = uncertain_.find(request.key);
  if (found != uncertain_.end() && found->second.request == request)
    return uncertain_.extract(found).mapped().message_id;
  return nonce_ + "-" + std::to_string(++writes_);
}

outcome<std::vector<std::string>> nats_store::keys(bucket b, milliseconds timeout) {
  return link_->call<std::vector<std::string>>(
    {timeout, {"$JS.API."}}, [b](const link::session_ptr& made, link::deadline until) {
      return nats::list_keys(*made, b, until);
    });
}

outcome<std::vector<store_entry>> nats_store::history(bucket b, std::string_view key,
                                                      milliseconds timeout) {
  if (auto good = check_key(key); !good)
    return good.error();
  const auto stream = nats::stream_of(b);
  const auto subject = nats::subject_prefix_of(b) + std::string{key};
  return link_->call<std::vector<store_entry>>(
    {timeout, {std::string{nats::direct_get} + stream}},
    [stream, subject](const link::session_ptr& made, link::deadline until) {
      return nats::history_on(*made, stream, subject, until);
    });
}

outcome<std::unique_ptr<subscription>> nats_store::watch(bucket b, std::string_view key,
                                                         on_change sink) {
  if (!key.empty())
    if (auto good = check_key(key); !good)
      return good.error();
  const auto prefix = nats::hint_prefix_of(b);
  return link_->listen(prefix + (key.empty() ? ">" : std::string{key}), prefix.size(),
                       key_of_each(std::move(sink)));
}

outcome<void> nats_store::beat(std::string_view agent, std::string_view payload) {
  if (auto good = check_key(agent); !good)
    return good;
  const auto subject = std::string{nats::beat_prefix} + std::string{agent};
  return nats::publish_plainly(*link_, subject, std::string{payload},
                               {beat_timeout, {subject}, nats::beat_limit});
}

outcome<std::unique_ptr<subscription>> nats_store::serve(std::string_view agent, on_command sink) {
  if (auto good = check_key(agent); !good)
    return good.error();
  const auto prefix = std::string{nats::command_prefix} + std::string{agent} + ".";
  return link_->listen(
    prefix + "*", prefix.size(),
    [owner = std::weak_ptr{link_}, sink = std::move(sink)](const nats::incoming& what) {
      if (what.key.empty() || what.reply.empty())
        return;
      sink({what.key, std::string{what.data},
            [owner, to = what.reply](std::string_view answer) -> outcome<void> {
              const auto link = owner.lock();
              if (!link)
                return {ec::store_unavailable, "the store was closed"};
              return nats::publish_plainly(*link, to, std::string{answer}, {reply_timeout, {to}});
            }});
    });
}

outcome<std::string> nats_store::request(std::string_view agent, std::string_view verb,
                                         std::string_view payload, milliseconds timeout) {
  if (auto good = check_key(agent); !good)
    return good.error();
  if (auto good = check_verb(verb); !good)
    return good.error();
  const auto subject =
    std::string{nats::command_prefix} + std::string{agent} + "." + std::string{verb};
  return link_->call<std::string>(
    {timeout, {subject}},
    [subject, name = std::string{agent}, text = std::string{payload}](
      const link::session_ptr& made, link::deadline until) -> outcome<std::string> {
      natsMsg* raw = nullptr;
      const auto status =
        natsConnection_Request(&raw, made->connection(), subject.c_str(), text.data(),
                               static_cast<int>(text.size()), nats::left_until(until));
      const nats::msg_ptr answer{raw};
      if (status == NATS_NO_RESPONDERS)
        return nobody_serves(name);
      if (status != NATS_OK)
        return nats::from_status(status, jsErrCode{}, "send the command '" + subject + "'");
      return std::string{natsMsg_GetData(raw),
                         static_cast<std::size_t>(natsMsg_GetDataLength(raw))};
    });
}

outcome<std::optional<store_entry>> nats_store::last_beat(std::string_view agent,
                                                          milliseconds timeout) {
  if (auto good = check_key(agent); !good)
    return good.error();
  using found = std::optional<store_entry>;
  const auto subject = std::string{nats::beat_prefix} + std::string{agent};
  return link_->call<found>(
    {timeout, {std::string{nats::direct_get} + nats::beat_stream}},
    [subject](const link::session_ptr& made, link::deadline until) -> outcome<found> {
      auto newest = nats::newest_on(*made, nats::beat_stream, subject, until);
      if (!newest && newest.error().code != ec::bucket_not_found)
        return newest.error();
      if (!newest || !*newest)
        return found{};
      auto& message = **newest;
      return found{store_entry{std::move(message.value), message.sequence, message.written}};
    });
}

outcome<std::unique_ptr<subscription>> nats_store::watch_beats(on_change sink) {
  return link_->listen(std::string{nats::beat_prefix} + "*", nats::beat_prefix.size(),
                       key_of_each(std::move(sink)));
}

void nats_store::watch_connection(on_state sink) {
  link_->watch_connection(std::move(sink));
}

void nats_store::close() {
  link_->close();
}

} // namespace harmony
