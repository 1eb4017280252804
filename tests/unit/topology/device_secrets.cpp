#include "topology/device_secrets.hpp"

#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include <sys/stat.h>

#include "support/catch.hpp"
#include "support/temp_dir.hpp"

namespace harmony::test {

namespace {

namespace fs = std::filesystem;
const resource_id user{"File", "r"};

struct device_folders {
  temp_dir root;
  device_secrets_config config{root.path() / "secrets", root.path() / "credentials",
                               root.path() / "sealing.key"};
  device_folders() {
    fs::create_directory(config.folder);
    fs::create_directory(config.credentials);
  }
  void put(const std::string& path, const std::string& text) const {
    std::ofstream{path, std::ios::binary} << text;
  }
};

std::string said(const outcome<secret_bytes>& read) {
  REQUIRE_FALSE(read);
  CHECK(read.error().code == ec::secret_unavailable);
  return read.error().message;
}

} // namespace

TEST_CASE("device secrets: file, credential, sealed -> their bytes as they are") {
  const device_folders at;
  device_secrets secrets{at.config};
  const std::string bytes{"a\0b\n\xFF", 5};
  at.put(at.config.folder + "/db", bytes);
  at.put(at.config.credentials + "/db", "other");
  CHECK(secrets.read({secret_source::file, "db"}, user).value().reveal() == bytes);
  CHECK(secrets.read({secret_source::credential, "db"}, user).value().reveal() == "other");
  const auto sealed = seal(secrets.sealing_key_of_device().value(), bytes, {}).value();
  CHECK(secrets.read({secret_source::sealed, sealed}, user).value().reveal() == bytes);
}

TEST_CASE("device secrets: not there, a link, a folder, a FIFO, too large -> why, and what to do") {
  const device_folders at;
  device_secrets secrets{at.config};
  const auto path = at.config.folder + "/db";
  const secret_ref ref{secret_source::file, "db"};
  CHECK_THAT(said(secrets.read(ref, user)), Catch::Contains("put it at '" + path + "'"));
  fs::create_symlink("/etc/passwd", path);
  CHECK_THAT(said(secrets.read(ref, user)), Catch::Contains("symbolic link"));
  fs::remove(path);
  fs::create_directory(path);
  CHECK_THAT(said(secrets.read(ref, user)), Catch::Contains("no regular file"));
  fs::remove(path);
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  CHECK_THAT(said(secrets.read(ref, user)), Catch::Contains("no regular file"));
  fs::remove(path);
  at.put(path, std::string(max_secret_bytes, 'x'));
  CHECK(secrets.read(ref, user).value().reveal().size() == max_secret_bytes);
  at.put(path, std::string(max_secret_bytes + 1, 'x'));
  CHECK_THAT(said(secrets.read(ref, user)), Catch::Contains("more than 1 MiB"));
}

TEST_CASE("device secrets: service without credentials -> how to give it one") {
  device_folders at;
  at.config.credentials.clear();
  device_secrets secrets{at.config};
  CHECK_THAT(said(secrets.read({secret_source::credential, "db"}, user)),
             Catch::Contains("has none") && Catch::Contains("LoadCredential=db:PATH"));
  CHECK(secrets.stamp({secret_source::credential, "db"}).empty());
}

TEST_CASE("device secrets: credential that is not there -> how to give it, and no path") {
  const device_folders at;
  device_secrets secrets{at.config};
  CHECK_THAT(said(secrets.read({secret_source::credential, "db"}, user)),
             Catch::Contains("LoadCredential=db:PATH") && !Catch::Contains(at.config.credentials));
}

TEST_CASE("device secrets: key -> made once, for its owner alone, and kept") {
  const device_folders at;
  std::vector<std::optional<sealing_public>> seen(8);
  {
    std::vector<std::jthread> all; // as many processes would
    for (auto& each : seen)
      all.emplace_back([&] { each = device_secrets{at.config}.sealing_key_of_device().value(); });
  }
  for (const auto& each : seen)
    CHECK(each == seen.front());
  struct ::stat s {};
  REQUIRE(::stat(at.config.key_file.c_str(), &s) == 0);
  CHECK((s.st_mode & 07777) == 0600);
  CHECK(s.st_nlink == 1);
  CHECK(std::distance(fs::directory_iterator{at.root.path()}, {}) == 3); // and no temporary
}

TEST_CASE("device secrets: key that is none, or cannot be kept -> why, and nothing overwritten") {
  device_folders at;
  at.put(at.config.key_file, "rubbish\n");
  device_secrets secrets{at.config};
  ::chmod(at.config.key_file.c_str(), 0640);
  CHECK_THAT(secrets.mark("x").error().message, Catch::Contains("chmod 0600"));
  ::chmod(at.config.key_file.c_str(), 0600);
  const auto mark = secrets.mark("x");
  REQUIRE_FALSE(mark);
  CHECK(mark.error().code == ec::secret_unavailable);
  CHECK_THAT(mark.error().message, Catch::Contains("move it away"));
  std::ifstream in{at.config.key_file};
  CHECK(std::string{std::istreambuf_iterator<char>{in}, {}} == "rubbish\n");
  at.config.key_file = at.root.path() / "nowhere" / "sealing.key";
  CHECK_FALSE(device_secrets{at.config}.sealing_key_of_device());
}

TEST_CASE("device secrets: file replaced, written, removed -> another stamp") {
  const device_folders at;
  device_secrets secrets{at.config};
  const secret_ref ref{secret_source::file, "db"};
  const auto path = at.config.folder + "/db";
  CHECK(secrets.stamp(ref).empty());
  at.put(path, "one");
  const auto first = secrets.stamp(ref);
  CHECK_FALSE(first.empty());
  CHECK(secrets.stamp(ref) == first);
  at.put(path + ".new", "two");
  fs::rename(path + ".new", path);
  CHECK(secrets.stamp(ref) != first);
  fs::remove(path);
  CHECK(secrets.stamp(ref).empty());
}

} // namespace harmony::test
