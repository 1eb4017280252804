#include "transport/nats_buckets.hpp"

#include <algorithm>
#include <array>

#include "transport/nats_errors.hpp"
#include "transport/store_rules.hpp"

namespace harmony::nats {

namespace {

using std::chrono::system_clock;

constexpr std::int64_t nanoseconds_a_second = 1'000'000'000;
constexpr std::int64_t duplicate_window = 120 * nanoseconds_a_second;
constexpr std::int64_t bucket_history = store::history_length;
constexpr std::int32_t longest_request = 16 * 1024;
// Longer than any token is good for, a year at most; then nobody asks what became of it.
constexpr std::int64_t enrolments_kept = 400LL * 24 * 3600 * nanoseconds_a_second;
constexpr auto first_get_timeout = std::chrono::milliseconds{500};

/// `from`: the first message from this sequence on; 0: the newest.
natsStatus direct_get_of(natsMsg** message, const session& made, const std::string& stream,
                         const std::string& subject, link::deadline until, std::uint64_t from = 0) {
  jsOptions wait;
  jsOptions_Init(&wait);
  wait.Wait = left_until(until);
  jsDirectGetMsgOptions which;
  jsDirectGetMsgOptions_Init(&which);
  if (from == 0) {
    which.LastBySubject = subject.c_str();
  } else {
    which.Sequence = from;
    which.NextBySubject = subject.c_str();
  }
  return js_DirectGetMsg(message, made.jetstream(), stream.c_str(), &wait, &which);
}

// Whether the server says that there is no such stream. False where it says nothing.
bool is_missing(const session& made, const std::string& stream, link::deadline until) {
  jsOptions wait;
  jsOptions_Init(&wait);
  wait.Wait = left_until(until);
  jsErrCode error{};
  jsStreamInfo* info = nullptr;
  const auto status = js_GetStreamInfo(&info, made.jetstream(), stream.c_str(), &wait, &error);
  const stream_info_ptr known{info};
  return status == NATS_NOT_FOUND || error == JSStreamNotFoundErr;
}

outcome<void> make_bucket(const session& made, bucket b, link::deadline until) {
  const auto name = stream_of(b);
  const auto subject = subject_prefix_of(b) + ">";
  const auto hint = hint_prefix_of(b) + ">";
  std::array<const char*, 1> subjects{subject.c_str()};
  jsRePublish republish;
  jsRePublish_Init(&republish);
  republish.Source = subject.c_str();
  republish.Destination = hint.c_str();
  republish.HeadersOnly = true;
  auto config = bucket_config();
  config.Name = name.c_str();
  config.Subjects = subjects.data();
  config.SubjectsLen = static_cast<int>(subjects.size());
  config.RePublish = &republish;
  config.AllowDirect = true;
  if (b == bucket::enrolment || b == bucket::enrolment_request)
    config.MaxAge = enrolments_kept;
  if (b == bucket::enrolment_request) {
    // Who writes there is not known yet, and need not keep to any rule: the first message on a
    // subject is the last one.
    config.MaxMsgsPerSubject = 1;
    config.DiscardNewPerSubject = true;
    config.AllowRollup = false;
    config.MaxMsgSize = longest_request;
  }
  return make_stream(made, config, until);
}

outcome<void> make_beat_stream(const session& made, link::deadline until) {
  const auto subject = std::string{beat_prefix} + "*";
  std::array<const char*, 1> subjects{subject.c_str()};
  jsStreamConfig config;
  jsStreamConfig_Init(&config);
  config.Name = beat_stream;
  config.Subjects = subjects.data();
  config.SubjectsLen = static_cast<int>(subjects.size());
  config.AllowDirect = true;
  config.MaxMsgsPerSubject = 1;
  config.Storage = js_MemoryStorage;
  config.NoAck = true; // nobody waits for an answer to a heartbeat
  config.Replicas = 1;
  return make_stream(made, config, until);
}

} // namespace

stored_message message_of(natsMsg* raw) {
  stored_message found;
  found.value.assign(natsMsg_GetData(raw), static_cast<std::size_t>(natsMsg_GetDataLength(raw)));
  found.sequence = natsMsg_GetSequence(raw);
  found.written = system_clock::time_point{std::chrono::duration_cast<system_clock::duration>(
    std::chrono::nanoseconds{natsMsg_GetTime(raw)})};
  const char* operation = nullptr; // "DEL" or "PURGE"
  found.deletion = natsMsgHeader_Get(raw, "KV-Operation", &operation) == NATS_OK
                   && operation != nullptr && std::string_view{operation} != "PUT";
  return found;
}

outcome<void> make_stream(const session& made, jsStreamConfig& config, link::deadline until) {
  jsOptions wait;
  jsOptions_Init(&wait);
  wait.Wait = left_until(until);
  jsErrCode error{};
  jsStreamInfo* info = nullptr;
  const auto doing = std::string{"make the stream '"} + config.Name + "'";
  auto status = js_GetStreamInfo(&info, made.jetstream(), config.Name, &wait, &error);
  const stream_info_ptr known{info};
  if (status == NATS_OK)
    return {};
  if (status != NATS_NOT_FOUND && error != JSStreamNotFoundErr)
    return from_status(status, error, doing);
  wait.Wait = left_until(until);
  error = jsErrCode{};
  status = js_AddStream(nullptr, made.jetstream(), &config, &wait, &error);
  if (status == NATS_OK || error == JSStreamNameExistErr) // somebody else made it just now
    return {};
  return from_status(status, error, doing);
}

jsStreamConfig bucket_config() {
  jsStreamConfig config;
  jsStreamConfig_Init(&config);
  config.MaxMsgsPerSubject = bucket_history;
  config.Discard = js_DiscardNew;
  config.AllowRollup = true;
  config.DenyDelete = true;
  config.Duplicates = duplicate_window;
  config.Storage = js_FileStorage;
  config.Replicas = 1;
  return config;
}

std::string stream_of(bucket b) {
  return "KV_" + std::string{name_of(b)};
}

std::string subject_prefix_of(bucket b) {
  return "$KV." + std::string{name_of(b)} + ".";
}

std::string hint_prefix_of(bucket b) {
  switch (b) {
  case bucket::desired_state: return "desired-evt.";
  case bucket::actual_state: return "actual-evt.";
  case bucket::device_info: return "info-evt.";
  case bucket::enrolment: return "enrolment-evt.";
  case bucket::enrolment_request: return "enrolment-request-evt.";
  }
  return {};
}

std::int64_t left_until(link::deadline until) {
  const auto left = until - std::chrono::steady_clock::now();
  const auto whole = std::chrono::ceil<std::chrono::milliseconds>(left).count();
  return std::max<std::int64_t>(whole, 1);
}

// A direct get from a stream that is not there is not answered at all. Where the first attempt gets
// no answer the server is asked for the stream, if this client may. Then it is tried again, each
// time with half of the time that is left: of several replicas one may be frozen, and who answers
// is the server's choice.
outcome<std::optional<stored_message>> newest_on(const session& made, const std::string& stream,
                                                 const std::string& subject, link::deadline until) {
  using std::chrono::steady_clock;
  const auto doing = "read '" + subject + "'";
  const auto first = steady_clock::now() + first_get_timeout;
  natsMsg* raw = nullptr;
  auto status = direct_get_of(&raw, made, stream, subject, std::min(first, until));
  if (status == NATS_TIMEOUT && first < until
      && is_missing(made, stream, std::min(first + first_get_timeout, until)))
    return {ec::bucket_not_found, "cannot " + doing + ": there is no stream '" + stream
                                    + "'; prepare the store first with 'harmonyctl init'"};
  for (auto now = steady_clock::now(); status == NATS_TIMEOUT && now < until;
       now = steady_clock::now()) {
    const auto part = std::max<steady_clock::duration>((until - now) / 2, first_get_timeout);
    status = direct_get_of(&raw, made, stream, subject, std::min(until, now + part));
  }
  const msg_ptr message{raw};
  if (status == NATS_NOT_FOUND)
    return std::optional<stored_message>{};
  if (status != NATS_OK)
    return from_status(status, jsErrCode{}, doing);
  return std::optional{message_of(raw)};
}

outcome<std::vector<store_entry>> history_on(const session& made, const std::string& stream,
                                             const std::string& subject, link::deadline until) {
  auto newest = newest_on(made, stream, subject, until); // tells a missing stream, too
  if (!newest)
    return newest.error();
  std::vector<store_entry> entries;
  for (std::uint64_t from = 1; *newest && from <= (*newest)->sequence;) {
    natsMsg* raw = nullptr;
    const auto status = direct_get_of(&raw, made, stream, subject, until, from);
    const msg_ptr message{raw};
    if (status == NATS_NOT_FOUND)
      break;
    if (status != NATS_OK)
      return from_status(status, jsErrCode{}, "read the history of '" + subject + "'");
    auto found = message_of(raw);
    from = found.sequence + 1;
    if (!found.deletion)
      entries.push_back({std::move(found.value), found.sequence, found.written});
  }
  std::reverse(entries.begin(), entries.end());
  if (entries.size() > store::history_length)
    entries.resize(store::history_length);
  return entries;
}

outcome<void> make_streams(const session& made, link::deadline until) {
  for (const auto b : all_buckets)
    if (auto done = make_bucket(made, b, until); !done)
      return done;
  return make_beat_stream(made, until);
}

outcome<std::vector<std::string>> list_keys(const session& made, bucket b, link::deadline until) {
  const auto doing = "list the keys of bucket '" + std::string{name_of(b)} + "'";
  kvStore* raw = nullptr;
  auto status = js_KeyValue(&raw, made.jetstream(), std::string{name_of(b)}.c_str());
  const kv_ptr store{raw};
  if (status == NATS_NOT_FOUND)
    return {ec::bucket_not_found,
            "cannot " + doing
              + ": there is no such bucket; prepare the store first with 'harmonyctl init'"};
  if (status != NATS_OK)
    return from_status(status, jsErrCode{}, doing);
  kvWatchOptions wait;
  kvWatchOptions_Init(&wait);
  wait.Timeout = left_until(until);
  kvKeysList list{};
  status = kvStore_Keys(&list, raw, &wait);
  std::vector<std::string> keys;
  for (int i = 0; status == NATS_OK && i < list.Count; ++i)
    keys.emplace_back(list.Keys[i]); // NOLINT(cppcoreguidelines-pro-bounds-pointer-arithmetic)
  kvKeysList_Destroy(&list);
  if (status != NATS_OK && status != NATS_NOT_FOUND)
    return from_status(status, jsErrCode{}, doing);
  std::sort(keys.begin(), keys.end());
  return keys;
}

} // namespace harmony::nats
