// seal: a secret for one device.
#include <fstream>
#include <istream>
#include <ostream>

#include "apps/ctl/commands.hpp"
#include "trust/sealing.hpp"

namespace harmony::ctl {

namespace {

/// The key that the device told the store.
outcome<sealing_public> key_of(const context& c, const std::string& agent) {
  const auto from = c.connected();
  if (!from)
    return from.error();
  const auto device = (*from)->get(bucket::device_info, agent, c.time.left());
  if (!device)
    return device.error();
  const auto facts = json::parse(*device ? (*device)->value : std::string{}, nullptr, false);
  if (!*device || !facts.is_object() || !facts.contains("sealingKey")
      || !facts["sealingKey"].is_string())
    return {ec::not_found, "the store has no sealing key of agent '" + agent
                             + "': start its agent, or name the key with --to (harmony-agent key)"};
  return read_sealing_public(facts["sealingKey"].get_ref<const std::string&>());
}

/// At most what a secret may have, in one allocation that is wiped.
outcome<secret_bytes> read_secret(const context& c, const std::string& file) {
  std::ifstream opened;
  if (file != "-")
    opened.open(file, std::ios::binary);
  auto& in = file == "-" ? c.env.in : opened;
  if (file == "-" && c.env.in_is_terminal)
    c.env.err << "Type the secret, then Ctrl-D twice; it is shown.\n";
  std::string text(max_secret_bytes + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  const bool failed = in.bad() || (file != "-" && !opened.is_open());
  text.resize(static_cast<std::size_t>(in.gcount()));
  secret_bytes secret{std::move(text)};
  if (failed)
    return {ec::io_error, "cannot read '" + file + "'"};
  if (secret.reveal().empty())
    return {ec::invalid_spec, "there is no secret in '" + file + "'"};
  if (secret.reveal().size() > max_secret_bytes)
    return {ec::document_too_large, "the secret in '" + file + "' is larger than 1 MiB"};
  return secret;
}

} // namespace

exit_code run(const context& c, const seal_options& o) {
  if (o.agent.empty() == o.to.empty())
    return c.fail(exit_code::usage, "seal needs an agent, or its key with --to");
  const auto key = o.to.empty() ? key_of(c, o.agent) : read_sealing_public(o.to);
  if (!key)
    return c.fail(o.to.empty() ? exit_code_of(key.error().code) : exit_code::usage,
                  key.error().message);
  const auto secret = read_secret(c, o.file);
  if (!secret)
    return c.fail(secret.error());
  const auto sealed = seal(*key, secret->reveal(), o.use);
  if (!sealed)
    return c.fail(sealed.error());
  c.env.err << "sealed to the key with the fingerprint " << fingerprint_of(*key)
            << (o.to.empty() ? "; `harmony-agent key` on the device says whether it is its own\n"
                             : "\n");
  c.print(render(json{{"sealed", *sealed}}, c.as_table() ? output_format::yaml : c.global.format));
  return exit_code::ok;
}

} // namespace harmony::ctl
