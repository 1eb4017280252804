#include "soak/world.hpp"

#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>

namespace harmony::soak {

namespace {

using nlohmann::json;

struct kind_facts {
  const char* wire;
  char letter;
  int names; ///< how many there may be at once
};

constexpr std::array<kind_facts, 5> facts{{{"Directory", 'd', 4},
                                           {"File", 'f', 16},
                                           {"SystemdUnit", 'u', 5},
                                           {"Container", 'c', 3},
                                           {"ShellJob", 'j', 4}}};

const kind_facts& of(kind k) {
  return facts[static_cast<std::size_t>(k)];
}

/// Files are the many, as on a device.
kind any_kind(dice& d) {
  constexpr std::array often{kind::directory, kind::file, kind::file,      kind::file,
                             kind::unit,      kind::unit, kind::container, kind::job};
  return often[d.below(often.size())];
}

} // namespace

std::string item::name() const {
  return "soak" + std::string{of(what).letter} + std::to_string(number);
}

std::string item::id() const {
  return std::string{of(what).wire} + "/" + name();
}

void world::add(dice& d) {
  item fresh;
  fresh.what = any_kind(d);
  std::vector<int> free;
  for (int n = 0; n < of(fresh.what).names; ++n) {
    fresh.number = n;
    if (std::none_of(items_.begin(), items_.end(),
                     [&](const item& i) { return i.id() == fresh.id(); }))
      free.push_back(n);
  }
  if (free.empty())
    return;
  fresh.number = d.pick(free);
  fresh.variant = ++variants_;
  fresh.at = site() / fresh.name();
  std::vector<const item*> earlier;
  for (const auto& i : items_)
    if (i.what < fresh.what && (fresh.what != kind::file || i.what == kind::directory))
      earlier.push_back(&i);
  if (!earlier.empty() && d.one_in(2)) {
    const auto& before = *d.pick(earlier);
    fresh.after = before.id();
    if (fresh.what == kind::file)
      fresh.at = before.at / fresh.name();
  }
  items_.push_back(fresh);
}

void world::change(dice& d) {
  if (items_.empty())
    return;
  auto& i = d.pick(items_);
  i.variant = ++variants_;
  i.broken = false;
}

void world::remove(dice& d) {
  if (items_.empty())
    return;
  std::vector<std::string> gone{d.pick(items_).id()};
  for (std::size_t n = 0; n < gone.size(); ++n)
    for (const auto& i : items_)
      if (i.after == gone[n])
        gone.push_back(i.id());
  std::erase_if(items_, [&](const item& i) {
    return std::find(gone.begin(), gone.end(), i.id()) != gone.end();
  });
}

void world::spoil(dice& d) {
  if (items_.empty() || d.one_in(4)) {
    unknown_kind_ = true;
    return;
  }
  auto& i = d.pick(items_);
  i.variant = ++variants_;
  i.broken = true;
}

void world::mend() {
  unknown_kind_ = false;
  for (auto& i : items_)
    if (i.broken) {
      i.variant = ++variants_;
      i.broken = false;
    }
}

void world::clear() {
  items_.clear();
  unknown_kind_ = false;
}

std::string world::json_of(const item& i) const {
  const auto variant = std::to_string(i.variant);
  json spec;
  switch (i.what) {
  case kind::directory: spec = {{"path", i.at.string()}, {"mode", i.mode()}}; break;
  case kind::file:
    spec = {{"path", i.at.string()}, {"mode", i.mode()}, {"content", variant}};
    break;
  case kind::unit:
    spec = {{"unit", unit_of(i)},
            {"content", "[Service]\nEnvironment=VARIANT=" + variant + "\nExecStart="
                          + (i.broken ? "/nowhere" : "/bin/sleep infinity") + "\n"}};
    break;
  case kind::container:
    spec = {{"image", i.broken ? "localhost/harmony-none:1" : image(i.variant)},
            {"pullPolicy", "Never"},
            {"network", "none"},
            {"env", {{"VARIANT", variant}}}};
    break;
  case kind::job: {
    const auto note = (jobs() / (i.name() + "-" + variant)).string();
    spec = {{"command", {"/bin/sh", "-c", i.broken ? "exit 4" : "echo ran >>" + note}},
            {"user", "root"},
            {"writablePaths", {jobs().string()}}};
    break;
  }
  }
  if (i.broken && (i.what == kind::directory || i.what == kind::file))
    spec["owner"] = "nobody-has-this-name";
  json out{{"kind", of(i.what).wire}, {"name", i.name()}, {"spec", std::move(spec)}};
  if (!i.after.empty())
    out["dependsOn"] = {i.after};
  return out.dump();
}

std::string world::resources() const {
  std::string out;
  for (const auto& i : items_)
    out += (out.empty() ? "" : ",") + json_of(i);
  if (unknown_kind_)
    out += std::string{out.empty() ? "" : ","} + R"({"kind":"Widget","name":"w","spec":{}})";
  return out;
}

} // namespace harmony::soak
