#include "transport/nats_clusters.hpp"

#include <algorithm>
#include <array>

#include "model/ids.hpp"
#include "transport/nats_errors.hpp"

namespace harmony::nats {

namespace {

constexpr std::string_view lease_stream_prefix = "KV_PGHA_LEASE_";
constexpr std::int64_t lease_history = 64;

jsOptions wait_until(link::deadline until) {
  jsOptions wait;
  jsOptions_Init(&wait);
  wait.Wait = left_until(until);
  return wait;
}

/// Asks as a device, and where nobody answers as one in the streams' own account.
template <class Request>
natsStatus ask(const Request& request, jsOptions& wait, jsErrCode& error) {
  wait.Prefix = cluster_api;
  const auto status = request();
  if (status != NATS_NO_RESPONDERS)
    return status;
  wait.Prefix = stream_api;
  error = jsErrCode{};
  return request();
}

failure from_stream(natsStatus status, jsErrCode error, const std::string& doing,
                    std::string_view cluster) {
  auto why = from_status(status, error, doing);
  if (why.code == ec::bucket_not_found)
    why.message = "cannot " + doing + ": there are no streams of cluster '" + std::string{cluster}
                  + "'; make them with 'harmonyctl failover init " + std::string{cluster} + "'";
  return why;
}

std::string cluster_of(std::string_view stream) {
  for (const auto prefix : {lease_stream_prefix, std::string_view{"KV_PGHA_"}})
    if (stream.substr(0, prefix.size()) == prefix)
      return std::string{stream.substr(prefix.size())};
  return std::string{stream};
}

outcome<void> make_lease_stream(const session& made, std::string_view cluster, int replicas,
                                link::deadline until) {
  const auto name = lease_stream_of(cluster);
  const auto subject = lease_subject_of(cluster);
  const auto hint = cluster_hint_prefix_of(cluster) + std::string{lease_key};
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
  config.MaxMsgsPerSubject = lease_history;
  config.AllowRollup = false; // what a rollup takes away is a deletion too
  config.DenyPurge = true;
  config.Replicas = replicas;
  return make_stream(made, config, until);
}

outcome<void> make_cluster_stream(const session& made, std::string_view cluster, int replicas,
                                  link::deadline until) {
  const auto name = cluster_stream_of(cluster);
  const auto subject = cluster_prefix_of(cluster) + ">";
  const auto hint = cluster_hint_prefix_of(cluster) + ">";
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
  config.MaxMsgsPerSubject = 1;
  config.Replicas = replicas;
  return make_stream(made, config, until);
}

// What was made by others, e.g. by hand, may not keep what the members rely on.
std::string unsafe_in(const jsStreamConfig& is, std::string_view cluster) {
  const char* wrong = nullptr;
  if (is.Storage != js_FileStorage)
    wrong = "is not kept in files";
  else if (is.MaxAge != 0)
    wrong = "forgets after a time";
  else if (!is.DenyDelete || !is.DenyPurge)
    wrong = "lets its messages be deleted";
  else if (is.AllowRollup)
    wrong = "lets its messages be rolled up";
  else if (is.SubjectsLen != 1 || *is.Subjects != lease_subject_of(cluster))
    wrong = "has other subjects than the lease's";
  if (wrong == nullptr)
    return {};
  return "the stream '" + lease_stream_of(cluster) + "' was made by others and " + wrong
         + ": no lease is safe in it; see why it is there, remove it, and make it with 'harmonyctl "
           "failover init "
         + std::string{cluster} + "'";
}

} // namespace

std::string lease_stream_of(std::string_view cluster) {
  return std::string{lease_stream_prefix} + std::string{cluster};
}

std::string lease_subject_of(std::string_view cluster) {
  return "$KV.PGHA_LEASE_" + std::string{cluster} + "." + std::string{lease_key};
}

std::string cluster_stream_of(std::string_view cluster) {
  return "KV_PGHA_" + std::string{cluster};
}

std::string cluster_prefix_of(std::string_view cluster) {
  return "$KV.PGHA_" + std::string{cluster} + ".";
}

std::string cluster_hint_prefix_of(std::string_view cluster) {
  return "pgha-evt." + std::string{cluster} + ".";
}

// Lower case throughout, so that no cluster's bucket is another one's lease.
outcome<void> check_cluster(std::string_view cluster) {
  if (is_name(cluster))
    return {};
  return {ec::invalid_spec, "'" + std::string{cluster.substr(0, 80)}
                              + "' is no name of a cluster: lower-case letters, digits and inner "
                                "hyphens, at most 63"};
}

outcome<std::optional<stored_message>> leader_read(const session& made, const std::string& stream,
                                                   const std::string& subject,
                                                   link::deadline until) {
  auto wait = wait_until(until);
  jsErrCode error{};
  natsMsg* raw = nullptr;
  const auto status = ask(
    [&] {
      return js_GetLastMsg(&raw, made.jetstream(), stream.c_str(), subject.c_str(), &wait, &error);
    },
    wait, error);
  const msg_ptr message{raw};
  if (status == NATS_OK)
    return std::optional{message_of(raw)};
  if (error == JSNoMessageFoundErr) // the only answer that says so
    return std::optional<stored_message>{};
  return from_stream(status, error, "read '" + subject + "'", cluster_of(stream));
}

// Without a message id: a duplicate would be told its first write's sequence, and conditions are
// not looked at then.
outcome<std::uint64_t> write_if(const session& made, const conditional_write& what,
                                link::deadline until) {
  const auto expected = std::to_string(what.expected);
  natsMsg* raw = nullptr;
  auto status = natsMsg_Create(&raw, what.subject.c_str(), nullptr, what.value.data(),
                               static_cast<int>(what.value.size()));
  const msg_ptr message{raw};
  const auto set = [&](const char* header, const char* value) {
    if (status == NATS_OK)
      status = natsMsgHeader_Set(raw, header, value);
  };
  // The library's own options leave an expected sequence of 0 out.
  set("Nats-Expected-Stream", what.stream.c_str());
  set("Nats-Expected-Last-Subject-Sequence", expected.c_str());
  if (what.only_key)
    set("Nats-Expected-Last-Sequence", expected.c_str());
  if (what.deletion)
    set("KV-Operation", "DEL");
  jsPubOptions options;
  jsPubOptions_Init(&options);
  options.MaxWait = left_until(until);
  jsErrCode error{};
  jsPubAck* ack = nullptr;
  if (status == NATS_OK)
    status = js_PublishMsg(&ack, made.jetstream(), raw, &options, &error);
  const pub_ack_ptr owned{ack};
  if (status != NATS_OK)
    return from_stream(status, error, "write '" + what.subject + "'", cluster_of(what.stream));
  return ack->Sequence;
}

outcome<std::vector<std::string>> cluster_keys(const session& made, std::string_view cluster,
                                               std::string_view prefix, link::deadline until) {
  const auto stream = cluster_stream_of(cluster);
  const auto begin = cluster_prefix_of(cluster);
  const auto filter = begin + std::string{prefix} + ">";
  auto wait = wait_until(until);
  wait.Stream.Info.SubjectsFilter = filter.c_str();
  jsErrCode error{};
  jsStreamInfo* raw = nullptr;
  const auto status =
    ask([&] { return js_GetStreamInfo(&raw, made.jetstream(), stream.c_str(), &wait, &error); },
        wait, error);
  const stream_info_ptr info{raw};
  if (status != NATS_OK)
    return from_stream(status, error, "list the keys of '" + stream + "'", cluster);
  std::vector<std::string> keys;
  const auto* found = info->State.Subjects;
  for (int i = 0; found != nullptr && i < found->Count; ++i) {
    // NOLINTNEXTLINE(cppcoreguidelines-pro-bounds-pointer-arithmetic)
    const std::string_view subject{found->List[i].Subject};
    if (subject.substr(0, begin.size()) == begin)
      keys.emplace_back(subject.substr(begin.size()));
  }
  std::sort(keys.begin(), keys.end());
  return keys;
}

outcome<lease_place> lease_place_of(const session& made, std::string_view cluster,
                                    link::deadline until) {
  const auto stream = lease_stream_of(cluster);
  auto wait = wait_until(until);
  jsErrCode error{};
  jsStreamInfo* raw = nullptr;
  const auto status =
    ask([&] { return js_GetStreamInfo(&raw, made.jetstream(), stream.c_str(), &wait, &error); },
        wait, error);
  const stream_info_ptr info{raw};
  if (status != NATS_OK)
    return from_stream(status, error, "look at the stream '" + stream + "'", cluster);
  const bool led = info->Cluster != nullptr && info->Cluster->Leader != nullptr;
  return lease_place{led ? info->Cluster->Leader : "", unsafe_in(*info->Config, cluster)};
}

outcome<void> make_cluster_streams(const session& made, std::string_view cluster, int replicas,
                                   link::deadline until) {
  if (auto done = make_lease_stream(made, cluster, replicas, until); !done)
    return done;
  if (auto done = make_cluster_stream(made, cluster, replicas, until); !done)
    return done;
  const auto place = lease_place_of(made, cluster, until);
  if (!place)
    return place.error();
  if (!place->unsafe.empty())
    return {ec::conflict, place->unsafe};
  return {};
}

outcome<std::vector<std::string>> list_clusters(const session& made, link::deadline until) {
  auto wait = wait_until(until);
  jsErrCode error{};
  jsStreamNamesList* raw = nullptr;
  const auto status = js_StreamNames(&raw, made.jetstream(), &wait, &error);
  const std::unique_ptr<jsStreamNamesList, destroyer<jsStreamNamesList_Destroy>> names{raw};
  std::vector<std::string> clusters;
  if (status == NATS_NOT_FOUND)
    return clusters;
  if (status != NATS_OK)
    return from_status(status, error, "list the streams");
  for (int i = 0; i < names->Count; ++i) {
    // NOLINTNEXTLINE(cppcoreguidelines-pro-bounds-pointer-arithmetic)
    const std::string_view name{names->List[i]};
    if (name.substr(0, lease_stream_prefix.size()) == lease_stream_prefix)
      clusters.emplace_back(name.substr(lease_stream_prefix.size()));
  }
  std::sort(clusters.begin(), clusters.end());
  return clusters;
}

} // namespace harmony::nats
