// The command line of keys and signatures.
#include "apps/ctl/cli_parts.hpp"

namespace harmony::ctl {

namespace {

void declare_key(declaration& d) {
  auto* key = d.app.add_subcommand("key", "Make and show the keys that sign manifests");
  key->require_subcommand(1)->fallthrough();

  const auto [generate, made] = add_command<key_generate_options>(
    *key, d.result, "generate", "Make a key: NAME.key, for its owner alone, and NAME.pub");
  const auto into = made;
  generate
    ->add_option_function<std::string>(
      "name",
      [into](const std::string& text) {
        if (!is_name(text))
          refuse("name", text, "lower-case letters, digits and inner hyphens, at most 63");
        into->name = text;
      },
      "Whose it is")
    ->required()
    ->type_name("NAME");
  generate->add_option("--folder", made->folder, "Where its files go [this folder]")
    ->type_name("FOLDER");

  const auto [list, listed] =
    add_command<key_list_options>(*key, d.result, "list", "List the keys in a folder");
  list->add_option("folder", listed->folder, "The folder [this one]")->type_name("FOLDER");

  const auto [show, shown] = add_command<key_show_options>(
    *key, d.result, "show", "Print the public key of a file, as agent.toml takes it");
  show->add_option("file", shown->file, "A public or a secret key")->required()->type_name("FILE");
}

} // namespace

void add_signing_keys(CLI::App& to, std::vector<std::string>& into) {
  to.add_option("--key", into, "Sign it with this secret key; may be given several times")
    ->allow_extra_args(false)
    ->type_name("FILE");
}

void declare_trust(declaration& d) {
  declare_key(d);

  const auto [sign, values] = add_command<sign_options>(
    d.app, d.result, "sign", "Sign a manifest, or add a signature to a signed one");
  sign->add_option("file", values->file, "A manifest or an envelope; - is standard input")
    ->required()
    ->type_name("FILE");
  add_signing_keys(*sign, values->keys);
  sign
    ->add_option("--generation", values->generation,
                 "The generation of the manifest [that in the file]")
    ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 53))
    ->type_name("GENERATION");
  sign->add_option("--into", values->into, "Write the envelope to this file [standard output]")
    ->type_name("FILE");

  const auto [verify, judged] =
    add_command<verify_options>(d.app, d.result, "verify", "Say who has signed an envelope");
  verify->add_option("file", judged->file, "An envelope; - is standard input")
    ->required()
    ->type_name("FILE");
  verify->add_option("--key", judged->keys, "A public key that counts; several times")
    ->allow_extra_args(false)
    ->type_name("FILE");
  verify
    ->add_option("--trust", judged->trust,
                 "An agent.toml, whose [trust] says which keys count and how many are needed")
    ->type_name("FILE");
  verify->add_option("--threshold", judged->threshold, "How many must have signed [1]")
    ->check(CLI::Range(1, 16))
    ->type_name("NUMBER");
  verify->callback([&result = d.result, values = judged] {
    if (values->keys.empty() && values->trust.empty())
      throw CLI::ValidationError("verify", "needs --key FILE or --trust FILE: whom do you trust?");
    result.command = *values;
  });
}

} // namespace harmony::ctl
