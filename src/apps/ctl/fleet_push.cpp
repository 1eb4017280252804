#include "apps/ctl/fleet_push.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "apps/ctl/account_claims.hpp"
#include "identity/login.hpp"

namespace harmony::ctl {

namespace {

using std::chrono::seconds;
using std::chrono::sys_seconds;

constexpr const char* claims_update = "$SYS.REQ.CLAIMS.UPDATE";

std::string claims_lookup(const keyring& keys) {
  return "$SYS.REQ.ACCOUNT." + keys.fleet.public_key() + ".CLAIMS.LOOKUP";
}

/// A user of this one command, known to the server by a JWT that ends soon.
outcome<login> system_login(const keyring& keys, sys_seconds now) {
  constexpr seconds short_lived{60};
  const auto key = std::make_shared<nkey_pair>(nkey_pair::make(nkey_kind::user));
  const auto jwt = system_jwt(keys, {"harmonyctl", key->public_key(), now, now + short_lived});
  if (!jwt)
    return jwt.error();
  return login{*jwt, key};
}

outcome<store_options> system_of(const context& c, const keyring& keys, sys_seconds now) {
  const auto who = system_login(keys, now);
  if (!who)
    return who.error();
  auto to = store_options_of(c.global);
  to.as = [who = *who]() -> outcome<login> { return who; };
  return to;
}

} // namespace

outcome<sys_seconds> learn_revoked(const context& c, const std::string& folder, keyring& keys,
                                   sys_seconds now) {
  const auto to = system_of(c, keys, now);
  if (!to)
    return to.error();
  const auto answer = c.env.ask_server(*to, claims_lookup(keys), "", c.global.timeout);
  if (!answer)
    return failure{answer.error().code,
                   "it does not tell whom it has turned out so far: " + answer.error().message};
  const auto theirs = read_fleet_account(keys, *answer);
  if (!theirs)
    return theirs.error();
  const auto learnt = later_in(theirs->revoked, keys.revoked);
  if (auto noted = note_revoked(folder, learnt); !noted)
    return noted.error();
  for (const auto& [key, when] : learnt)
    keys.revoked[key] = when;
  return theirs->issued;
}

outcome<void> push_fleet_account(const context& c, const std::string& folder, keyring keys,
                                 sys_seconds now) {
  const auto theirs = learn_revoked(c, folder, keys, now);
  const auto to = system_of(c, keys, now);
  if (!theirs || !to)
    return theirs ? to.error() : theirs.error();
  // A server takes the newer one, by seconds: this must win over a configuration of just now, and
  // over an update by somebody whose clock is ahead.
  const auto jwt = fleet_account_jwt(keys, std::max(now, *theirs) + seconds{1});
  if (!jwt)
    return jwt.error();
  const auto answer = c.env.ask_server(*to, claims_update, *jwt, c.global.timeout);
  if (!answer)
    return answer.error();
  const auto said = nlohmann::json::parse(*answer, nullptr, false);
  if (said.is_object() && said.contains("data"))
    return {};
  return {ec::store_denied, "the server did not take the account: " + *answer};
}

} // namespace harmony::ctl
