// Secrets that were sealed for a device, and the keys of that.

#include <sodium.h>

#include "fuzz.hpp"
#include "model/base64.hpp"
#include "trust/sealing.hpp"

namespace harmony::fuzz {

namespace {

const resource_id user{"File", "a"};

const sealing_key& device() {
  static const auto key =
    *sealing_key::read("x25519-secret:AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=");
  return key;
}

/// Seals the bytes as they are, as anybody can: also what `seal` never makes.
std::string boxed(std::string_view plain) {
  std::string box(plain.size() + crypto_box_SEALBYTES, '\0');
  crypto_box_seal(reinterpret_cast<unsigned char*>(box.data()),
                  reinterpret_cast<const unsigned char*>(plain.data()), plain.size(),
                  device().pub().bytes.data());
  return encode_base64(box);
}

void check_keys(std::string_view bytes) {
  if (const auto key = read_sealing_public(bytes)) {
    require(*read_sealing_public(write_sealing_public(*key)) == *key, "a key survives its line");
    (void)seal(*key, "x", {}); // some are no device's
  }
  const auto key = sealing_key::read(bytes);
  if (!key)
    return require(key.error().message == sealing_key::read("").error().message,
                   "no message tells a key");
  require(sealing_key::read(key->text().reveal())->pub() == key->pub(), "a key survives its text");
  require(key->open(*seal(key->pub(), "x", {}), user)->reveal() == "x", "what is sealed is opened");
}

} // namespace

void take(std::string_view bytes) {
  check_keys(bytes);
  if (const auto opened = device().open(bytes, user); !opened)
    require(opened.error().code == ec::secret_unavailable, "what cannot be opened is unavailable");
  const auto opened = device().open(boxed(bytes), user);
  const auto line = bytes.substr(0, bytes.find('\n'));
  const bool ours = line == "harmony/v1 secret" || line == "harmony/v1 secret for File/a";
  require(opened.ok() == (ours && line.size() < bytes.size()),
          "what was sealed for this resource, or for any, is opened, and nothing else");
  if (opened)
    require(opened->reveal() == bytes.substr(line.size() + 1), "the secret is what follows");
}

} // namespace harmony::fuzz
