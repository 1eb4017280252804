#include "model/manifest.hpp"
#include "fuzz.hpp"

namespace harmony::fuzz {

namespace {

void check_spec(const resource& r) {
  const auto again = read_spec(r.id.kind, canonical(r.spec));
  require(again && *again == r.spec, "a spec survives its canonical form");
  require(r.revision == revision_of(r.spec), "a revision is that of its spec");
}

} // namespace

void take(std::string_view bytes) {
  const auto reading = read_manifest(bytes);
  require(reading.value || !reading.issues.empty(), "a refused manifest has an issue");
  if (!reading.value)
    return;
  auto m = *reading.value;
  require(reading.issues.empty() == m.rejected.empty(), "an issue of a resource rejects it");
  for (const auto& r : m.resources)
    check_spec(r);
  const bool whole = m.rejected.empty();
  m.rejected.clear();
  const auto again = read_manifest(write_manifest(m));
  if (!whole)
    return; // what hung on the rejected ones may hang in the air
  require(again.value && *again.value == m, "a manifest survives writing and reading");
  require(content_hash(*again.value) == content_hash(m), "equal manifests have equal hashes");
}

} // namespace harmony::fuzz
