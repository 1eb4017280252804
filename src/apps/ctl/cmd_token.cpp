// enroll-token create, list, revoke.
#include <ostream>

#include "apps/ctl/account_claims.hpp"
#include "apps/ctl/commands.hpp"
#include "apps/ctl/enrolments.hpp"
#include "identity/secret_file.hpp"
#include "model/manifest.hpp"

namespace harmony::ctl {

namespace {

using std::chrono::seconds;

/// What all tokens of one command have in common.
struct token_maker {
  const token_create_options& o;
  std::string url;
  std::string ca;
  std::optional<keyring> keys; ///< operator mode
  timestamp now;

  [[nodiscard]] outcome<enrolment_token> make() const;
  /// Has it known: to the store, and where the server's configuration is made from.
  outcome<void> publish(store& to, const enrolment_token& token, milliseconds timeout) const;
};

outcome<enrolment_token> token_maker::make() const {
  enrolment_token token{url, nkey_pair::make(nkey_kind::user), {}, o.device, ca, now + o.expires};
  if (!keys)
    return token;
  const auto from = std::chrono::floor<seconds>(now);
  auto jwt = token_jwt(
    *keys, {token.id(), token.key.public_key(), from, std::chrono::ceil<seconds>(now + o.expires)});
  if (!jwt)
    return jwt.error();
  token.jwt = std::move(*jwt);
  return token;
}

outcome<void> token_maker::publish(store& to, const enrolment_token& token,
                                   milliseconds timeout) const {
  enrolment_record record;
  record.device = o.device;
  record.created = now;
  record.expires = now + o.expires;
  if (auto put = to.put(bucket::enrolment, token.id(), write_record(record), 0, timeout); !put)
    return put.error();
  if (o.tokens.empty())
    return {};
  return append_secret_line(o.tokens, token.id() + " " + token.key.public_key());
}

outcome<token_maker> maker_of(const context& c, const token_create_options& o) {
  token_maker maker{o,
                    shown_url(o.server.empty() ? c.global.store : o.server),
                    {},
                    {},
                    std::chrono::floor<milliseconds>(c.env.now())};
  if (maker.url.rfind("nats://", 0) != 0 && maker.url.rfind("tls://", 0) != 0)
    return {ec::invalid_spec, "devices enrol at a NATS server, and '" + maker.url
                                + "' is none; give --store or --server nats://… or tls://…"};
  if (o.keys.empty() == o.tokens.empty())
    return {ec::invalid_spec, "give --keys FOLDER (operator mode) or --tokens FILE (static keys)"};
  if (!c.global.ca_file.empty()) {
    auto ca = read_text_file(c.global.ca_file);
    if (!ca)
      return ca.error();
    maker.ca = std::move(*ca);
  }
  if (!o.keys.empty()) {
    auto keys = load_keyring(o.keys);
    if (!keys)
      return keys.error();
    maker.keys = std::move(*keys);
  }
  return maker;
}

/// Makes the tokens, and prints or lists each as soon as it is known.
outcome<void> make_all(const context& c, const token_maker& maker, store& to, listing& made) {
  for (int i = 0; i < maker.o.count; ++i) {
    const auto token = maker.make();
    if (!token)
      return token.error();
    if (auto known = maker.publish(to, *token, c.global.timeout); !known)
      return known;
    if (c.as_table())
      c.print(write_token(*token) + "\n");
    else
      made.rows.push_back({cell::of(token->id()), cell::of(write_token(*token)),
                           cell::of(maker.o.device),
                           cell::of(format_time(maker.now + maker.o.expires))});
  }
  return {};
}

} // namespace

exit_code run(const context& c, const token_create_options& o) {
  const auto maker = maker_of(c, o);
  if (!maker)
    return maker.error().code == ec::invalid_spec ? c.fail(exit_code::usage, maker.error().message)
                                                  : c.fail(maker.error());
  const auto to = c.connected();
  if (!to)
    return c.fail(to.error());
  listing made{{{"", "id"}, {"", "token"}, {"", "device"}, {"", "expires"}}, {}, {}};
  const auto done = make_all(c, *maker, **to, made);
  if (!c.as_table()) // those that were made are good, and shown nowhere else
    c.print(render(made, c.global.format, false));
  if (!done)
    return c.fail(done.error());
  const auto until = format_time(maker->now + o.expires);
  c.env.err << "each is good for one request, until " << until
            << (o.device.empty() ? "" : ", by '" + o.device + "' alone")
            << "; on the device: harmony-agent enroll --token -\n";
  if (!o.tokens.empty())
    c.env.err << "the server knows them once it has a new 'server-config --tokens " << o.tokens
              << "' and a reload\n";
  return exit_code::ok;
}

exit_code run(const context& c, const token_list_options& /*o*/) {
  const auto all = read_enrolments(c);
  if (!all)
    return c.fail(all.error());
  c.print(render(list_tokens(*all, c.env.now()), c.global.format, c.colour()));
  return exit_code::ok;
}

exit_code run(const context& c, const token_revoke_options& o) {
  const auto from = c.connected();
  if (!from)
    return c.fail(from.error());
  const auto entry = (*from)->get(bucket::enrolment, o.id, c.time.left());
  if (!entry)
    return c.fail(entry.error());
  auto record =
    *entry ? read_record((*entry)->value)
           : outcome<enrolment_record>{
             failure{ec::not_found, "no token '" + o.id + "'; see 'harmonyctl enroll-token list'"}};
  if (!record)
    return c.fail(record.error());
  if (record->is == enrolment_record::state::approved)
    return c.fail(exit_code::conflict, "'" + record->device
                                         + "' was let in by this token; to turn "
                                           "it out: harmonyctl revoke "
                                         + record->device);
  record->is = enrolment_record::state::revoked;
  record->reason = o.reason;
  const auto done =
    (*from)->put(bucket::enrolment, o.id, write_record(*record), (*entry)->revision, c.time.left());
  if (!done)
    return c.fail(done.error());
  c.print("token '" + o.id + "' revoked: nobody is let in by it\n");
  return exit_code::ok;
}

} // namespace harmony::ctl
