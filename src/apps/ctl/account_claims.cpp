#include "apps/ctl/account_claims.hpp"

#include <array>

#include <nlohmann/json.hpp>

#include "identity/jwt.hpp"
#include "transport/nats_access.hpp"

namespace harmony::ctl {

namespace {

using nlohmann::json;
using std::chrono::sys_seconds;

constexpr int claims_version = 2;
constexpr int unlimited = -1;
/// The same in every configuration of one fleet: a server that is to reload another operator
/// refuses the whole configuration. Nothing depends on it.
constexpr sys_seconds operator_issued{std::chrono::seconds{1'735'689'600}}; // 2025-01-01
/// What the server puts in place of this is the name of the user's JWT.
constexpr const char* name_of_user = "{{name()}}";
/// In place of "{{tag(…)}}" it puts each of the JWT's tags of that kind, each in a right of its
/// own; a JWT without any does not get the right. Only a whole token of a subject can be put in: so
/// there is a tag for each token that a cluster's name is in.
struct cluster_token {
  const char* tag;
  const char* before; ///< the name
};
constexpr std::array cluster_tokens{
  cluster_token{"pgha-lease-stream", "KV_PGHA_LEASE_"}, cluster_token{"pgha-stream", "KV_PGHA_"},
  cluster_token{"pgha-lease", "PGHA_LEASE_"}, cluster_token{"pgha-keys", "PGHA_"},
  cluster_token{"pgha-name", ""}};

/// A cluster's name in a subject, to be replaced.
constexpr const char* any_cluster = "@";

std::string with_tags(std::string subject) {
  for (const auto& [tag, before] : cluster_tokens) {
    const auto token = std::string{before} + any_cluster;
    if (const auto at = subject.find(token); at != std::string::npos)
      return subject.replace(at, token.size(), std::string{"{{tag("} + tag + ")}}");
  }
  return subject;
}

json limits_of_account(bool with_streams) {
  json limits{{"subs", unlimited},    {"data", unlimited},    {"payload", unlimited},
              {"imports", unlimited}, {"exports", unlimited}, {"wildcards", true},
              {"conn", unlimited},    {"leaf", unlimited}};
  if (with_streams)
    limits.update({{"mem_storage", unlimited},
                   {"disk_storage", unlimited},
                   {"streams", unlimited},
                   {"consumer", unlimited}});
  return limits;
}

json account_of(bool with_streams) {
  return {{"type", "account"},
          {"version", claims_version},
          {"limits", limits_of_account(with_streams)},
          {"default_permissions", {{"pub", json::object()}, {"sub", json::object()}}}};
}

json exports_of(const std::vector<nats::shared_subject>& shared) {
  auto list = json::array();
  for (const auto& each : shared)
    list.push_back({{"name", each.subject},
                    {"subject", each.subject},
                    {"type", each.is_service ? "service" : "stream"}});
  return list;
}

json imports_of(const std::vector<nats::shared_subject>& shared, const std::string& from) {
  auto list = json::array();
  for (const auto& each : shared) {
    list.push_back({{"name", each.subject},
                    {"subject", each.subject},
                    {"account", from},
                    {"type", each.is_service ? "service" : "stream"}});
    if (!each.here.empty())
      list.back()["local_subject"] = each.here;
  }
  return list;
}

/// The rights that a scoped key grants; no JWT that it signs can name others.
json scope_of(const nkey_pair& key, const char* role, const nats::subject_rights& rights,
              const json& more) {
  json granted{{"pub", {{"allow", rights.publish}}},
               {"sub", {{"allow", rights.subscribe}}},
               {"data", unlimited},
               {"allowed_connection_types", {"STANDARD"}}};
  granted.update(more);
  return {{"kind", "user_scope"}, {"key", key.public_key()}, {"role", role}, {"template", granted}};
}

json device_scope(const nkey_pair& key) {
  using std::chrono::nanoseconds;
  auto rights = nats::device_rights(name_of_user);
  const auto more = nats::member_rights(any_cluster, name_of_user);
  for (const auto& subject : more.publish)
    rights.publish.push_back(with_tags(subject));
  for (const auto& subject : more.subscribe)
    rights.subscribe.push_back(with_tags(subject));
  return scope_of(
    key, "device", rights,
    {{"resp",
      {{"max", nats::answers_a_command}, {"ttl", nanoseconds{nats::answer_within}.count()}}},
     {"subs", unlimited},
     {"payload", unlimited}});
}

json token_scope(const nkey_pair& key) {
  return scope_of(key, "token", nats::token_rights(name_of_user),
                  {{"subs", nats::token_subscriptions}, {"payload", nats::token_payload}});
}

/// A JWT by a scoped key, which says no more than whom it is for.
outcome<std::string> scoped_user(const nkey_pair& signer, const nkey_pair& account,
                                 const user_request& whom) {
  json claims{
    {"type", "user"}, {"version", claims_version}, {"issuer_account", account.public_key()}};
  for (const auto& cluster : whom.clusters)
    for (const auto& [tag, before] : cluster_tokens)
      claims["tags"].push_back(std::string{tag} + ":" + before + cluster);
  return sign_jwt(signer, {whom.name, whom.nkey, whom.now, whom.expires}, claims);
}

json enrol_account_of(const keyring& keys) {
  auto enrol = account_of(false);
  enrol["limits"]["conn"] = nats::token_connections;
  enrol["imports"] = imports_of(nats::shared_with_enrol(), keys.control.public_key());
  enrol["signing_keys"] = json::array({token_scope(keys.enrol_signer)});
  return enrol;
}

/// One who may do everything in an account.
outcome<std::string> full_user(const nkey_pair& account, const user_request& whom) {
  return sign_jwt(account, {whom.name, whom.nkey, whom.now, whom.expires},
                  {{"type", "user"},
                   {"version", claims_version},
                   {"pub", json::object()},
                   {"sub", json::object()},
                   {"subs", unlimited},
                   {"data", unlimited},
                   {"payload", unlimited}});
}

} // namespace

outcome<std::string> fleet_account_jwt(const keyring& keys, sys_seconds now) {
  auto fleet = account_of(false);
  fleet["imports"] = imports_of(nats::shared_with_fleet(keys.clusters), keys.control.public_key());
  fleet["exports"] = exports_of(nats::shared_with_control());
  fleet["signing_keys"] = json::array({device_scope(keys.signer)});
  for (const auto& [key, when] : keys.revoked)
    fleet["revocations"][key] = when.time_since_epoch().count();
  return sign_jwt(keys.operator_key,
                  {nats::fleet_account, keys.fleet.public_key(), now, std::nullopt}, fleet);
}

outcome<account_on_server> read_fleet_account(const keyring& keys, std::string_view jwt) {
  const auto claims = read_jwt_claims(jwt);
  if (!claims)
    return failure{ec::invalid_document,
                   "what the server has as the devices' account cannot be read: "
                     + claims.error().message};
  if (claims->issuer != keys.operator_key.public_key()
      || claims->head.subject != keys.fleet.public_key())
    return failure{ec::invalid_document, "what the server has as the devices' account is not of "
                                         "this fleet's operator; are these the keys of another "
                                         "fleet?"};
  account_on_server account{claims->head.issued, {}};
  const auto listed = claims->nats.find("revocations");
  if (listed == claims->nats.end() || listed->is_null())
    return account;
  const auto foreign = [](const std::string& what) {
    return failure{ec::invalid_document, "the server's account turns out '" + what
                                           + "', which harmonyctl cannot keep, so that an update "
                                             "would forget it"};
  };
  if (!listed->is_object())
    return foreign(listed->dump());
  for (const auto& [key, when] : listed->items()) {
    if (!is_public_nkey(nkey_kind::user, key) || !when.is_number_integer())
      return foreign(key);
    account.revoked[key] = sys_seconds{std::chrono::seconds{when.get<std::int64_t>()}};
  }
  return account;
}

outcome<fleet_claims> fleet_claims_of(const keyring& keys, sys_seconds now) {
  auto control = account_of(true);
  control["imports"] = imports_of(nats::shared_with_control(), keys.fleet.public_key());
  auto shared = nats::shared_with_fleet(keys.clusters);
  const auto also = nats::shared_with_enrol();
  shared.insert(shared.end(), also.begin(), also.end());
  control["exports"] = exports_of(shared);
  const json of_operator{{"type", "operator"},
                         {"version", claims_version},
                         {"system_account", keys.system.public_key()}};
  const auto sign = [&](const char* name, const nkey_pair& whose, const json& claims) {
    return sign_jwt(keys.operator_key, {name, whose.public_key(), now, std::nullopt}, claims);
  };
  auto top = sign_jwt(keys.operator_key,
                      {"harmony", keys.operator_key.public_key(), operator_issued, std::nullopt},
                      of_operator);
  auto system_account = sign("SYS", keys.system, account_of(false));
  auto control_account = sign(nats::control_account, keys.control, control);
  auto enrol_account = sign(nats::enrol_account, keys.enrol, enrol_account_of(keys));
  auto fleet = fleet_account_jwt(keys, now);
  for (const auto* each : {&top, &system_account, &control_account, &enrol_account, &fleet})
    if (!*each)
      return each->error();
  return fleet_claims{*top,
                      {{keys.system.public_key(), *system_account},
                       {keys.control.public_key(), *control_account},
                       {keys.enrol.public_key(), *enrol_account},
                       {keys.fleet.public_key(), *fleet}}};
}

outcome<std::string> device_jwt(const keyring& keys, const user_request& whom) {
  return scoped_user(keys.signer, keys.fleet, whom);
}

outcome<std::string> token_jwt(const keyring& keys, const user_request& whom) {
  return scoped_user(keys.enrol_signer, keys.enrol, whom);
}

outcome<std::string> admin_jwt(const keyring& keys, const user_request& whom) {
  return full_user(keys.control, whom);
}

outcome<std::string> system_jwt(const keyring& keys, const user_request& whom) {
  return full_user(keys.system, whom);
}

} // namespace harmony::ctl
