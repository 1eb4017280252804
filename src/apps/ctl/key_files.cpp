#include "apps/ctl/key_files.hpp"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include "posix/descriptor.hpp"

namespace harmony::ctl {

namespace {

constexpr std::size_t longest_file = 1024;
constexpr std::string_view secret_begin = "ed25519-secret:";

failure of_errno(const std::string& what, const std::string& file) {
  const int error = errno;
  const auto code = error == EEXIST                     ? ec::name_conflict
                    : error == EACCES || error == EPERM ? ec::permission_denied
                                                        : ec::io_error;
  return {code, what + " '" + file + "': " + std::strerror(error)};
}

/// Reads a small file; `secret`: none that others may read.
outcome<std::string> read_small(const std::string& file, bool secret) {
  const open_fd in{::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  struct stat info {};
  if (!in || ::fstat(in.get(), &info) != 0)
    return of_errno("cannot read the key", file);
  if (!S_ISREG(info.st_mode))
    return {ec::io_error, "cannot read the key '" + file + "': it is no file"};
  if (secret && (info.st_mode & 077U) != 0)
    return {ec::permission_denied, "the secret key '" + file
                                     + "' is open to others, and not used: run chmod 600 on it, "
                                       "and make a new key if somebody may have read it"};
  std::string text(longest_file + 1, '\0');
  const auto size = ::read(in.get(), text.data(), text.size());
  if (size < 0)
    return of_errno("cannot read the key", file);
  text.resize(static_cast<std::size_t>(size));
  if (text.size() > longest_file)
    return {ec::invalid_spec, "'" + file + "' is no key: it is too long"};
  return text;
}

outcome<void> write_new(const std::string& file, const std::string& text, mode_t mode) {
  const open_fd out{::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)};
  if (!out)
    return of_errno("cannot make the key", file);
  if (::write(out.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())
      || ::fsync(out.get()) != 0) {
    auto why = of_errno("cannot write the key", file);
    ::unlink(file.c_str());
    return why;
  }
  return {};
}

failure in_file(failure why, const std::string& file) {
  why.message = "'" + file + "': " + why.message;
  return why;
}

} // namespace

outcome<secret_key> load_secret_key(const std::string& file) {
  auto text = read_small(file, true);
  if (!text)
    return text.error();
  auto key = read_secret_key(*text);
  wipe(*text);
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
  auto text = read_small(file, false);
  if (!text)
    return text.error();
  if (text->rfind(secret_begin, 0) == 0) {
    wipe(*text);
    const auto key = load_secret_key(file);
    return key ? outcome<named_key>{key->pub()} : key.error();
  }
  auto key = read_public_key(*text);
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
  auto written = write_new(made.secret, line, 0600);
  wipe(line);
  if (!written)
    return written.error();
  if (auto also = write_new(made.pub, write_public_key(made.key) + "\n", 0644); !also) {
    ::unlink(made.secret.c_str());
    return also.error();
  }
  return made;
}

} // namespace harmony::ctl
