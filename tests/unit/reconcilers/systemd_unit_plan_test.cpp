#include <string>
#include <vector>

#include "reconcilers/driver.hpp"
#include "reconcilers/systemd_unit.hpp"
#include "support/catch.hpp"
#include "unit/reconcilers/plan_table.hpp"

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

// A unit with content, enabled, active.
want_t want() {
  return {{"SystemdUnit", "web"}, {"web.service", content, true, unit_state::active}, {}, {}};
}
want_t disabled(want_t w = want()) {
  w.spec.enabled = false;
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
  s.record = {start_stamp(want()), "run 1"};
  s.unit.invocation_id = "run 2";
  return s;
}
seen_t packaged() {
  auto s = good();
  s.file = unit_file_owner::none;
  s.content.clear();
  s.unit.fragment_path = "/lib/systemd/system/web.service";
  s.recorded = false;
  s.record = {};
  return s;
}
seen_t masked() {
  seen_t s;
  s.path = path;
  s.unit.load_state = "masked";
  return s;
}

struct unit_case {
  want_t want = test::want();
  seen_t seen = good();
};

vocabulary<unit_case> unit_now() {
  const auto file = [](unit_file_owner owner) {
    return [owner](unit_case& it, const std::string&) {
      it.seen.file = owner;
      it.seen.content.clear();
    };
  };
  return {
    {"in place", [](unit_case&, const std::string&) {}},
    {"nothing",
     [](unit_case& it, const std::string&) {
       it.seen = {};
       it.seen.path = path;
     }},
    {"packaged", [](unit_case& it, const std::string&) { it.seen = packaged(); }},
    {"masked until the next boot", [](unit_case& it, const std::string&) { it.seen = masked(); }},
    {"masked", file(unit_file_owner::masked)},
    {"file gone", file(unit_file_owner::none)},
    {"foreign file", file(unit_file_owner::foreign)},
    {"edited", [](unit_case& it, const std::string&) { it.seen.content += "Nice=5\n"; }},
    {"not reloaded", [](unit_case& it, const std::string&) { it.seen.unit.need_reload = true; }},
    {"not recorded",
     [](unit_case& it, const std::string&) {
       it.seen.recorded = false;
       it.seen.record = {};
     }},
    {"not known what is loaded", [](unit_case& it, const std::string&) { it.seen.record = {}; }},
    {"older run", [](unit_case& it, const std::string&) { it.seen.unit.invocation_id = "run 1"; }},
    {"unit without its file",
     [](unit_case& it, const std::string&) {
       it.seen.file = unit_file_owner::none;
       it.seen.content.clear();
       it.seen.unit.load_state = "not-found";
       it.seen.unit.fragment_path.clear();
     }},
    {"enablement ",
     [](unit_case& it, const std::string& value) { it.seen.unit.unit_file_state = value; }},
    {"state ",
     [](unit_case& it, const std::string& value) {
       const auto space = value.find(' ');
       it.seen.unit.active_state = value.substr(0, space);
       it.seen.unit.sub_state = value.substr(space + 1);
     }},
  };
}

vocabulary<unit_case> unit_wanted() {
  return {
    {"the same", [](unit_case&, const std::string&) {}},
    {"no content", [](unit_case& it, const std::string&) { it.want.spec.content.reset(); }},
    {"inactive",
     [](unit_case& it, const std::string&) { it.want.spec.state = unit_state::inactive; }},
    {"disabled", [](unit_case& it, const std::string&) { it.want.spec.enabled = false; }},
    {"any enablement", [](unit_case& it, const std::string&) { it.want.spec.enabled.reset(); }},
    {"new stamp", [](unit_case& it, const std::string&) { it.want = stamped(it.want); }},
    {"unit ", [](unit_case& it, const std::string& value) { it.want.spec.unit = value; }},
  };
}

std::string brief(const std::string& text) {
  return "sha256:" + sha256_hex(text).substr(0, 12);
}

} // namespace

TEST_CASE("systemd unit plan: the table in docs/reconcilers/systemd-unit.md -> the planner's") {
  const std::string text{content};
  check_plans<unit_case>("systemd-unit", {}, unit_now(), unit_wanted(),
                         [](const unit_case& it) { return systemd_unit::plan(it.want, it.seen); },
                         {{"restart restart", "restart"}, // the field has the action's name
                          {brief(text), "declared"},
                          {brief(text + "Nice=5\n"), "edited"},
                          {start_stamp(want()), "run of this content"},
                          {start_stamp(stamped()), "run of new stamp"},
                          {start_stamp(stamped(no_content())), "run of new stamp"}});
}

TEST_CASE("systemd unit plan: refusals -> say what to do") {
  auto message = [](const want_t& w, const seen_t& s) {
    return systemd_unit::plan(w, s).error().message;
  };
  CHECK(message(want(), packaged())
        == "unit 'web.service' exists already, from '/lib/systemd/system/web.service', and a file "
           "of the agent would hide it; choose another name, or manage it without content");
  CHECK(message(want(), masked())
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

TEST_CASE("systemd unit record: written -> read back the same; an earlier version's -> its stamp") {
  for (const auto& r : {unit_record{}, unit_record{"stamp", {}}, unit_record{"stamp", "run"}})
    CHECK(read_unit_record(write_note(r)) == r);
  CHECK(read_unit_record("0123") == unit_record{"0123", {}});
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
