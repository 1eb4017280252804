#pragma once

// The tables of the documents' parts, each built once.

#include "model/detail/shape.hpp"
#include "model/status.hpp"

namespace harmony::detail {

/// A kind that `resource_spec` has an alternative for.
struct kind_entry {
  std::string_view name;
  std::string_view doc;
  std::function<void(const json& value, resource_spec& out, const place& where)> read;
  std::function<json(const resource_spec& spec)> write;
  std::function<json(schema_context& ctx)> schema;
};

// Tables of the kinds that change the system itself.
shape<shell_job_spec> shell_job_shape();
shape<package_spec> package_shape();
shape<user_spec> user_shape();
shape<network_spec> network_shape();
shape<postgres_cluster_spec> postgres_cluster_shape();

/// What stands in a manifest in place of a secret.
shape<secret_ref> secret_shape();

/// In the order of `resource_spec`'s alternatives.
const std::vector<kind_entry>& kinds();

/// The entry of `name`; null where this version has none.
const kind_entry* find_kind(std::string_view name);

const shape<probe_set>& probe_set_shape();
const shape<manifest>& manifest_shape();
const shape<agent_status>& status_shape();

shape<agent_phase> agent_phase_shape();

/// Reads a document; fields that it does not know are faults if `strict`. `what` names it in the
/// message of a failure, which tells the first fault and how many more there are.
template <class T>
outcome<T> read_as(std::string_view what, std::string_view text, const shape<T>& form,
                   const json_limits& limits, bool strict) {
  complaints found{.strict = strict};
  T result;
  if (const auto value = parse_json(text, limits, found))
    form.read(*value, result, place{found});
  if (found.count == 0)
    return result;
  const auto& first = found.issues.front();
  return {first.code,
          "cannot read the " + std::string{what} + ": "
            + (first.path.empty() ? "" : first.path + ": ") + first.message
            + (found.count == 1 ? "" : "; and " + std::to_string(found.count - 1) + " more")};
}

/// The whole schema of a document.
std::string document_schema(std::string_view title, std::string_view doc, bool strict,
                            const std::function<json(schema_context&)>& root);

/// Finds what is wrong among the resources of `m` (duplicates, unknown dependencies, cycles). The
/// faults of resource i go to `parts[i]`; resources without a proper id take no part.
void check_references(const manifest& m, std::vector<complaints>& parts);

} // namespace harmony::detail
