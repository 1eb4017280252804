#include "transport/nats_access.hpp"

#include <array>

#include "transport/nats_buckets.hpp"
#include "transport/nats_clusters.hpp"

namespace harmony::nats {

namespace {

constexpr std::array read_by_devices{bucket::desired_state, bucket::actual_state,
                                     bucket::device_info};
constexpr std::array written_by_devices{bucket::actual_state, bucket::device_info};

/// The reads of a bucket's keys that begin with `key`.
std::string read_of(bucket b, const std::string& key) {
  return std::string{direct_get} + stream_of(b) + "." + key;
}

} // namespace

subject_rights device_rights(std::string_view agent) {
  const std::string id{agent};
  subject_rights rights;
  rights.publish.reserve(read_by_devices.size() + written_by_devices.size() + 1);
  for (const auto b : read_by_devices)
    rights.publish.push_back(read_of(b, subject_prefix_of(b) + id));
  for (const auto b : written_by_devices)
    rights.publish.push_back(subject_prefix_of(b) + id);
  rights.publish.push_back(std::string{beat_prefix} + id);
  rights.subscribe = {"_INBOX." + id + ".>", hint_prefix_of(bucket::desired_state) + id,
                      std::string{command_prefix} + id + ".*"};
  return rights;
}

// The lease's stream and the cluster's bucket are read as a whole: a member may know all of it.
subject_rights member_rights(std::string_view cluster, std::string_view agent) {
  const auto prefix = cluster_prefix_of(cluster);
  subject_rights rights;
  for (const auto& stream : {lease_stream_of(cluster), cluster_stream_of(cluster)}) {
    rights.publish.push_back(std::string{cluster_api} + std::string{stream_info} + stream);
    rights.publish.push_back(std::string{cluster_api} + std::string{leader_get} + stream);
  }
  rights.publish.push_back(lease_subject_of(cluster));
  rights.publish.push_back(prefix + std::string{member_beat_prefix} + std::string{agent});
  for (const auto kind : {cluster_history_prefix, cluster_command_prefix})
    rights.publish.push_back(prefix + std::string{kind} + "*");
  rights.subscribe = {cluster_hint_prefix_of(cluster) + ">"};
  return rights;
}

std::string receipt_key(std::string_view token) {
  return std::string{token} + ".done";
}

subject_rights token_rights(std::string_view token) {
  const std::string id{token};
  const auto record = subject_prefix_of(bucket::enrolment) + id;
  const auto request = subject_prefix_of(bucket::enrolment_request) + id;
  const auto receipt = subject_prefix_of(bucket::enrolment_request) + receipt_key(token);
  return {{read_of(bucket::enrolment, record), read_of(bucket::enrolment_request, request),
           read_of(bucket::enrolment_request, receipt), request, receipt},
          {"_INBOX." + id + ".>", hint_prefix_of(bucket::enrolment) + id}};
}

std::vector<shared_subject> shared_with_enrol() {
  return {{read_of(bucket::enrolment, ">"), true},
          {read_of(bucket::enrolment_request, ">"), true},
          {subject_prefix_of(bucket::enrolment_request) + ">", true},
          {hint_prefix_of(bucket::enrolment) + "*", false}};
}

std::vector<shared_subject> shared_with_fleet(const std::set<std::string>& clusters) {
  std::vector<shared_subject> shared;
  shared.reserve(read_by_devices.size() + written_by_devices.size() + 2);
  for (const auto b : read_by_devices)
    shared.push_back({read_of(b, ">"), true});
  for (const auto b : written_by_devices)
    shared.push_back({subject_prefix_of(b) + "*", true});
  shared.push_back({std::string{beat_prefix} + "*", true});
  shared.push_back({hint_prefix_of(bucket::desired_state) + "*", false});
  for (const auto& cluster : clusters) {
    const auto of_any = member_rights(cluster, "*");
    const std::string api{cluster_api};
    for (const auto& subject : of_any.publish)
      if (subject.rfind(api, 0) == 0)
        shared.push_back({stream_api + subject.substr(api.size()), true, subject});
      else
        // A literal here lets an answer of one service through to another one, whoever names it as
        // the reply: seen with nats-server 2.9.10. With a wildcard it does not.
        shared.push_back({subject.substr(0, subject.rfind('.')) + ".*", true});
    for (const auto& subject : of_any.subscribe)
      shared.push_back({subject, false});
  }
  return shared;
}

std::vector<shared_subject> shared_with_control() {
  return {{std::string{command_prefix} + "*.*", true}};
}

} // namespace harmony::nats
