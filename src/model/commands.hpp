#pragma once

// What an operator may ask of a device while it runs, and what it answers; docs/commands.md. One
// request has one answer: `{"result": {…}}` or `{"error": {"reason", "message"}}`.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/ids.hpp"
#include "model/outcome.hpp"
#include "model/status.hpp"

namespace harmony {

/// The verbs, as they stand in a command's subject.
enum class command_verb { ping, explain, logs, plan, resync, restart, hold, unhold };

/// "ping", "explain", …
std::string_view name_of(command_verb v) noexcept;
std::optional<command_verb> parse_verb(std::string_view name) noexcept;

/// Whether the verb only reads.
bool is_read_only(command_verb v) noexcept;

// -- resync

/// That it was begun.
struct done_result {
  friend bool operator==(const done_result&, const done_result&) = default;
};

// -- ping

struct ping_result {
  std::string agent;
  std::string boot_id;      ///< of this run
  std::string version;      ///< of the program
  std::uint64_t uptime = 0; ///< `uptimeSeconds`: of the program
  generation_number observed_generation = 0;
  agent_phase phase = agent_phase::starting;

  friend bool operator==(const ping_result&, const ping_result&) = default;
};

// -- explain, unhold, restart

/// `{"resource": "Kind/name"}`, or nothing where the whole device is meant.
struct resource_request {
  std::optional<resource_id> resource;

  friend bool operator==(const resource_request&, const resource_request&) = default;
};

/// Why something stands where it stands, in words, most telling first.
struct explanation {
  std::string subject;              ///< "pi-1", "Container/app"
  std::string phase;                ///< "Failed"
  std::string headline;             ///< "Failed for 2m: ImageNotFound"
  std::vector<std::string> because; ///< what it waits for, what went wrong, what was tried
  std::string next;                 ///< what happens next, or what a person has to do

  friend bool operator==(const explanation&, const explanation&) = default;
};

struct explain_result {
  std::vector<explanation> explanations;

  friend bool operator==(const explain_result&, const explain_result&) = default;
};

struct restart_result {
  std::uint32_t attempts = 0; ///< applies of the resource so far; the restart is the next

  friend bool operator==(const restart_result&, const restart_result&) = default;
};

// -- hold

/// A hold always ends by itself.
struct hold_request {
  std::optional<resource_id> resource; ///< absent: the whole device
  std::uint32_t seconds = 3600;        ///< 1..604800
  std::string reason;                  ///< for those who see it in the status

  friend bool operator==(const hold_request&, const hold_request&) = default;
};

struct hold_result {
  timestamp until;

  friend bool operator==(const hold_result&, const hold_result&) = default;
};

struct unhold_result {
  std::uint32_t released = 0; ///< holds that were ended

  friend bool operator==(const unhold_result&, const unhold_result&) = default;
};

// -- logs

/// Lines of one resource's log: the newest `tail`, or those after `cursor`. Who follows a log asks
/// again and again with the cursor of the answer before; the device waits up to `wait` seconds for
/// a line to come, and remembers nothing of it in between.
struct logs_request {
  resource_id resource;
  std::string cursor;       ///< empty: from the end
  std::uint32_t tail = 100; ///< 0..10000, without a cursor
  std::uint32_t wait = 0;   ///< `waitSeconds`, 0..30

  friend bool operator==(const logs_request&, const logs_request&) = default;
};

struct log_line {
  timestamp at;
  std::string text; ///< without its line break; at most 8 KiB

  friend bool operator==(const log_line&, const log_line&) = default;
};

struct logs_result {
  std::vector<log_line> lines; ///< oldest first
  std::string cursor;          ///< behind the last line; empty: there is no log yet

  friend bool operator==(const logs_result&, const logs_result&) = default;
};

// -- plan: the request is a manifest

/// What the device would do about one resource.
enum class plan_step { create, update, replace, restart, remove, keep, blocked };

std::string_view name_of(plan_step s) noexcept;

/// One field that differs on the device.
struct planned_change {
  std::string what; ///< create, update, replace, remove, restart
  std::string field;
  std::string from; ///< as observed
  std::string to;   ///< as desired

  friend bool operator==(const planned_change&, const planned_change&) = default;
};

struct planned_resource {
  resource_id id;
  plan_step step = plan_step::keep;
  std::string reason; ///< why this step, for a person
  std::vector<planned_change> changes;

  friend bool operator==(const planned_resource&, const planned_resource&) = default;
};

struct plan_result {
  std::vector<planned_resource> resources;

  friend bool operator==(const plan_result&, const plan_result&) = default;
};

// -- reading and writing, for each of the types above

/// Reads a request; an empty text is `{}`. An unknown field is an error. Fails with
/// invalid_document.
template <class Request>
outcome<Request> read_request(std::string_view json);
template <class Request>
std::string write_request(const Request& r);

/// Reads an answer: its result, or the failure that it tells. Unknown fields are ignored.
template <class Result>
outcome<Result> read_answer(std::string_view json);
template <class Result>
std::string write_answer(const Result& r);
std::string write_refusal(const failure& why);

} // namespace harmony
