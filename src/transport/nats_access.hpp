#pragma once

#include <chrono>
#include <set>
#include <string>
#include <string_view>
#include <vector>

/// Who may do what on a NATS server of a fleet: the one place that says so. docs/nats-security.md
/// has the reasons; the configuration of a server is written from it, in either mode.
namespace harmony::nats {

/// The account of operators and of the streams, the devices' own, and that of those who have no
/// more than a token yet.
inline constexpr const char* control_account = "CONTROL";
inline constexpr const char* fleet_account = "FLEET";
inline constexpr const char* enrol_account = "ENROL";

/// What a user may publish to and subscribe to; all else is denied.
struct subject_rights {
  std::vector<std::string> publish, subscribe;
};

/// The rights of the device `agent`, which may also be a placeholder that the server fills in.
subject_rights device_rights(std::string_view agent);

/// What a member of a failover cluster may beside that; `cluster` may be a placeholder, too.
subject_rights member_rights(std::string_view cluster, std::string_view agent);

/// Beyond its rights a device may answer a command: once, and for so long.
inline constexpr int answers_a_command = 1;
inline constexpr std::chrono::seconds answer_within{60};

/// The rights of who has the token of that id; also a placeholder.
subject_rights token_rights(std::string_view token);

/// The most that a holder of a token may send at once and subscribe to, and how many of them may be
/// connected at once, where the server can be told.
inline constexpr int token_payload = 32 * 1024;
inline constexpr int token_subscriptions = 8;
inline constexpr int token_connections = 1000;

/// The key of bucket enrolment_request under which the holder of a token says that it is done.
std::string receipt_key(std::string_view token);

/// What one account lets another have.
struct shared_subject {
  std::string subject;
  bool is_service;       ///< requests go to it; otherwise messages come from it
  std::string here = {}; ///< what the other calls it; empty: the same
};

/// What FLEET has of CONTROL: single services of the streams, so that a reply reaches who asked.
/// `clusters`: those for failover that it has members of.
std::vector<shared_subject> shared_with_fleet(const std::set<std::string>& clusters);

/// What ENROL has of CONTROL.
std::vector<shared_subject> shared_with_enrol();

/// What CONTROL has of FLEET: commands go the other way.
std::vector<shared_subject> shared_with_control();

} // namespace harmony::nats
