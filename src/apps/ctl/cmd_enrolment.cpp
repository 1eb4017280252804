// enrolments, approve, deny.
#include <algorithm>
#include <ostream>

#include "apps/ctl/account_claims.hpp"
#include "apps/ctl/commands.hpp"
#include "apps/ctl/enrolments.hpp"
#include "apps/ctl/server_config.hpp"
#include "identity/secret_file.hpp"

namespace harmony::ctl {

namespace {

using std::chrono::seconds;

/// The one that waits for an answer, by device or token.
outcome<enrolment> pending_of(const context& c, store& from, const std::string& which) {
  auto all = read_enrolments(from, c.global.timeout);
  if (!all)
    return all.error();
  const auto now = c.env.now();
  std::vector<enrolment> found;
  std::string others;
  for (auto& e : *all) {
    if (e.id != which && !(e.request && e.request->device == which))
      continue;
    const auto s = standing_of(e, now);
    if (s == standing::pending || (e.id == which && s == standing::invalid))
      found.push_back(std::move(e));
    else
      others += (others.empty() ? "" : ", ") + e.id + " is " + std::string{name_of(s)};
  }
  if (found.size() == 1)
    return std::move(found.front());
  if (found.empty())
    return {ec::not_found, "no request of '" + which + "' waits for an answer"
                             + (others.empty() ? "" : " (token " + others + ")")
                             + "; see 'harmonyctl enrolments'"};
  std::string ids;
  for (const auto& e : found)
    ids += (ids.empty() ? "" : ", ") + e.id;
  return {ec::conflict, "several ask to be '" + which
                          + "': name the token of the right one by its fingerprint (" + ids + ")"};
}

/// The keys by which the device that asks is known and not turned out; fails where it asks with
/// another's.
outcome<std::vector<std::string>> live_keys(const approve_options& o, const keyring* keys,
                                            const enrolment_request& r) {
  const auto listed = keys != nullptr ? listed_devices(o.keys) : load_fleet_so_far(o.devices);
  if (!listed)
    return listed.error();
  if (const auto own = check_own_key(*listed, {r.device, r.nkey}); !own)
    return own.error();
  auto known = keys_of(*listed, r.device);
  if (keys != nullptr)
    std::erase_if(known, [&](const std::string& key) { return keys->revoked.contains(key); });
  return known;
}

bool has(const std::vector<std::string>& known, const std::string& nkey) {
  return std::find(known.begin(), known.end(), nkey) != known.end();
}

/// Fails where the request is not to be granted.
outcome<void> judge(const approve_options& o, const enrolment& e, const keyring* keys,
                    const std::vector<std::string>& known) {
  const auto& r = *e.request;
  const auto print = fingerprint_of(r.nkey);
  if (!o.fingerprint.empty() && o.fingerprint != print)
    return {ec::conflict, "the key that asks has the fingerprint " + print + ", and not "
                            + o.fingerprint + ": somebody else may have used the token; deny it"};
  if (keys != nullptr && keys->revoked.contains(r.nkey))
    return {
      ec::conflict,
      "that key was revoked: deny this request, and the device makes a new key for its next token"};
  if (known.empty() || has(known, r.nkey) || has(known, r.renews) || o.replace)
    return {};
  return {ec::conflict,
          "'" + r.device
            + "' has a key already, which this request was not signed "
              "with: it may be another device that claims its name. If it is the same "
              "device, and has lost its key, say --replace and revoke the former one"};
}

std::string question_of(const enrolment& e) {
  const auto& r = *e.request;
  std::string text = "'" + r.device + "' asks to be let in";
  if (!r.renews.empty())
    text += " with a new key, which its former one has signed";
  text += ".\n  fingerprint  " + fingerprint_of(r.nkey) + "\n  token        " + e.id + "\n";
  for (const auto& [name, value] : r.facts)
    text += "  " + printable(name) + std::string(name.size() < 11 ? 13 - name.size() : 2, ' ')
            + printable(value) + "\n";
  return text + "Does the device show the same fingerprint?";
}

/// The device in a list of static keys.
std::string line_of(const enrolment_request& r) {
  return r.device + " " + r.nkey;
}

/// Where the server is to know the key from: the fleet's lists, or the answer's JWT.
outcome<std::string> admit(const context& c, const approve_options& o, const keyring* keys,
                           const enrolment_request& r, const std::vector<std::string>& known) {
  if (keys == nullptr) {
    if (has(known, r.nkey))
      return std::string{};
    if (auto noted = append_secret_line(o.devices, line_of(r)); !noted)
      return noted.error();
    return std::string{};
  }
  if (auto noted = note_device(o.keys, r.device, r.nkey); !noted)
    return noted.error();
  user_request whom{r.device, r.nkey, std::chrono::floor<seconds>(c.env.now()), std::nullopt};
  if (o.expires)
    whom.expires = whom.now + std::chrono::ceil<seconds>(*o.expires);
  auto clusters = clusters_of_device(o.keys, r.device);
  if (!clusters)
    return clusters.error();
  whom.clusters = std::move(*clusters);
  return device_jwt(*keys, whom);
}

void report(const context& c, const approve_options& o, const enrolment_request& r) {
  c.print("'" + r.device + "' approved, key " + fingerprint_of(r.nkey) + "\n");
  if (o.keys.empty())
    c.print("It is let in once the server has a new 'server-config --devices " + o.devices
            + "' and a reload; that has of it:\n\n" + static_user({r.device, r.nkey}));
  if (!r.renews.empty() && !o.keys.empty())
    c.print("Its former key holds until: harmonyctl revoke " + r.device + " --superseded --keys "
            + o.keys + "\n");
  else if (!r.renews.empty())
    c.print("Drop the line of its former key (" + r.renews
            + ") when 'harmonyctl enrolments' says Enrolled\n");
}

/// Takes the line that this run has added off the list.
outcome<void> take_back(const std::string& list, const enrolment_request& r) {
  auto text = read_text_file(list, longest_fleet_list);
  if (!text)
    return text.error();
  const auto line = line_of(r) + "\n";
  const auto at = text->rfind(line);
  if (at == std::string::npos || (at > 0 && (*text)[at - 1] != '\n'))
    return {};
  return replace_secret_file(list, text->erase(at, line.size()));
}

/// A list of static keys has nobody who was not approved: mends it where somebody else answered.
outcome<void> mend_list(const context& c, store& from, const approve_options& o,
                        const enrolment& e) {
  const auto& r = *e.request;
  const auto entry = from.get(bucket::enrolment, e.id, c.global.timeout);
  if (entry && *entry)
    if (const auto stands = read_record((*entry)->value);
        stands && stands->is == enrolment_record::state::approved && stands->nkey == r.nkey)
      return {};
  const auto mended = entry ? take_back(o.devices, r) : outcome<void>{entry.error()};
  if (mended)
    return {};
  return {ec::conflict, "somebody else answered '" + o.which + "' just now, and the line '"
                          + line_of(r) + "' could not be taken out of '" + o.devices
                          + "' again: " + mended.error().message
                          + "; do that unless 'harmonyctl enrolments' says Approved"};
}

/// Fails with conflict where somebody else has answered meanwhile.
auto put_answer(const context& c, store& to, const enrolment& e) {
  return to.put(bucket::enrolment, e.id, write_record(e.record), e.revision, c.global.timeout);
}

exit_code lost_race(const context& c, const failure& why, const std::string& which) {
  return why.code == ec::conflict
           ? c.fail(exit_code::conflict,
                    "somebody else answered '" + which + "' just now; see 'harmonyctl enrolments'")
           : c.fail(why);
}

} // namespace

exit_code run(const context& c, const enrolments_options& /*o*/) {
  const auto all = read_enrolments(c);
  if (!all)
    return c.fail(all.error());
  c.print(render(list_enrolments(*all, c.env.now()), c.global.format, c.colour()));
  return exit_code::ok;
}

exit_code run(const context& c, const approve_options& o) {
  if (o.keys.empty() == o.devices.empty())
    return c.fail(exit_code::usage,
                  "give --keys FOLDER (operator mode) or --devices FILE (static keys)");
  std::optional<keyring> keys;
  if (!o.keys.empty()) {
    auto loaded = load_keyring(o.keys);
    if (!loaded)
      return c.fail(loaded.error());
    keys = std::move(*loaded);
  }
  const auto from = c.connected();
  if (!from)
    return c.fail(from.error());
  auto e = pending_of(c, **from, o.which);
  if (!e)
    return c.fail(e.error());
  if (!e->fault.empty())
    return c.fail(exit_code::conflict, "not approved: " + e->fault);
  const auto* held = keys ? &*keys : nullptr;
  const auto known = live_keys(o, held, *e->request);
  if (!known)
    return c.fail(known.error());
  if (const auto good = judge(o, *e, held, *known); !good)
    return c.fail(good.error());
  if (o.fingerprint.empty() && !o.yes) {
    if (!c.env.in_is_terminal)
      return c.fail(exit_code::usage, "compare the fingerprint that the device shows, and give it "
                                      "with --fingerprint; or -y where that was done");
    if (!confirmed(c, question_of(*e)))
      return c.fail(exit_code::failure, "not approved: not confirmed");
  }
  // The lists come first: a key that could be let in is one that can be revoked.
  auto jwt = admit(c, o, held, *e->request, *known);
  if (!jwt)
    return c.fail(jwt.error());
  e->record.is = enrolment_record::state::approved;
  e->record.device = e->request->device;
  e->record.nkey = e->request->nkey;
  e->record.jwt = std::move(*jwt);
  const auto put = put_answer(c, **from, *e);
  if (!put && put.error().code == ec::conflict && held == nullptr && !has(*known, e->request->nkey))
    if (const auto mended = mend_list(c, **from, o, *e); !mended)
      return c.fail(mended.error());
  if (!put)
    return lost_race(c, put.error(), o.which);
  report(c, o, *e->request);
  return exit_code::ok;
}

exit_code run(const context& c, const deny_options& o) {
  const auto from = c.connected();
  if (!from)
    return c.fail(from.error());
  auto e = pending_of(c, **from, o.which);
  if (!e)
    return c.fail(e.error());
  e->record.is = enrolment_record::state::denied;
  e->record.reason = o.reason;
  const auto put = put_answer(c, **from, *e);
  if (!put)
    return lost_race(c, put.error(), o.which);
  c.print("'" + o.which + "' denied: the token " + e->id + " is of no more use\n");
  return exit_code::ok;
}

} // namespace harmony::ctl
