#include <string>
#include <vector>

#include "reconcilers/driver.hpp"
#include "reconcilers/systemd_unit.hpp"
#include "support/catch.hpp"

namespace harmony::test {

namespace {

struct with_systemd {
  systemd_port& systemd();
};
struct without_systemd {};

template <class T>
concept can_drive_units = requires {
  typename systemd_unit_reconciler<T>;
};

static_assert(can_drive_units<with_systemd>);
static_assert(!can_drive_units<without_systemd>, "a topology without systemd has no such kind");
static_assert(reconciler<systemd_unit_reconciler<with_systemd>>);

using want_t = desired<systemd_unit_spec>;
using seen_t = systemd_unit_observed;

constexpr auto content = "[Service]\nExecStart=/bin/web\n";
constexpr auto path = "/etc/systemd/system/web.service";

// A unit with content, enabled, active; each word changes one thing.
want_t want() {
  return {{"SystemdUnit", "web"}, {"web.service", content, true, unit_state::active}, {}, {}};
}
want_t stopped(want_t w = want()) {
  w.spec.state = unit_state::inactive;
  return w;
}
want_t disabled(want_t w = want()) {
  w.spec.enabled = false;
  return w;
}
want_t any_enablement(want_t w = want()) {
  w.spec.enabled.reset();
  return w;
}
want_t no_content(want_t w = want()) {
  w.spec.content.reset();
  return w;
}
want_t stamped(want_t w = want()) {
  w.restart_stamp = "File/conf@2";
  return w;
}
want_t named(std::string unit) {
  auto w = want();
  w.spec.unit = std::move(unit);
  return w;
}

// What is seen when `want()` is in place and runs.
seen_t good() {
  seen_t s;
  s.unit.load_state = "loaded";
  s.unit.active_state = "active";
  s.unit.sub_state = "running";
  s.unit.unit_file_state = "enabled";
  s.unit.fragment_path = path;
  s.path = path;
  s.file = unit_file_owner::ours;
  s.content = content;
  s.recorded = true;
  s.stamp = start_stamp(want());
  return s;
}
seen_t nothing() {
  seen_t s;
  s.path = path;
  return s;
}
seen_t state(const char* active, const char* sub, seen_t s = good()) {
  s.unit.active_state = active;
  s.unit.sub_state = sub;
  return s;
}
seen_t file_state(const char* is, seen_t s = good()) {
  s.unit.unit_file_state = is;
  return s;
}
seen_t edited(seen_t s = good()) {
  s.content += "Nice=5\n";
  return s;
}
seen_t file(unit_file_owner owner, seen_t s = good()) {
  s.file = owner;
  s.content.clear();
  return s;
}
seen_t not_reloaded(seen_t s = good()) {
  s.unit.need_reload = true;
  return s;
}
seen_t unrecorded(seen_t s = good()) {
  s.recorded = false;
  s.stamp.clear();
  return s;
}
seen_t never_started(seen_t s = good()) {
  s.stamp.clear();
  return s;
}
seen_t packaged(seen_t s = good()) {
  s.file = unit_file_owner::none;
  s.content.clear();
  s.unit.fragment_path = "/lib/systemd/system/web.service";
  s.recorded = false;
  s.stamp.clear();
  return s;
}
seen_t load(const char* is, seen_t s = nothing()) {
  s.unit.load_state = is;
  return s;
}

struct row {
  const char* given;
  want_t want;
  seen_t seen;
  std::string expected; ///< "action field" joined by ", ", or the reason of the refusal
};

std::vector<row> table() {
  using owner = unit_file_owner;
  return {
    // content
    {"all in place", want(), good(), ""},
    {"nothing there", want(), nothing(), "create content, update enabled, update state"},
    {"nothing there, to be stopped", stopped(any_enablement()), nothing(), "create content"},
    {"edited by hand", want(), edited(), "update content, restart restart"},
    {"edited while stopped", stopped(), edited(state("inactive", "dead")), "update content"},
    {"edited while failed", want(), edited(state("failed", "failed")),
     "update content, update state"},
    {"file gone while running", want(), file(owner::none), "update content, restart restart"},
    {"file gone, unit unloaded", want(), nothing(), "create content, update enabled, update state"},
    {"written, not loaded", want(), not_reloaded(), "update content, restart restart"},
    {"written, not loaded, stopped", stopped(), not_reloaded(state("inactive", "dead")),
     "update content"},
    {"ours by its marker, inventory lost", want(), unrecorded(), "update content, restart restart"},
    {"foreign file", want(), file(owner::foreign), "NameConflict"},
    {"foreign file, no content wanted", no_content(), file(owner::foreign), ""},
    {"packaged unit", want(), packaged(), "NameConflict"},
    {"packaged unit, no content wanted", no_content(), packaged(), ""},
    {"masked by a link", want(), file(owner::masked), "UnitMasked"},
    {"masked at run time", want(), load("masked"), "UnitMasked"},
    {"masked, to be stopped", stopped(any_enablement(no_content())), load("masked"), ""},
    {"not installed", no_content(), nothing(), "UnitNotFound"},
    {"not installed, to be stopped", stopped(disabled(no_content())), nothing(), ""},
    {"name without suffix", named("web"), nothing(), "InvalidSpec"},
    {"name with a path", named("../web.service"), nothing(), "InvalidSpec"},

    // enabled
    {"disabled", want(), file_state("disabled"), "update enabled"},
    {"enabled until the next boot", want(), file_state("enabled-runtime"), "update enabled"},
    {"without [Install]", want(), file_state("static"), "update enabled"},
    {"enabled under an alias", want(), file_state("alias"), ""},
    {"enabled, to be disabled", disabled(), good(), "update enabled"},
    {"without [Install], to be disabled", disabled(), file_state("static"), ""},
    {"enabled, not managed", any_enablement(), good(), ""},
    {"disabled, not managed", any_enablement(), file_state("disabled"), ""},

    // state
    {"inactive", want(), state("inactive", "dead"), "update state"},
    {"failed", want(), state("failed", "failed"), "update state"},
    {"starting", want(), state("activating", "start-pre"), "update state"},
    {"waits to be restarted by systemd", want(), state("activating", "auto-restart"),
     "update state"},
    {"stopping", want(), state("deactivating", "stop-sigterm"), "update state"},
    {"reloading its configuration", want(), state("reloading", "reload"), ""},
    {"oneshot that remains", want(), state("active", "exited"), ""},
    {"active, to be stopped", stopped(), good(), "update state"},
    {"starting, to be stopped", stopped(), state("activating", "start"), "update state"},
    {"failed, to be stopped", stopped(), state("failed", "failed"), ""},

    // restart
    {"restartOn changed", stamped(), good(), "restart restart"},
    {"restartOn changed while starting", stamped(), state("activating", "start"),
     "restart restart"},
    {"restartOn changed while failed", stamped(), state("failed", "failed"), "update state"},
    {"restartOn changed while stopped", stamped(stopped()), state("inactive", "dead"), ""},
    {"killed between writing and restarting", want(), never_started(), "restart restart"},
    {"packaged, follows a file for the first time", stamped(no_content()), packaged(),
     "restart restart"},
    {"packaged, follows nothing", no_content(), packaged(), ""},
  };
}

std::string text_of(const outcome<std::vector<change>>& planned) {
  if (!planned)
    return std::string{reason_of(planned.error().code)};
  std::string text;
  for (const auto& c : *planned)
    text += (text.empty() ? "" : ", ") + std::string{name_of(c.what)} + " " + c.field;
  return text;
}

} // namespace

TEST_CASE("systemd unit plan: what is seen -> what is to be done") {
  for (const auto& r : table()) {
    INFO("given: " << r.given);
    const auto planned = systemd_unit::plan(r.want, r.seen);
    INFO((planned ? std::string{} : planned.error().message));
    CHECK(text_of(planned) == r.expected);
  }
}

TEST_CASE("systemd unit plan: refusals -> say what to do") {
  auto message = [](const want_t& w, const seen_t& s) {
    return systemd_unit::plan(w, s).error().message;
  };
  CHECK(message(want(), packaged())
        == "unit 'web.service' exists already, from '/lib/systemd/system/web.service', and a file "
           "of the agent would hide it; choose another name, or manage it without content");
  CHECK(message(want(), load("masked"))
        == "unit 'web.service' is masked on this device; unmask it with 'systemctl unmask "
           "web.service'");
}

TEST_CASE("systemd unit stamp: content or restart stamp changed -> another stamp") {
  auto other = want();
  other.spec.content = "[Service]\n";
  CHECK(start_stamp(want()) == start_stamp(want()));
  CHECK(start_stamp(want()) != start_stamp(other));
  CHECK(start_stamp(want()) != start_stamp(stamped()));
  CHECK(start_stamp(want()) == start_stamp(disabled()));
  CHECK(start_stamp(no_content()).empty());
  CHECK_FALSE(start_stamp(stamped(no_content())).empty());
}

TEST_CASE("systemd unit names: text -> whether it is one, and its object path") {
  for (const auto* good_name :
       {"web.service", "web@1.service", "a-b_c:d.timer", "dev-disk\\x2d1.device"})
    CHECK(is_unit_name(good_name));
  for (const auto* bad : {"", "web", ".service", "web.conf", "a/b.service", "web service.service",
                          "@.service", "web.service\n"})
    CHECK_FALSE(is_unit_name(bad));
  CHECK_FALSE(is_unit_name(std::string(250, 'a') + ".service"));
  CHECK(unit_object_path("web.service") == "/org/freedesktop/systemd1/unit/web_2eservice");
  CHECK(unit_object_path("1a.service") == "/org/freedesktop/systemd1/unit/_31a_2eservice");
}

} // namespace harmony::test
