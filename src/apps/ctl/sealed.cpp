#include "apps/ctl/sealed.hpp"

#include <algorithm>

namespace harmony::ctl {

sealed_document unseal(const std::string& document) {
  if (may_be_envelope(document))
    if (auto e = read_envelope(document)) {
      auto payload = e->payload;
      return {std::move(payload), std::move(*e)};
    }
  return {document, {}};
}

std::set<std::string> signers_of(const sealed_document& document) {
  std::set<std::string> ids;
  if (document.seal)
    for (const auto& s : document.seal->signatures)
      if (!s.key_id.empty())
        ids.insert(s.key_id);
  return ids;
}

envelope sealed(const std::string& payload, const std::vector<const envelope*>& former,
                const std::vector<secret_key>& keys) {
  envelope result{std::string{manifest_payload_type}, payload, {}};
  for (const auto* e : former)
    if (e != nullptr && e->payload == payload && e->type == manifest_payload_type)
      for (const auto& s : e->signatures)
        if (std::find(result.signatures.begin(), result.signatures.end(), s)
            == result.signatures.end())
          result.signatures.push_back(s);
  for (const auto& key : keys)
    sign(result, key);
  return result;
}

} // namespace harmony::ctl
