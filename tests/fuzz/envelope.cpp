// The envelope of a manifest, and the keys that sign it.

#include "trust/envelope.hpp"
#include "fuzz.hpp"
#include "trust/trust_policy.hpp"

namespace harmony::fuzz {

namespace {

/// Two of alice, bob and carol, whose keys are the test vectors of RFC 8032.
const trust_policy& pinned() {
  static const trust_policy policy{
    {*read_public_key("ed25519:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo= alice"),
     *read_public_key("ed25519:PUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw= bob"),
     *read_public_key("ed25519:/FHNjmIYoaONpH7QAjDwWAgW7RO6MwOsXeuRFUiQgCU= carol")},
    2,
    1};
  return policy;
}

void check_keys(std::string_view bytes) {
  if (const auto key = read_public_key(bytes))
    require(*read_public_key(write_public_key(*key)) == *key, "a key survives its line");
  if (const auto key = read_secret_key(bytes))
    require(verifies(key->pub().key, "m", key->sign("m")), "a key verifies what it signs");
}

void check_accepted(const envelope& e, const opened_document& opened) {
  require(e.type == manifest_payload_type, "what is accepted is a manifest");
  require(opened.payload == e.payload, "what is accepted is what was signed");
  require(opened.signers.size() >= 2, "who is accepted is enough");
  auto changed = e;
  changed.payload.push_back(' ');
  require(!open_document(write_envelope(changed), pinned()), "other bytes are not signed");
}

} // namespace

void take(std::string_view bytes) {
  check_keys(bytes);
  const auto opened = open_document(bytes, pinned());
  const auto e = read_envelope(bytes);
  require(e || !opened, "nothing is accepted without an envelope");
  require(!is_envelope(bytes) || may_be_envelope(bytes), "an envelope may be one");
  if (!e)
    return;
  require(e->signatures.size() <= max_signatures, "signatures are few");
  require(*read_envelope(write_envelope(*e)) == *e, "an envelope survives writing and reading");
  if (opened)
    check_accepted(*e, *opened);
}

} // namespace harmony::fuzz
