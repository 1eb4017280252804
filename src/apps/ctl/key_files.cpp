#include "apps/ctl/key_files.hpp"

#include <string_view>

#include <sodium.h>
#include <unistd.h>

#include "identity/secret_file.hpp"
#include "posix/small_file.hpp"

namespace harmony::ctl {

namespace {

constexpr std::string_view secret_begin = "ed25519-secret:";

failure in_file(failure why, const std::string& file) {
  why.message = "'" + file + "': " + why.message;
  return why;
}

} // namespace

outcome<secret_key> load_secret_key(const std::string& file) {
  const auto text = read_secret_file(file);
  if (!text)
    return text.error();
  auto key = read_secret_key(text->reveal());
  if (!key)
    return in_file(key.error(), file);
  return key;
}

outcome<std::vector<secret_key>> load_secret_keys(const std::vector<std::string>& files) {
  std::vector<secret_key> keys;
  for (const auto& file : files) {
    auto key = load_secret_key(file);
    if (!key)
      return key.error();
    keys.push_back(std::move(*key));
  }
  return keys;
}

outcome<named_key> load_public_key(const std::string& file) {
  const auto text = read_small_file(file);
  if (!text)
    return text.error();
  if (text->reveal().substr(0, secret_begin.size()) == secret_begin) {
    const auto key = load_secret_key(file);
    return key ? outcome<named_key>{key->pub()} : key.error();
  }
  auto key = read_public_key(text->reveal());
  if (!key)
    return in_file(key.error(), file);
  return key;
}

outcome<key_pair_files> generate_key(const std::string& folder, const std::string& name) {
  if (sodium_init() < 0)
    return {ec::internal, "this system gives no random numbers"};
  std::string seed(secret_key::seed_size, '\0');
  randombytes_buf(seed.data(), seed.size());
  const secret_key key{seed, name};
  wipe(seed);
  key_pair_files made{folder + "/" + name + ".key", folder + "/" + name + ".pub", key.pub()};
  auto line = key.text() + "\n";
  auto written = create_secret_file(made.secret, line);
  wipe(line);
  if (!written)
    return written.error();
  if (auto also = create_file(made.pub, write_public_key(made.key) + "\n"); !also) {
    ::unlink(made.secret.c_str());
    return also.error();
  }
  return made;
}

} // namespace harmony::ctl
