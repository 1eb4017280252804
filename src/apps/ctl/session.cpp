#include "apps/ctl/session.hpp"

#include <algorithm>
#include <iterator>

namespace harmony::ctl {

namespace {

/// What the connection's callback and the waiting thread share; outlives both.
struct link {
  std::mutex mutex;
  std::condition_variable changed;
  bool connected = false;
  std::string detail;
};

failure with_advice(failure why) {
  if (why.code == ec::bucket_not_found && why.message.find("harmonyctl init") == std::string::npos)
    why.message += "; create the buckets with 'harmonyctl init'";
  return why;
}

} // namespace

store_options store_options_of(const global_options& options) {
  store_options how;
  how.url = options.store;
  how.name = "harmonyctl";
  how.credentials = options.credentials;
  how.nkey = options.nkey;
  how.ca_file = options.ca_file;
  how.cert_file = options.cert_file;
  how.key_file = options.key_file;
  return how;
}

outcome<std::shared_ptr<store>> connect(const global_options& options, environment& env,
                                        const budget& time) {
  auto opened = env.open(store_options_of(options));
  if (!opened)
    return opened.error();

  auto shared = std::make_shared<link>();
  (*opened)->watch_connection([shared](bool connected, const std::string& detail) {
    const std::lock_guard lock{shared->mutex};
    shared->connected = connected;
    shared->detail = detail;
    shared->changed.notify_all();
  });
  std::unique_lock lock{shared->mutex};
  if (!shared->changed.wait_until(lock, time.end(), [&] { return shared->connected; })) {
    auto message = "cannot reach the store '" + options.store + "'";
    if (!shared->detail.empty())
      message += ": " + shared->detail;
    return {
      ec::store_unavailable,
      message
        + "; check --store, and --creds, --nkey, --ca, --cert and --cert-key if it needs them"};
  }
  return std::move(*opened);
}

outcome<std::optional<stored_manifest>> read_desired(store& from, std::string_view agent,
                                                     milliseconds timeout) {
  auto entry = from.get(bucket::desired_state, agent, timeout);
  if (!entry)
    return with_advice(entry.error());
  if (!*entry)
    return std::optional<stored_manifest>{};
  auto document = unseal((*entry)->value);
  auto reading = read_manifest(document.payload);
  if (!reading.value) {
    auto why = reading.issues.empty() ? "it is empty" : reading.issues.front().message;
    if (!reading.issues.empty() && !reading.issues.front().path.empty())
      why = reading.issues.front().path + ": " + why;
    return {ec::invalid_document,
            "cannot read the manifest of '" + std::string{agent} + "' in the store: " + why};
  }
  return std::optional{stored_manifest{std::move(*reading.value), std::move(document),
                                       (*entry)->revision, (*entry)->written}};
}

outcome<agent_record> read_agent(store& from, const std::string& agent, const budget& time,
                                 bool with_beat) {
  agent_record record;
  record.agent = agent;
  auto desired = read_desired(from, agent, time.left());
  if (desired)
    record.desired = std::move(*desired);
  else if (desired.error().code == ec::invalid_document)
    record.desired_fault = desired.error().message;
  else
    return desired.error();

  auto status = from.get(bucket::actual_state, agent, time.left());
  if (!status)
    return with_advice(status.error());
  if (*status) {
    auto read = read_status((*status)->value);
    record.status_written = (*status)->written;
    if (read)
      record.status = std::move(*read);
    else
      record.status_fault = read.error().message;
  }
  if (!with_beat)
    return record;
  auto beat = from.last_beat(agent, time.left());
  if (!beat)
    return with_advice(beat.error());
  if (*beat)
    if (auto read = read_heartbeat((*beat)->value))
      record.beat = seen_heartbeat{std::move(*read), (*beat)->written};
  return record;
}

outcome<std::vector<std::string>> agent_ids(store& from, const budget& time) {
  auto desired = from.keys(bucket::desired_state, time.left());
  if (!desired)
    return with_advice(desired.error());
  auto actual = from.keys(bucket::actual_state, time.left());
  if (!actual)
    return with_advice(actual.error());
  std::vector<std::string> all;
  std::set_union(desired->begin(), desired->end(), actual->begin(), actual->end(),
                 std::back_inserter(all));
  return all;
}

std::string phase_of(const agent_record& record, std::chrono::system_clock::time_point now) {
  if (!record.beat || now - record.beat->at > offline_after)
    return "Offline";
  if (record.status && record.status->boot_id == record.beat->value.boot_id)
    return std::string{name_of(record.status->phase)};
  // The status is of an earlier run: only the heartbeat speaks for this one.
  return std::string{name_of(record.beat->value.phase)};
}

} // namespace harmony::ctl
