// The command line of the commands about who may talk to the store.
#include <algorithm>

#include "apps/ctl/cli_parts.hpp"

namespace harmony::ctl {

CLI::Option* add_keys(CLI::App& to, std::string& into, const std::string& help) {
  return to.add_option("--keys", into, help)->type_name("FOLDER");
}

namespace {

void add_out(CLI::App& to, std::string& into) {
  to.add_option("--out", into, "The file to write [standard output]")->type_name("FILE");
}

/// A path as it may stand in the server's configuration.
CLI::Option* add_path(CLI::App& to, const std::string& name, std::string& into,
                      const std::string& help) {
  return to
    .add_option_function<std::string>(
      name,
      [name, &into](const std::string& text) {
        const auto bad = [](char c) { return static_cast<unsigned char>(c) < ' '; };
        if (text.empty() || text.front() != '/' || std::any_of(text.begin(), text.end(), bad))
          refuse(name, text, "an absolute path");
        into = text;
      },
      help)
    ->type_name("PATH");
}

void declare_server_config(declaration& d) {
  const auto [command, values] = add_command<server_config_options>(
    d.app, d.result, "server-config", "Write the configuration of a nats-server for a fleet");
  auto& o = *values;
  auto* keys =
    add_keys(*command, o.keys, "Operator mode, with the keys in this folder; made where missing");
  const auto add_list = [&, to = command](const char* name, std::vector<std::string>& into,
                                          const char* help) {
    return to->add_option(name, into, help)->allow_extra_args(false)->excludes(keys);
  };
  add_list("--device", o.devices, "A device and its public key; may be repeated")
    ->type_name("ID=NKEY");
  command->add_option("--devices", o.devices_file, "A file of lines 'ID NKEY [cluster=NAME]'")
    ->excludes(keys)
    ->type_name("FILE");
  command
    ->add_option("--tokens", o.tokens_file,
                 "The file of 'enroll-token create --tokens': those who may enrol")
    ->excludes(keys)
    ->type_name("FILE");
  add_list("--admin", o.admins, "Public key of who operates the fleet; may be repeated")
    ->type_name("NKEY");
  command
    ->add_flag("--in-memory", o.in_memory,
               "Operator mode: keep no JWTs on the server; renew by this file alone")
    ->needs(keys);
  command
    ->add_option_function<std::string>(
      "--listen",
      [values = values](const std::string& text) {
        constexpr const char* usual =
          "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
          ".:-[]";
        if (text.find(':') == std::string::npos
            || text.find_first_not_of(usual) != std::string::npos)
          refuse("--listen", text, "HOST:PORT");
        values->server.listen = text;
      },
      "Where the server listens [0.0.0.0:4222]")
    ->type_name("HOST:PORT");
  add_path(*command, "--store-dir", o.server.store_dir,
           "Where it keeps the streams [/var/lib/nats]");
  auto* cert = add_path(*command, "--tls-cert", o.server.tls_cert, "The server's certificate");
  auto* key = add_path(*command, "--tls-key", o.server.tls_key, "The key of that certificate");
  add_path(*command, "--tls-ca", o.server.tls_ca,
           "Clients must show a certificate of this CA (mutual TLS)")
    ->needs(cert);
  cert->needs(key);
  key->needs(cert);
  add_out(*command, o.out);
}

} // namespace

void declare_access(declaration& d) {
  declare_server_config(d);

  const auto [nkey, nkey_values] = add_command<nkey_options>(
    d.app, d.result, "nkey", "Make your NATS key where there is none, and print its public part");
  nkey->add_option("file", nkey_values->file, "Where it lies, for --nkey")
    ->required()
    ->type_name("FILE");

  const auto [credentials, values] = add_command<credentials_options>(
    d.app, d.result, "credentials", "Operator mode: make credentials for a device or an operator");
  add_agent(*credentials, "name", values->name, "The device, or who operates the fleet")
    ->required();
  add_keys(*credentials, values->keys, "The fleet's keys")->required();
  credentials
    ->add_option("--for", values->key,
                 "A JWT for this public key, which 'harmony-agent enroll' prints [a new key]")
    ->type_name("NKEY");
  auto* admin =
    credentials->add_flag("--admin", values->admin, "For one who operates the fleet, not a device");
  credentials
    ->add_option_function<std::vector<std::string>>(
      "--cluster",
      [into = values](const std::vector<std::string>& names) {
        for (const auto& name : names)
          if (!is_name(name))
            refuse("--cluster", name, "the name of a cluster");
        into->clusters = names;
      },
      "The device is a member of this cluster for failover; may be repeated")
    ->allow_extra_args(false)
    ->excludes(admin)
    ->type_name("CLUSTER");
  credentials
    ->add_option_function<std::string>(
      "--expires",
      [into = values](const std::string& text) { into->expires = duration_of("--expires", text); },
      "How long they hold [for ever]")
    ->type_name("DURATION");
  add_out(*credentials, values->out);

  const auto [revoke, revoke_values] = add_command<revoke_options>(
    d.app, d.result, "revoke", "Operator mode: turn a device out, at once");
  add_agent(*revoke, "agent", revoke_values->agent, "The device")->required();
  add_keys(*revoke, revoke_values->keys, "The fleet's keys")->required();
  auto* one =
    revoke->add_option("--for", revoke_values->key, "Only this public key of the device [all]")
      ->type_name("NKEY");
  revoke
    ->add_flag("--superseded", revoke_values->superseded,
               "All but its newest key, once the device was let in by that one")
    ->excludes(one);
}

} // namespace harmony::ctl
