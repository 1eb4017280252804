#include "actors/command_server.hpp"

#include <spdlog/spdlog.h>

#include "actors/device_planner.hpp"
#include "core/diff.hpp"
#include "core/explain.hpp"

namespace harmony {

namespace {

using self_pointer = command_server_actor::stateful_pointer<command_server_state>;

void refuse(const store_command& to, const failure& why) {
  answer(to, write_refusal(why));
}

/// Keeps on record what an operator changed, or was not let.
void audit(const command_server_state& s, const std::string& verb,
           const std::optional<resource_id>& resource, std::string result) {
  if (s.config.audit == nullptr)
    return;
  audit_event e;
  e.event = "command-" + verb;
  e.subject = resource ? resource->str() : "device";
  e.result = std::move(result);
  s.config.audit->note(std::move(e));
}

/// For a request that another actor does not answer: it is busy, or on its way out.
auto refusing(const store_command& to) {
  return [to](const caf::error&) {
    refuse(to, {ec::timed_out, "the agent is busy and did not answer in time; try again"});
  };
}

/// Goes on with the device's status, once it is here.
template <class Then>
void with_status(self_pointer self, const store_command& command, Then then) {
  const auto& c = self->state.config;
  self->request(c.aggregator, c.ask_timeout, status_asked{})
    .then([then](const status_told& told) { then(*told.what); }, refusing(command));
}

/// Goes on with the manifest in force (null: none), once it is here.
template <class Then>
void with_manifest(self_pointer self, const store_command& command, Then then) {
  const auto& c = self->state.config;
  self->request(c.dispatcher, c.ask_timeout, manifest_asked{})
    .then([then](const manifest_told& told) { then(told.what); }, refusing(command));
}

failure no_such(const resource_id& id) {
  return {ec::not_found, "no resource '" + id.str() + "' on this device"};
}

// --- verbs that read
// -------------------------------------------------------------------------------

void ping(self_pointer self, const store_command& command) {
  with_status(self, command, [self, command](const agent_status& status) {
    const auto& s = self->state;
    const auto up = self->clock().now() - s.started;
    ping_result result;
    result.agent = s.config.services->agent;
    result.boot_id = s.config.boot_id;
    result.version = s.config.version;
    result.uptime =
      static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(up).count());
    result.observed_generation = status.observed_generation;
    result.phase = status.phase;
    answer(command, write_answer(result));
  });
}

void explain(self_pointer self, const store_command& command, const resource_request& what) {
  with_status(self, command, [=](const agent_status& status) {
    with_manifest(self, command, [=](const manifest_ptr& m) {
      const auto now = self->state.config.services->wall_clock();
      explain_result result;
      if (!what.resource)
        result.explanations = explain_agent(status, m.get(), now);
      else if (status.resources.count(*what.resource) != 0)
        result.explanations = {explain_resource(status, *what.resource, m.get(), now)};
      else
        return refuse(command, no_such(*what.resource));
      answer(command, write_answer(result));
    });
  });
}

const resource* find(const manifest_ptr& m, const resource_id& id) {
  if (m)
    for (const auto& r : m->resources)
      if (r.id == id)
        return &r;
  return nullptr;
}

/// Reads the log on a lane.
void start_reading(self_pointer self, const store_command& command, const logs_request& what,
                   const resource& r, const std::string& stamp) {
  auto& s = self->state;
  const auto services = s.config.services;
  auto* driver = services->drivers->find(r.id.kind);
  if (driver == nullptr)
    return refuse(command, services->drivers->why_missing(r.id.kind));
  const log_query query{what.cursor, what.tail, std::chrono::seconds{what.wait}};
  auto work = [services, driver, query,
               want = desired<resource_spec>{r.id, r.spec, r.revision, stamp, r.origin}](
                std::stop_token stop, instant deadline) -> operation_answer {
    op_context context{services->agent, *services->owned, std::move(stop), deadline};
    auto read = driver->logs(want, query, context);
    if (!read)
      return read.error();
    return std::move(*read);
  };
  const auto number = ++s.operations;
  s.reading.emplace(number, command);
  self->send(s.config.log_lane,
             run_operation{command_server_actor{self}, number, operation_kind::none,
                           "log " + std::to_string(number), query.wait + services->limits.observe,
                           std::move(work)});
}

void logs(self_pointer self, const store_command& command, const logs_request& what) {
  with_manifest(self, command, [=](const manifest_ptr& m) {
    if (const auto* r = find(m, what.resource))
      start_reading(self, command, what, *r, restart_stamp(*m, *r));
    else
      refuse(command, no_such(what.resource));
  });
}

void on_log_read(self_pointer self, operation_finished& what) {
  auto& s = self->state;
  const auto it = s.reading.find(what.operation);
  if (it == s.reading.end())
    return;
  const auto command = std::move(it->second);
  s.reading.erase(it);
  if (const auto* lines = std::get_if<logs_result>(&what.answer))
    answer(command, write_answer(*lines));
  else if (const auto* why = std::get_if<failure>(&what.answer))
    refuse(command, *why);
}

void plan(self_pointer self, const store_command& command) {
  auto& s = self->state;
  auto reading = read_manifest(command.payload);
  if (!reading.value) {
    const auto& first = reading.issues.front();
    return refuse(command,
                  {first.code, (first.path.empty() ? "" : first.path + ": ") + first.message});
  }
  if (reading.value->metadata.agent != s.config.services->agent)
    return refuse(command,
                  {ec::wrong_agent, "the manifest is for '" + reading.value->metadata.agent + "'"});
  const auto wanted = std::make_shared<const manifest>(std::move(*reading.value));
  with_manifest(self, command, [=](const manifest_ptr& in_force) {
    // The lanes that it waits for keep it.
    self->spawn(device_planner,
                device_planner_config{self->state.config.services, wanted, in_force, command});
  });
}

// --- verbs that change something
// -------------------------------------------------------------------

void resync(self_pointer self, const store_command& command) {
  const auto& c = self->state.config;
  self->send(c.watcher, desired_hinted{});
  self->send(c.dispatcher, resync_requested{});
  audit(self->state, "resync", {}, {});
  answer(command, write_answer(done_result{}));
}

void restart(self_pointer self, const store_command& command, const resource_request& what) {
  if (!what.resource)
    return refuse(command, {ec::invalid_document, "resource: is missing; name what to restart"});
  const auto& c = self->state.config;
  self->request(c.dispatcher, c.ask_timeout, restart_asked{*what.resource})
    .then(
      [=](const restart_answered& told) {
        if (told.refused)
          return refuse(command, *told.refused);
        audit(self->state, "restart", what.resource, {});
        answer(command, write_answer(restart_result{told.attempts}));
      },
      refusing(command));
}

void hold(self_pointer self, const store_command& command, const hold_request& what) {
  with_status(self, command, [=](const agent_status& status) {
    const auto& s = self->state;
    if (what.resource && status.resources.count(*what.resource) == 0)
      return refuse(command, no_such(*what.resource));
    const auto& services = *s.config.services;
    const auto until = services.wall_clock() + std::chrono::seconds{what.seconds};
    if (const auto kept = services.holds->hold(what.resource, {until, what.reason}); !kept)
      return refuse(command, kept.error());
    audit(s, "hold", what.resource, "until " + format_time(until) + ": " + what.reason);
    self->send(s.config.dispatcher, hold_changed{});
    answer(command, write_answer(hold_result{until}));
  });
}

void unhold(self_pointer self, const store_command& command, const resource_request& what) {
  const auto& s = self->state;
  const auto released = s.config.services->holds->unhold(what.resource);
  if (!released)
    return refuse(command, released.error());
  if (what.resource && *released == 0)
    return refuse(command,
                  {ec::not_found, what.resource->str()
                                    + " has no hold of its own; where the whole device is held, "
                                      "end that (without naming a resource)"});
  audit(s, "unhold", what.resource, std::to_string(*released) + " released");
  self->send(s.config.dispatcher, hold_changed{});
  answer(command, write_answer(unhold_result{*released}));
}

// --- which one
// -------------------------------------------------------------------------------------

/// Calls `verb` with the command's request, if that can be read.
template <class Request>
void read_and(self_pointer self, const store_command& command,
              void (*verb)(self_pointer, const store_command&, const Request&)) {
  const auto request = read_request<Request>(command.payload);
  if (request)
    verb(self, command, *request);
  else
    refuse(command, request.error());
}

void on_command(self_pointer self, const store_command& command) {
  const auto verb = parse_verb(command.verb);
  if (!verb)
    return refuse(command, {ec::not_found, "this agent knows no command '" + command.verb + "'"});
  if (self->state.config.access == command_access::read_only && !is_read_only(*verb)) {
    audit(self->state, command.verb, {}, "refused: commands = \"read-only\"");
    return refuse(command,
                  {ec::not_allowed, "this device's configuration allows only commands that "
                                    "read (commands = \"read-only\")"});
  }
  switch (*verb) {
  case command_verb::ping: return ping(self, command);
  case command_verb::explain: return read_and<resource_request>(self, command, explain);
  case command_verb::logs: return read_and<logs_request>(self, command, logs);
  case command_verb::plan: return plan(self, command);
  case command_verb::resync: return resync(self, command);
  case command_verb::restart: return read_and<resource_request>(self, command, restart);
  case command_verb::hold: return read_and<hold_request>(self, command, hold);
  case command_verb::unhold: return read_and<resource_request>(self, command, unhold);
  }
}

} // namespace

void answer(const store_command& to, const std::string& text) {
  if (const auto sent = to.reply(text); !sent)
    spdlog::warn("command '{}' was answered in vain: {}", to.verb, sent.error().message);
}

command_server_actor::behavior_type command_server(self_pointer self,
                                                   command_server_config config) {
  self->state.config = std::move(config);
  self->state.started = self->clock().now();
  return {
    [](const roll_call& call) { ++*call.present; },
    [self](const command_received& what) { on_command(self, what.what); },
    [self](operation_finished& what) { on_log_read(self, what); },
    [self](stop_requested) {
      for (const auto& [number, command] : self->state.reading)
        refuse(command, {ec::canceled, "the agent is stopping"});
      self->quit();
    },
  };
}

} // namespace harmony
