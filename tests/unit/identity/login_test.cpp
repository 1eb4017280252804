#include "identity/login.hpp"

#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include "identity/jwt.hpp"
#include "identity/secret_file.hpp"
#include "support/catch.hpp"
#include "support/temp_dir.hpp"

namespace harmony::test {

namespace {

unsigned mode_of(const std::string& path) {
  struct stat seen {};
  REQUIRE(::stat(path.c_str(), &seen) == 0);
  return seen.st_mode & 07777U;
}

constexpr std::chrono::sys_seconds noon{std::chrono::seconds{1769860800}};

} // namespace

TEST_CASE("login: key that is not there -> made once, mode 0600, its folder 0700") {
  const temp_dir dir;
  const auto path = (dir / "keys/device.nk").string();
  const auto made = load_or_make_key(path, nkey_kind::user);
  REQUIRE(made);
  CHECK(mode_of(path) == 0600);
  CHECK(mode_of((dir / "keys").string()) == 0700);
  CHECK(load_or_make_key(path, nkey_kind::user)->public_key() == made->public_key());
  CHECK(create_secret_file(path, "other").error().code == ec::name_conflict);
  CHECK(load_key(path)->seed() == made->seed());
}

TEST_CASE("login: secret that others reach -> refused by name and mode, never shown") {
  const temp_dir dir;
  const auto path = (dir / "device.nk").string();
  const auto key = load_or_make_key(path, nkey_kind::user).value();
  for (const unsigned mode : {0640U, 0604U, 0620U, 0644U, 0610U}) {
    ::chmod(path.c_str(), mode);
    const auto refused = load_login({"", path});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ec::permission_denied);
    CHECK(refused.error().message.find("chmod 0600 " + path) != std::string::npos);
    CHECK(refused.error().message.find(key.seed()) == std::string::npos);
  }
  ::chmod(path.c_str(), 0400);
  CHECK(load_login({"", path}));
}

TEST_CASE("login: key of credentials -> read; refused where others reach it") {
  const temp_dir dir;
  const auto creds = (dir / "device.creds").string();
  const auto key = nkey_pair::make(nkey_kind::user);
  REQUIRE(create_secret_file(creds, creds_text("eyJ.a.b", key)));
  CHECK(load_creds_key(creds)->public_key() == key.public_key());
  ::chmod(creds.c_str(), 0640);
  CHECK(load_creds_key(creds).error().code == ec::permission_denied);
  CHECK(load_creds_key((dir / "none").string()).error().code == ec::not_found);
}

TEST_CASE("login: files -> what they hold") {
  const temp_dir dir;
  const auto nkey = (dir / "device.nk").string();
  const auto creds = (dir / "device.creds").string();
  const auto jwt_file = (dir / "device.jwt").string();
  const auto key = load_or_make_key(nkey, nkey_kind::user).value();
  REQUIRE(create_secret_file(creds, creds_text("eyJ.a.b", key)));
  write_file(jwt_file, "eyJ.a.b\r\n");
  CHECK(load_login({})->key == nullptr);
  const auto by_key = load_login({"", nkey}).value();
  CHECK(by_key.jwt.empty());
  CHECK(by_key.key->public_key() == key.public_key());
  for (const auto& from : {login_files{creds, ""}, login_files{jwt_file, nkey}}) {
    const auto both = load_login(from).value();
    CHECK(both.jwt == "eyJ.a.b");
    CHECK(both.key->public_key() == key.public_key());
  }
  CHECK(load_login({jwt_file, ""}).error().code == ec::permission_denied); // it has a wide mode
  ::chmod(jwt_file.c_str(), 0600);
  CHECK(load_login({jwt_file, ""}).error().code == ec::invalid_spec); // and no seed
  CHECK(load_login({nkey, ""}).error().message.find("no user JWT") != std::string::npos);
  CHECK(load_login({"", (dir / "none").string()}).error().code == ec::not_found);
}

TEST_CASE("jwt: signed -> read back; a changed or foreign one -> refused") {
  const auto issuer = nkey_pair::make(nkey_kind::account);
  const auto user = nkey_pair::make(nkey_kind::user).public_key();
  const jwt_head head{"pi-1", user, noon, noon + std::chrono::hours{1}};
  const auto text = sign_jwt(issuer, head, {{"type", "user"}}).value();
  const auto read = read_jwt(text);
  REQUIRE(read);
  CHECK(read->name == "pi-1");
  CHECK(read->subject == user);
  CHECK(read->issued == noon);
  CHECK(read->expires == noon + std::chrono::hours{1});
  CHECK_FALSE(read_jwt(sign_jwt(issuer, {"pi-1", user, noon, {}}, {}).value())->expires);
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto bad = text;
    bad[i] = bad[i] == 'A' ? 'B' : 'A';
    CHECK_FALSE(read_jwt(bad));
  }
  CHECK_FALSE(read_jwt(""));
  CHECK_FALSE(read_jwt("a.b"));
  for (const auto& when : {std::chrono::sys_seconds{-std::chrono::seconds{1}},
                           std::chrono::sys_seconds{std::chrono::seconds{253'402'300'800}},
                           std::chrono::sys_seconds::max()}) { // of no calendar
    CHECK_FALSE(read_jwt(sign_jwt(issuer, {"pi-1", user, when, {}}, {}).value()));
    CHECK_FALSE(read_jwt(sign_jwt(issuer, {"pi-1", user, noon, when}, {}).value()));
  }
  CHECK_FALSE(read_jwt(text + "A"));
}

} // namespace harmony::test
