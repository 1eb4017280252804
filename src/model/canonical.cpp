// The canonical forms of specs and manifests, and their hashes.

#include <algorithm>

#include "model/detail/shapes.hpp"

namespace harmony {

namespace {

using detail::json;

/// What `content_hash` covers. The order of resources and of ids means nothing.
json content_of(manifest m) {
  std::sort(m.resources.begin(), m.resources.end(),
            [](const resource& a, const resource& b) { return a.id < b.id; });
  for (auto& r : m.resources) {
    std::sort(r.depends_on.begin(), r.depends_on.end());
    std::sort(r.restart_on.begin(), r.restart_on.end());
  }
  auto document = detail::manifest_shape().write(m);
  document["metadata"].erase("generation");
  document["metadata"].erase("issuedAt");
  for (const auto& each : m.rejected)
    document["rejected"].push_back(
      {each.id.str(), reason_of(each.code), each.message, each.origin});
  return document;
}

} // namespace

std::string canonical(const resource_spec& spec) {
  return detail::to_text(detail::kinds()[spec.index()].write(spec));
}

std::string revision_of(const resource_spec& spec) {
  return "sha256:" + sha256_hex(canonical(spec));
}

std::string content_hash(const manifest& m) {
  return "sha256:" + sha256_hex(detail::to_text(content_of(m)));
}

} // namespace harmony
