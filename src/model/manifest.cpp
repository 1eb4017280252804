// AgentManifest: its table, and the functions of manifest.hpp.

#include "model/manifest.hpp"

#include <algorithm>
#include <array>

#include "model/detail/shapes.hpp"

namespace harmony {

namespace detail {

namespace {

/// Any well-formed kind is read, so that the resource can be named; one that this version cannot
/// run is a fault of the resource.
shape<std::string> kind_shape() {
  const auto read = [](const json& value, std::string& out, const place& where) {
    if (!value.is_string() || !formats::kind.accepts(value.get_ref<const std::string&>()))
      return mismatch(where, formats::kind.expected, value);
    out = value.get_ref<const std::string&>();
    if (find_kind(out))
      return;
    std::string known;
    std::vector<std::string_view> names;
    for (const auto& each : kinds()) {
      names.push_back(each.name);
      known += (known.empty() ? "" : ", ") + std::string{each.name};
    }
    const auto meant = nearest(out, names);
    where.fail(
      "unknown kind '" + out + "'; "
        + (meant.empty() ? "known are " + known : "did you mean '" + std::string{meant} + "'?"),
      ec::unknown_kind);
  };
  const auto schema = [](schema_context&) {
    json result;
    for (const auto& each : kinds())
      result["enum"].push_back(each.name);
    return result;
  };
  return text(formats::kind).reading(read).described(schema);
}

/// `spec`, in the shape that the kind before it in the table says.
field<resource> spec_field() {
  return {
    "spec",
    "What the resource should be; its fields depend on the kind.",
    true,
    "an object",
    [](const json& value, resource& r, const place& where) {
      if (const auto* kind = find_kind(r.id.kind))
        kind->read(value, r.spec, where);
    },
    [](const resource& r) -> std::optional<json> { return kinds()[r.spec.index()].write(r.spec); },
    [](schema_context&) {
      return json{{"type", "object"}};
    },
  };
}

rule<resource> spec_by_kind(schema_context& ctx) {
  auto cases = json::array();
  for (const auto& each : kinds())
    cases.push_back(
      {{"if", {{"properties", {{"kind", {{"const", each.name}}}}}, {"required", {"kind"}}}},
       {"then", {{"properties", {{"spec", each.schema(ctx)}}}}}});
  return {{}, cases};
}

/// Only a SystemdUnit has a unit of its own that a probe may mean.
rule<resource> unit_probes_named() {
  constexpr std::array kinds_of_probe{"startup", "readiness", "liveness"};
  json probes;
  for (const auto* which : kinds_of_probe)
    probes["properties"][which]["properties"]["unit"]["required"] = {"unit"};
  const json other{{"properties", {{"kind", {{"not", {{"const", "SystemdUnit"}}}}}}}};
  return {[=](const json& object, const resource& r, const place& where) {
            if (r.id.kind == "SystemdUnit")
              return;
            for (const auto* which : kinds_of_probe) {
              const json::json_pointer unit{std::string{"/probes/"} + which + "/unit"};
              if (object.contains(unit) && object.at(unit).is_object()
                  && !object.at(unit).contains("unit"))
                where.at("probes").at(which).at("unit").at("unit").fail(
                  "is missing; only a probe of a SystemdUnit may leave it out");
            }
          },
          json::array({{{"if", other}, {"then", {{"properties", {{"probes", probes}}}}}}})};
}

const resource_id& id_of(const resource_id& id) {
  return id;
}
const resource_id& id_of(const dependency& d) {
  return d.id;
}

/// A list of things with an id, each once.
template <class T>
shape<std::vector<T>> id_list(const shape<T>& element) {
  const auto list = list_of(element);
  return list
    .reading([list](const json& value, std::vector<T>& out, const place& where) {
      list.read(value, out, where);
      std::map<resource_id, std::size_t> seen;
      for (std::size_t i = 0; i < out.size(); ++i)
        if (const auto [first, fresh] = seen.try_emplace(id_of(out[i]), i);
            !fresh && !id_of(out[i]).name.empty())
          where.at(i).fail("'" + id_of(out[i]).str() + "' is there twice");
    })
    .described([list](schema_context& ctx) {
      auto result = list.schema(ctx);
      result["uniqueItems"] = true;
      return result;
    });
}

// In the order of the enumeration.
constexpr std::array<std::string_view, 3> dependency_conditions{"ready", "applied", "completed"};

/// An id alone, or with the condition.
shape<dependency> dependency_shape() {
  using S = dependency;
  const auto alone = id_text();
  const auto full = object<S>(
    "Dependency",
    {
      required<S>("id", &S::id, id_text(), "The resource."),
      optional<S>(
        "condition", &S::condition,
        named<dependency_condition>({dependency_conditions.begin(), dependency_conditions.end()}),
        "What it must have reached: in place and its probes pass; in place; a ShellJob "
        "that ended with success."),
    });
  return {
    alone.expected() + ", or an object with 'id' and 'condition'",
    [=](const json& value, S& out, const place& where) {
      value.is_object() ? full.read(value, out, where) : alone.read(value, out.id, where);
    },
    [=](const S& from) {
      return from.condition == dependency_condition::ready ? alone.write(from.id)
                                                           : full.write(from);
    },
    [=](schema_context& ctx) {
      return json{{"oneOf", {alone.schema(ctx), full.schema(ctx)}}};
    },
  };
}

shape<resource> resource_shape() {
  using S = resource;
  const std::vector<field<S>> fields{
    required<S>(
      "kind", [](auto& r) -> auto& { return r.id.kind; }, kind_shape(),
      "What sort of thing it is."),
    required<S>(
      "name", [](auto& r) -> auto& { return r.id.name; }, text(formats::name),
      "Unique within its kind."),
    optional<S>("dependsOn", &S::depends_on, id_list(dependency_shape()),
                "Applied first only when all of these hold."),
    optional<S>("restartOn", &S::restart_on, id_list(id_text()),
                "Restarted when one of these was changed."),
    optional<S>("onRemove", &S::on_remove, named<removal_policy>({"delete", "retain"}),
                "What becomes of it when it leaves the manifest."),
    optional<S>("probes", &S::probes, probe_set_shape(), "How its health is asked."),
    optional<S>("origin", &S::origin, text(formats::short_text),
                "The class, rollout or person that it came from."),
    spec_field(),
  };
  const auto units = unit_probes_named();
  return object<S>("", fields, {units}).described([=](schema_context& ctx) {
    ctx.definitions["Resource"] = object_schema(ctx, fields, {spec_by_kind(ctx), units});
    return json{{"$ref", "#/$defs/Resource"}};
  });
}

shape<std::vector<resource>> resource_list() {
  const auto list = list_of(resource_shape(), 0, ec::invalid_spec);
  return list.described([list](schema_context& ctx) {
    auto result = list.schema(ctx);
    result["maxItems"] = max_resources;
    return result;
  });
}

shape<manifest_metadata> metadata_shape() {
  using S = manifest_metadata;
  return object<S>(
    "Metadata",
    {
      required<S>("agent", &S::agent, text(formats::name), "The device that it is for."),
      required<S>("generation", &S::generation, whole<generation_number>(1, max_whole),
                  "Grows with each manifest of the device."),
      optional<S>("keyEpoch", &S::key_epoch, whole<std::uint32_t>(1, 0xFFFFFFFFU),
                  "Of the signing keys."),
      maybe<S>("issuedAt", &S::issued_at, time_stamp(), "When it was written."),
      maybe<S>("expiresAt", &S::expires_at, time_stamp(), "After this it is not accepted anew."),
      optional<S>("labels", &S::labels, dictionary(formats::label_name, formats::short_text),
                  "For people and selectors."),
    });
}

/// Composite declarations; this version knows none.
field<manifest> scores_field() {
  const std::string expected = "an empty list (this version knows no scores)";
  return {
    "scores",
    "Composite declarations. This version knows none: leave it out or empty.",
    false,
    expected,
    [=](const json& value, manifest&, const place& where) {
      if (!value.is_array() || !value.empty())
        mismatch(where, expected, value);
    },
    [](const manifest&) { return std::optional<json>{}; },
    [](schema_context&) {
      return json{{"type", "array"}, {"maxItems", 0}};
    },
  };
}

/// Every fault of a rejected resource in one line, bounded: it stands in each status.
std::string joined(const complaints& faults) {
  constexpr std::size_t limit = 1000;
  std::string result;
  std::size_t used = 0;
  for (const auto& each : faults.issues) {
    if (result.size() > limit)
      break;
    result +=
      (result.empty() ? "" : "; ") + (each.path.empty() ? "" : each.path + ": ") + each.message;
    ++used;
  }
  if (used < faults.count)
    result += "; and " + std::to_string(faults.count - used) + " more";
  return result;
}

/// Moves what cannot be accepted from `resources` to `rejected`, once an id.
void set_aside(manifest& m, const std::vector<complaints>& parts) {
  struct verdict {
    complaints faults;
    std::string origin;
  };
  std::map<resource_id, verdict> bad;
  for (std::size_t i = 0; i < m.resources.size(); ++i)
    if (parts[i].count != 0) {
      auto& each = bad[m.resources[i].id];
      each.faults.add_all(parts[i]);
      if (each.origin.empty())
        each.origin = m.resources[i].origin;
    }
  std::erase_if(m.resources, [&](const resource& r) { return bad.count(r.id) != 0; });
  for (const auto& [id, why] : bad) {
    const auto& issues = why.faults.issues;
    const bool duplicate = std::any_of(issues.begin(), issues.end(), [](const issue& each) {
      return each.code == ec::duplicate_name;
    });
    m.rejected.push_back(
      {id, duplicate ? ec::duplicate_name : issues.front().code, joined(why.faults), why.origin});
  }
}

/// Judges the resources of `m`, whose faults so far are in `found.parts`.
void judge(manifest& m, complaints& found) {
  found.parts.resize(m.resources.size());
  check_references(m, found.parts);
  for (std::size_t i = 0; i < m.resources.size(); ++i) {
    auto& part = found.parts[i];
    const auto& id = m.resources[i].id;
    if (!id.kind.empty() && !id.name.empty())
      continue;
    for (auto& each : part.issues) // nothing to hang them on
      each.code = ec::invalid_document;
    found.add_all(std::exchange(part, {}));
  }
}

/// Every issue, as far as they can be of use.
std::vector<issue> listed(const complaints& found) {
  constexpr std::size_t limit = 1000;
  auto all = found.issues;
  auto count = found.count;
  for (const auto& part : found.parts) {
    all.insert(all.end(), part.issues.begin(), part.issues.end());
    count += part.count;
  }
  all.resize(std::min(all.size(), limit));
  if (all.size() < count)
    all.push_back({{}, "and " + std::to_string(count - all.size()) + " more issues", found.code});
  return all;
}

} // namespace

const shape<manifest>& manifest_shape() {
  using S = manifest;
  static const auto form = object<S>(
    "", {
          constant<S>("apiVersion", "harmony/v1", "Version of the format."),
          constant<S>("kind", "AgentManifest", "What this document is."),
          required<S>("metadata", &S::metadata, metadata_shape(), "Whose it is, and which."),
          required<S>("spec", self,
                      object<S>("", {required<S>("resources", &S::resources, resource_list(),
                                                 "The managed things, at most 1000."),
                                     optional<S>("progressDeadlineSeconds", &S::progress_deadline,
                                                 whole<std::uint32_t>(0, 604800),
                                                 "How long it may take to become ready; then the "
                                                 "device goes back to the last manifest that "
                                                 "converged. 0: as long as it takes."),
                                     scores_field()}),
                      "What the device should be."),
        });
  return form;
}

} // namespace detail

std::string_view name_of(dependency_condition c) noexcept {
  return detail::dependency_conditions.at(static_cast<std::size_t>(c));
}

manifest_reading read_manifest(std::string_view text) {
  using namespace detail;
  complaints found;
  const auto document = parse_json(text, {}, found);
  if (!document)
    return {{}, std::move(found.issues)};
  manifest m;
  manifest_shape().read(*document, m, place{found});
  judge(m, found);
  manifest_reading result{{}, listed(found)};
  if (found.count != 0)
    return result;
  set_aside(m, found.parts);
  for (auto& r : m.resources)
    r.revision = revision_of(r.spec);
  result.value = std::move(m);
  return result;
}

std::string write_manifest(const manifest& m) {
  return detail::to_text(detail::manifest_shape().write(m), true) + "\n";
}

outcome<resource_spec> read_spec(std::string_view kind, std::string_view text) {
  using namespace detail;
  const auto* entry = find_kind(kind);
  if (!entry)
    return {ec::unknown_kind, "kind '" + std::string{kind} + "' is not known"};
  complaints found{.code = ec::invalid_spec};
  resource_spec spec;
  if (const auto value = parse_json(text, {}, found))
    entry->read(*value, spec, place{found});
  if (found.count != 0)
    return {ec::invalid_spec, joined(found)};
  return spec;
}

std::string json_schema(std::string_view document) {
  using namespace detail;
  if (document == "AgentManifest")
    return document_schema(document, "What a device should be (harmony/v1).", true,
                           [](schema_context& ctx) { return manifest_shape().schema(ctx); });
  if (document == "AgentStatus")
    return document_schema(document, "What a device is (harmony/v1).", false,
                           [](schema_context& ctx) { return status_shape().schema(ctx); });
  return {};
}

} // namespace harmony
