// The command line of what lets new devices in.
#include "apps/ctl/cli_parts.hpp"

namespace harmony::ctl {

namespace {

void declare_create(declaration& d, CLI::App& tokens) {
  const auto [create, values] = add_command<token_create_options>(
    tokens, d.result, "create", "Make a token, by which one device may ask once to be let in");
  add_agent(*create, "--for", values->device, "Good for this device alone [any]");
  create
    ->add_option_function<std::string>(
      "--expires",
      [into = values](const std::string& text) { into->expires = duration_of("--expires", text); },
      "How long it is good for, the operator's approval included [24h]")
    ->type_name("DURATION");
  create->add_option("--count", values->count, "So many tokens, a line each [1]")
    ->check(CLI::Range(1, 1000))
    ->type_name("NUMBER");
  create
    ->add_option("--server", values->server,
                 "The store's URL as devices reach it [that of --store]")
    ->type_name("URL");
  auto* keys = add_keys(*create, values->keys, "Operator mode: the fleet's keys");
  create
    ->add_option("--tokens", values->tokens,
                 "Static keys: the file for 'server-config --tokens', which they are added to")
    ->excludes(keys)
    ->type_name("FILE");
}

void declare_tokens(declaration& d) {
  auto* tokens =
    d.app.add_subcommand("enroll-token", "Make, list and revoke the tokens that devices enrol by");
  tokens->require_subcommand(1)->fallthrough();
  declare_create(d, *tokens);
  add_command<token_list_options>(*tokens, d.result, "list", "List the tokens and their state");
  const auto [revoke, values] = add_command<token_revoke_options>(*tokens, d.result, "revoke",
                                                                  "Have a token be of no more use");
  revoke->add_option("id", values->id, "The token's id")->required()->type_name("ID");
  revoke->add_option("--reason", values->reason, "Why; its holder is told")->type_name("TEXT");
}

} // namespace

void declare_enrolment(declaration& d) {
  declare_tokens(d);
  add_command<enrolments_options>(d.app, d.result, "enrolments",
                                  "List the devices that ask, or asked, to be let in");

  const auto [approve, values] =
    add_command<approve_options>(d.app, d.result, "approve", "Let a device in that asks for it");
  approve->add_option("which", values->which, "The device, or the id of its token")
    ->required()
    ->type_name("AGENT|ID");
  approve
    ->add_option("--fingerprint", values->fingerprint,
                 "What 'harmony-agent enroll' shows on the device; another key is refused")
    ->type_name("FINGERPRINT");
  auto* keys = add_keys(*approve, values->keys, "Operator mode: the fleet's keys");
  approve
    ->add_option("--devices", values->devices,
                 "Static keys: the file for 'server-config --devices', which it is added to")
    ->excludes(keys)
    ->type_name("FILE");
  approve
    ->add_option_function<std::string>(
      "--expires",
      [into = values](const std::string& text) { into->expires = duration_of("--expires", text); },
      "Operator mode: how long its credentials hold [for ever]")
    ->needs(keys)
    ->type_name("DURATION");
  approve->add_flag("--replace", values->replace,
                    "Although the device has a key already, which it does not show");
  approve->add_flag("-y,--yes", values->yes, "Do not ask: the fingerprint was compared");

  const auto [deny, deny_values] =
    add_command<deny_options>(d.app, d.result, "deny", "Turn down a device that asks to be let in");
  deny->add_option("which", deny_values->which, "The device, or the id of its token")
    ->required()
    ->type_name("AGENT|ID");
  deny->add_option("--reason", deny_values->reason, "Why; the device is told")->type_name("TEXT");
}

} // namespace harmony::ctl
