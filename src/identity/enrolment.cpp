#include "identity/enrolment.hpp"

#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>

#include "identity/base32.hpp"
#include "identity/jwt.hpp"
#include "model/base64.hpp"
#include "model/ids.hpp"
#include "model/manifest.hpp"
#include "model/secret.hpp"
#include "model/utf8.hpp"

namespace harmony {

namespace {

using nlohmann::json;

constexpr std::string_view token_begin = "harmony-token-1.";
constexpr std::size_t longest_token = std::size_t{64} * 1024;
constexpr std::size_t longest_fact = 200;
constexpr std::size_t most_facts = 16;
constexpr const char* request_type = "harmony-enrolment-request";
constexpr const char* receipt_type = "harmony-enrolment-receipt";

constexpr std::array<std::pair<enrolment_record::state, std::string_view>, 4> states{
  {{enrolment_record::state::issued, "issued"},
   {enrolment_record::state::approved, "approved"},
   {enrolment_record::state::denied, "denied"},
   {enrolment_record::state::revoked, "revoked"}}};

std::string text_of(const json& from, const char* name) {
  const auto it = from.find(name);
  return it != from.end() && it->is_string() ? it->get<std::string>() : std::string{};
}

void set(json& into, const char* name, const std::string& text) {
  if (!text.empty())
    into[name] = text;
}

std::string dump(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

// What the former key signs: all that matters of the request, and nothing that could be anything
// else, such as a server's challenge.
std::string renewal_text(const enrolment_request& r) {
  return "harmony enrolment renewal\n" + r.token + "\n" + r.device + "\n" + r.nkey;
}

bool renewal_holds(const enrolment_request& r, const std::string& proof) {
  const auto data = decode_base64(proof);
  signature by{};
  if (!data || data->size() != by.size() || !is_public_nkey(nkey_kind::user, r.renews))
    return false;
  std::copy(data->begin(), data->end(), by.begin());
  return verify_nkey(r.renews, renewal_text(r), by);
}

/// As a document may have it: a firmware's name for the machine may be any bytes.
std::string clean(std::string_view text) {
  std::string kept;
  for (std::size_t at = 0; at < text.size() && kept.size() + 4 <= longest_fact;) {
    const auto length = utf8_length(text, at);
    kept += length == 0 ? std::string_view{"?"} : text.substr(at, length);
    at += std::max<std::size_t>(length, 1);
  }
  return kept;
}

std::optional<std::map<std::string, std::string>> facts_of(const json& nats) {
  std::map<std::string, std::string> facts;
  const auto it = nats.find("facts");
  if (it == nats.end())
    return facts;
  if (!it->is_object() || it->size() > most_facts)
    return std::nullopt;
  for (const auto& [name, value] : it->items()) {
    if (!value.is_string()
        || std::max(name.size(), value.get_ref<const std::string&>().size()) > longest_fact)
      return std::nullopt;
    facts[name] = value.get<std::string>();
  }
  return facts;
}

} // namespace

std::string token_id(std::string_view nkey) {
  constexpr std::size_t digits = 16; // 80 bits
  const auto hex = sha256_hex(nkey);
  bytes digest;
  for (std::size_t i = 0; i < hex.size(); i += 2)
    digest.push_back(static_cast<unsigned char>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  auto text = base32(digest).substr(0, digits);
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

std::string enrolment_token::id() const {
  return token_id(key.public_key());
}

std::string write_token(const enrolment_token& token) {
  json fields{{"store", token.store}, {"seed", token.key.seed()}};
  set(fields, "jwt", token.jwt);
  set(fields, "device", token.device);
  set(fields, "ca", token.ca);
  if (token.expires)
    fields["expires"] = format_time(*token.expires);
  const secret_bytes plain{dump(fields)};
  auto text = encode_base64(plain.reveal());
  std::replace(text.begin(), text.end(), '+', '-'); // a shell's and a URL's friend
  std::replace(text.begin(), text.end(), '/', '_');
  return std::string{token_begin} + text;
}

outcome<enrolment_token> read_token(std::string_view text) {
  const failure bad{ec::invalid_document,
                    "this is no token of 'harmonyctl enroll-token create', or not all of it"};
  if (text.size() > longest_token || text.substr(0, token_begin.size()) != token_begin)
    return bad;
  auto plain = decode_base64(text.substr(token_begin.size()), base64_alphabet::url_safe);
  const secret_bytes held{plain ? std::move(*plain) : std::string{}};
  const auto fields = json::parse(held.reveal(), nullptr, false);
  if (!fields.is_object())
    return bad;
  const secret_bytes seed{text_of(fields, "seed")};
  auto key = nkey_pair::from_seed(seed.reveal());
  enrolment_token token{text_of(fields, "store"), key ? *key : nkey_pair::make(nkey_kind::user),
                        text_of(fields, "jwt"),   text_of(fields, "device"),
                        text_of(fields, "ca"),    parse_time(text_of(fields, "expires"))};
  if (!key || key->kind() != nkey_kind::user || token.store.empty()
      || (!token.device.empty() && !is_name(token.device)))
    return bad;
  if (!token.jwt.empty()) {
    const auto head = read_jwt(token.jwt);
    if (!head || head->subject != token.key.public_key())
      return bad;
  }
  return token;
}

std::string fingerprint_of(std::string_view nkey) {
  constexpr std::size_t groups = 8;
  constexpr std::size_t digits = 4;
  const auto hex = sha256_hex(nkey);
  std::string text;
  for (std::size_t i = 0; i < groups; ++i)
    text += (i == 0 ? "" : "-") + hex.substr(i * digits, digits);
  return text;
}

std::string_view name_of(enrolment_record::state s) noexcept {
  for (const auto& [each, name] : states)
    if (each == s)
      return name;
  return {};
}

std::string write_record(const enrolment_record& record) {
  json fields{{"state", name_of(record.is)},
              {"created", format_time(record.created)},
              {"expires", format_time(record.expires)}};
  set(fields, "device", record.device);
  set(fields, "nkey", record.nkey);
  set(fields, "jwt", record.jwt);
  set(fields, "reason", record.reason);
  return dump(fields);
}

outcome<enrolment_record> read_record(std::string_view text) {
  const failure bad{ec::invalid_document, "this is no record of an enrolment token"};
  const auto fields = json::parse(text, nullptr, false);
  if (!fields.is_object())
    return bad;
  enrolment_record record;
  const auto state = text_of(fields, "state");
  const auto known =
    std::find_if(states.begin(), states.end(), [&](const auto& s) { return s.second == state; });
  const auto created = parse_time(text_of(fields, "created"));
  const auto expires = parse_time(text_of(fields, "expires"));
  record.device = text_of(fields, "device");
  record.nkey = text_of(fields, "nkey");
  record.jwt = text_of(fields, "jwt");
  record.reason = text_of(fields, "reason");
  if (known == states.end() || !created || !expires
      || (!record.device.empty() && !is_name(record.device)))
    return bad;
  record.is = known->first;
  record.created = *created;
  record.expires = *expires;
  if (record.is == enrolment_record::state::approved
      && (record.device.empty() || !is_public_nkey(nkey_kind::user, record.nkey)))
    return bad;
  return record;
}

outcome<std::string> sign_request(const enrolment_request& request, const signing_key& key,
                                  const signing_key* former, std::chrono::sys_seconds now) {
  json nats{{"type", request_type}, {"facts", json::object()}};
  for (const auto& [name, value] : request.facts)
    nats["facts"][name] = clean(value);
  if (former != nullptr) {
    auto full = request;
    full.nkey = key.public_key();
    const auto by = former->sign(renewal_text(full));
    if (!by)
      return by.error();
    nats["renews"] = former->public_key();
    nats["proof"] = encode_base64({reinterpret_cast<const char*>(by->data()), by->size()});
  }
  return sign_jwt(key, {request.device, request.token, now, std::nullopt}, nats);
}

outcome<enrolment_request> read_request(std::string_view text) {
  const failure bad{ec::invalid_document, "this is no request for an enrolment"};
  const auto claims = read_jwt_claims(text);
  if (!claims)
    return claims.error();
  if (!claims->nats.is_object() || text_of(claims->nats, "type") != request_type
      || !is_public_nkey(nkey_kind::user, claims->issuer) || !is_name(claims->head.name))
    return bad;
  enrolment_request found{
    claims->head.subject, claims->head.name, claims->issuer, text_of(claims->nats, "renews"), {}};
  if (claims->nats.contains("renews") && !renewal_holds(found, text_of(claims->nats, "proof")))
    return failure{ec::invalid_document,
                   "this request says that it renews a key which has not signed it"};
  auto facts = facts_of(claims->nats);
  if (!facts)
    return bad;
  found.facts = std::move(*facts);
  return found;
}

outcome<std::string> sign_receipt(const std::string& token, const signing_key& key,
                                  std::chrono::sys_seconds now) {
  return sign_jwt(key, {"receipt", token, now, std::nullopt}, {{"type", receipt_type}});
}

bool is_receipt(std::string_view text, std::string_view token, std::string_view nkey) {
  const auto claims = read_jwt_claims(text);
  return claims && claims->issuer == nkey && claims->head.subject == token
         && claims->nats.is_object() && text_of(claims->nats, "type") == receipt_type;
}

} // namespace harmony
