#include "apps/agent/metrics.hpp"

#include <array>
#include <fstream>
#include <utility>
#include <vector>

#include <unistd.h>

namespace harmony {

namespace {

using labels = std::vector<std::pair<std::string_view, std::string_view>>;

/// Writes the text format: https://prometheus.io/docs/instrumenting/exposition_formats/
class metrics_writer {
public:
  /// Begins a metric; its samples follow.
  void begin(std::string_view name, std::string_view type, std::string_view help) {
    name_ = name;
    text_.append("# HELP ").append(name).append(" ").append(help).append("\n");
    text_.append("# TYPE ").append(name).append(" ").append(type).append("\n");
  }

  void sample(std::uint64_t value, const labels& with = {}) {
    text_ += name_;
    char before = '{';
    for (const auto& [label, of] : with) {
      text_ += std::exchange(before, ',');
      text_.append(label).append("=\"");
      for (const char c : of)
        text_ += c == '\\' ? "\\\\" : c == '"' ? "\\\"" : c == '\n' ? "\\n" : std::string(1, c);
      text_ += '"';
    }
    text_.append(with.empty() ? " " : "} ").append(std::to_string(value)).append("\n");
  }

  void gauge(std::string_view name, std::string_view help, std::uint64_t value) {
    begin(name, "gauge", help);
    sample(value);
  }

  std::string take() { return std::move(text_); }

private:
  std::string name_;
  std::string text_;
};

constexpr std::array agent_phases{agent_phase::starting, agent_phase::converging,
                                  agent_phase::converged, agent_phase::degraded,
                                  agent_phase::rejected};
constexpr std::array resource_phases{
  resource_phase::pending,  resource_phase::blocked, resource_phase::observing,
  resource_phase::applying, resource_phase::probing, resource_phase::ready,
  resource_phase::drifted,  resource_phase::failed,  resource_phase::removing,
  resource_phase::removed,  resource_phase::rejected};

constexpr std::array<std::pair<operation_kind, std::string_view>, 3> operations{
  {{operation_kind::observe, "observe"},
   {operation_kind::apply, "apply"},
   {operation_kind::remove, "remove"}}};

/// One gauge of every lane.
void lane_gauge(metrics_writer& out, const metrics_source& from, std::string_view name,
                std::string_view help, std::atomic<std::uint32_t> lane_counters::*value) {
  out.begin(name, "gauge", help);
  for (const auto& [lane, c] : from.lanes)
    out.sample(((*c).*value).load(), {{"lane", lane}});
}

void write_lanes(metrics_writer& out, const metrics_source& from) {
  out.begin("harmony_operations_total", "counter", "Operations on the device that ended.");
  for (const auto& [lane, c] : from.lanes)
    for (const auto& [kind, name] : operations) {
      const auto& ended = c->ended.at(static_cast<std::size_t>(kind));
      out.sample(ended.done, {{"lane", lane}, {"operation", name}, {"result", "done"}});
      out.sample(ended.failed, {{"lane", lane}, {"operation", name}, {"result", "failed"}});
    }
  lane_gauge(out, from, "harmony_lane_running", "Operations on a thread.", &lane_counters::running);
  lane_gauge(out, from, "harmony_lane_waiting", "Operations in the queue.",
             &lane_counters::waiting);
  lane_gauge(out, from, "harmony_lane_stuck",
             "Operations on a thread that gave their place to others, or are past their deadline.",
             &lane_counters::stuck);
  out.begin("harmony_lane_expired_total", "counter", "Operations given up at their deadline.");
  for (const auto& [lane, c] : from.lanes)
    out.sample(c->expired, {{"lane", lane}});
}

std::uint64_t resident_bytes() {
  std::ifstream statm{"/proc/self/statm"};
  std::uint64_t size = 0;
  std::uint64_t resident = 0;
  statm >> size >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

} // namespace

std::string metrics_of(const agent_status& s) {
  metrics_writer out;
  out.gauge("harmony_generation", "Generation of the manifest in force.", s.observed_generation);
  out.begin("harmony_agent_phase", "gauge", "1 for the phase that the device is in.");
  for (const auto each : agent_phases)
    out.sample(each == s.phase ? 1 : 0, {{"phase", name_of(each)}});
  std::map<resource_phase, std::uint64_t> standing;
  std::uint64_t restarts = 0;
  std::uint64_t attempts = 0;
  for (const auto& [id, r] : s.resources) {
    ++standing[r.phase];
    restarts += r.restarts;
    attempts += r.attempts;
  }
  out.begin("harmony_resources", "gauge", "Resources by phase.");
  for (const auto each : resource_phases)
    out.sample(standing[each], {{"phase", name_of(each)}});
  out.gauge("harmony_resource_restarts", "Repairs of what was in place, of all resources.",
            restarts);
  out.gauge("harmony_resource_attempts", "Applies since each resource's declaration changed.",
            attempts);
  return out.take();
}

void metrics_source::keep(const std::string& text) {
  const std::lock_guard lock{mutex_};
  status_ = text;
}

std::string metrics_source::text() const {
  metrics_writer out;
  out.begin("harmony_agent_info", "gauge", "1; the labels say which agent this is.");
  out.sample(1, {{"agent", agent}, {"version", version}});
  out.gauge("harmony_store_connected", "Whether the store is connected.",
            writes->connected ? 1 : 0);
  out.begin("harmony_heartbeats_total", "counter", "Heartbeats.");
  out.sample(beats->sent, {{"result", "sent"}});
  out.sample(beats->failed, {{"result", "failed"}});
  out.begin("harmony_status_writes_total", "counter", "Writes of the status to the store.");
  out.sample(writes->written, {{"result", "done"}});
  out.sample(writes->failed, {{"result", "failed"}});
  write_lanes(out, *this);
  out.gauge("process_resident_memory_bytes", "Resident memory.", resident_bytes());
  std::string status;
  {
    const std::lock_guard lock{mutex_};
    status = status_;
  }
  const auto read = read_status(status);
  return out.take() + (read ? metrics_of(*read) : "");
}

} // namespace harmony
