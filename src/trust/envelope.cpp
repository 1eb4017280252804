#include "trust/envelope.hpp"

#include <algorithm>
#include <optional>

#include "model/base64.hpp"
#include "model/detail/json.hpp"

namespace harmony {

namespace {

using detail::json;

constexpr std::size_t longest_type = 256;
constexpr std::size_t longest_key_id = 256;
/// Longer than any signature in use, of other algorithms too.
constexpr std::size_t longest_signature = 1024;

failure malformed(const std::string& what) {
  return {ec::invalid_document, "the envelope of the manifest is not DSSE: " + what};
}

const std::string* text_at(const json& object, const char* field) {
  const auto found = object.find(field);
  return found != object.end() && found->is_string() ? found->get_ptr<const std::string*>()
                                                     : nullptr;
}

std::optional<std::string> decode(const std::string& text) {
  if (auto bytes = decode_base64(text))
    return bytes;
  return decode_base64(text, base64_alphabet::url_safe);
}

outcome<envelope_signature> read_signature(const json& value, const std::string& where) {
  if (!value.is_object())
    return malformed(where + ": expected an object");
  const auto* text = text_at(value, "sig");
  if (text == nullptr || text->size() > longest_signature)
    return malformed(where + ".sig: expected at most " + std::to_string(longest_signature)
                     + " characters of base64");
  auto bytes = decode(*text);
  if (!bytes)
    return malformed(where + ".sig: is not base64");
  envelope_signature result{{}, std::move(*bytes)};
  if (!value.contains("keyid"))
    return result;
  const auto* id = text_at(value, "keyid");
  if (id == nullptr || id->size() > longest_key_id)
    return malformed(where + ".keyid: expected a text of at most " + std::to_string(longest_key_id)
                     + " bytes");
  result.key_id = *id;
  return result;
}

outcome<std::vector<envelope_signature>> read_signatures(const json& object) {
  const auto list = object.find("signatures");
  if (list == object.end() || !list->is_array())
    return malformed("signatures: expected a list");
  if (list->size() > max_signatures)
    return malformed("signatures: there are " + std::to_string(list->size()) + ", the limit is "
                     + std::to_string(max_signatures));
  std::vector<envelope_signature> all;
  for (std::size_t i = 0; i < list->size(); ++i) {
    auto one = read_signature((*list)[i], "signatures[" + std::to_string(i) + "]");
    if (!one)
      return one.error();
    all.push_back(std::move(*one));
  }
  return all;
}

outcome<json> parse(std::string_view document) {
  detail::complaints found;
  auto value = detail::parse_json(document, {}, found);
  if (found.count != 0) {
    const auto& first = found.issues.front();
    return {first.code, (first.path.empty() ? "" : first.path + ": ") + first.message};
  }
  if (!value || !value->is_object())
    return malformed("expected a JSON object");
  return std::move(*value);
}

} // namespace

std::string pre_authentication_encoding(std::string_view type, std::string_view payload) {
  std::string text = "DSSEv1 ";
  text.reserve(text.size() + type.size() + payload.size() + 48);
  text.append(std::to_string(type.size())).append(" ").append(type);
  text.append(" ").append(std::to_string(payload.size())).append(" ").append(payload);
  return text;
}

bool may_be_envelope(std::string_view document) {
  return document.find("\"payloadType\"") != std::string_view::npos;
}

outcome<envelope> read_envelope(std::string_view document) {
  const auto value = parse(document);
  if (!value)
    return value.error();
  if (!value->contains("payload"))
    return {ec::unsigned_document, "it is not signed"};
  const auto* type = text_at(*value, "payloadType");
  if (type == nullptr || type->size() > longest_type)
    return malformed("payloadType: expected a text of at most " + std::to_string(longest_type)
                     + " bytes");
  const auto* payload = text_at(*value, "payload");
  auto bytes = payload == nullptr ? std::nullopt : decode(*payload);
  if (!bytes)
    return malformed("payload: is not base64");
  auto signatures = read_signatures(*value);
  if (!signatures)
    return signatures.error();
  return envelope{*type, std::move(*bytes), std::move(*signatures)};
}

bool is_envelope(std::string_view document) {
  if (!may_be_envelope(document))
    return false;
  const auto value = parse(document);
  return value && value->contains("payload");
}

std::string write_envelope(const envelope& e) {
  auto signatures = json::array();
  for (const auto& each : e.signatures) {
    json one{{"sig", encode_base64(each.bytes)}};
    if (!each.key_id.empty())
      one["keyid"] = each.key_id;
    signatures.push_back(std::move(one));
  }
  return detail::to_text(json{{"payload", encode_base64(e.payload)},
                              {"payloadType", e.type},
                              {"signatures", std::move(signatures)}},
                         true)
         + "\n";
}

void sign(envelope& e, const secret_key& key) {
  const auto id = key_id_of(key.pub().key);
  std::erase_if(e.signatures, [&](const envelope_signature& s) { return s.key_id == id; });
  e.signatures.push_back({id, key.sign(pre_authentication_encoding(e.type, e.payload))});
}

std::vector<named_key> signers_of(const envelope& e, const std::vector<named_key>& keys) {
  const auto message = pre_authentication_encoding(e.type, e.payload);
  std::vector<named_key> found;
  for (const auto& each : keys) {
    const auto id = key_id_of(each.key);
    const bool signed_it =
      std::any_of(e.signatures.begin(), e.signatures.end(), [&](const envelope_signature& s) {
        return (s.key_id.empty() || s.key_id == id) && verifies(each.key, message, s.bytes);
      });
    if (signed_it)
      found.push_back(each);
  }
  return found;
}

} // namespace harmony
