#include "transport/store.hpp"

#include <cerrno>

#include "support/catch.hpp"
#include "transport/directory_io.hpp"
#include "transport/nats_errors.hpp"
#include "transport/nats_url.hpp"
#include "transport/store_rules.hpp"

namespace harmony {

TEST_CASE("store: names of buckets -> as on the wire") {
  CHECK(name_of(bucket::desired_state) == "desired-state");
  CHECK(name_of(bucket::actual_state) == "actual-state");
  CHECK(name_of(bucket::device_info) == "device-info");
}

TEST_CASE("store: URLs that name no store -> invalid_spec that repeats what was wrong") {
  for (const std::string url : {"",
                                "dir:",
                                "dir:relative/path",
                                "dir:/",
                                "dir:///",
                                "dir:/..",
                                "nats:",
                                "nats://",
                                "nats://:4222",
                                "nats://host:0",
                                "nats://host:65536",
                                "nats://host:port",
                                "nats://a,",
                                "nats://a b",
                                "nats://a/path",
                                "tls://",
                                "http://host",
                                "/srv/store",
                                "host:4222",
                                "nats://[::1",
                                "nats://[::1]x",
                                "nats://a,http://b"}) {
    INFO(url);
    store_options options;
    options.url = url;
    const auto opened = open_store(options);
    REQUIRE_FALSE(opened);
    CHECK(opened.error().code == ec::invalid_spec);
    CHECK(opened.error().message.find("nats://") != std::string::npos);
  }
}

TEST_CASE("store: dir URL -> opened without touching the disk") {
  store_options options;
  options.url = "dir:/nowhere/at/all/";
  const auto opened = open_store(options);
  REQUIRE(opened);
  CHECK((*opened)->get(bucket::desired_state, "pi-1", std::chrono::milliseconds{100}).error().code
        == ec::bucket_not_found);
}

TEST_CASE("nats url: hosts, ports, users and lists -> read") {
  using nats::server;
  const auto one = nats::parse_servers("nats://example.org");
  REQUIRE(one);
  CHECK(*one
        == std::vector<server>{
          {"nats://example.org:4222", "example.org", "nats://example.org:4222", 4222, false}});
  const auto many = nats::parse_servers("tls://a:1,b,nats://user:pa@ss@c:2/,[::1],[fe80::1]:3");
  REQUIRE(many);
  CHECK(*many
        == std::vector<server>{{"tls://a:1", "a", "tls://a:1", 1, true},
                               {"tls://b:4222", "b", "tls://b:4222", 4222, true},
                               {"nats://user:pa@ss@c:2", "c", "nats://c:2", 2, false},
                               {"nats://[::1]:4222", "::1", "nats://[::1]:4222", 4222, false},
                               {"nats://[fe80::1]:3", "fe80::1", "nats://[fe80::1]:3", 3, false}});
}

TEST_CASE("nats url: a bad one with a password -> the message does not repeat it") {
  const auto* url = GENERATE("nats://user:secret@host:port", "nats://user:secret,word@host",
                             "nats://a,user:word,secret,word@host");
  const auto bad = nats::parse_servers(url);
  REQUIRE_FALSE(bad);
  CHECK(bad.error().message.find("secret") == std::string::npos);
}

TEST_CASE("store: a URL for people -> without user and password, also of one that is wrong") {
  CHECK(shown_url("dir:/srv/a@b") == "dir:/srv/a@b");
  CHECK(shown_url("nats://a,b:1") == "nats://a,b:1");
  CHECK(shown_url("nats://u:secret@a,tls://u:secret@b:1") == "nats://a:4222,tls://b:1");
  CHECK(shown_url("tls://u:sec,ret@b:1") == "tls://b:1");
  CHECK(shown_url("u:secret@b").find("secret") == std::string::npos);
}

TEST_CASE("store: keys -> agent ids and what is as harmless") {
  for (const std::string key : {"pi-0042", "a", "A_b=c.d-9"})
    CHECK(check_key(key));
  CHECK(check_key(std::string(200, 'k')));
  for (const std::string key :
       {"", ".", "..", ".a", "a.", "a..b", "a/b", "/", "a*", ">", "a b", "a\n", "\xff"}) {
    INFO(key);
    const auto checked = check_key(key);
    REQUIRE_FALSE(checked);
    CHECK(checked.error().code == ec::invalid_spec);
  }
  CHECK_FALSE(check_key(std::string(201, 'k')));
  CHECK_FALSE(check_key(std::string_view{"a\0b", 3}));
}

TEST_CASE("directory store: errno -> the reason that a person can act on") {
  using directory::from_errno;
  CHECK(from_errno(ENOSPC, "x").code == ec::disk_full);
  CHECK(from_errno(EDQUOT, "x").code == ec::disk_full);
  CHECK(from_errno(EROFS, "x").code == ec::read_only);
  CHECK(from_errno(EACCES, "x").code == ec::store_denied);
  CHECK(from_errno(EPERM, "x").code == ec::store_denied);
  CHECK(from_errno(ENOENT, "x").code == ec::bucket_not_found);
  CHECK(from_errno(EIO, "write 'k'").code == ec::io_error);
  CHECK(from_errno(EIO, "write 'k'").message.rfind("cannot write 'k': ", 0) == 0);
}

TEST_CASE("nats store: what the library gives -> the reason") {
  using nats::from_status;
  const auto none = jsErrCode{};
  CHECK(from_status(NATS_TIMEOUT, none, "x").code == ec::timed_out);
  CHECK(from_status(NATS_NO_RESPONDERS, JSNotEnabledErr, "x").code == ec::bucket_not_found);
  CHECK(from_status(NATS_ERR, JSStreamWrongLastSequenceErr, "x").code == ec::conflict);
  CHECK(from_status(NATS_ERR, JSStreamNotFoundErr, "x").code == ec::bucket_not_found);
  CHECK(from_status(NATS_ERR, JSStorageResourcesExceededErr, "x").code == ec::disk_full);
  CHECK(from_status(NATS_MAX_PAYLOAD, none, "x").code == ec::document_too_large);
  CHECK(from_status(NATS_CONNECTION_AUTH_FAILED, none, "x").code == ec::store_denied);
  CHECK(from_status(NATS_CONNECTION_CLOSED, none, "x").code == ec::store_unavailable);
}

TEST_CASE("nats store: text of a permission violation -> its subject") {
  using nats::denied_subject;
  CHECK(denied_subject("Permissions Violation for Publish to \"$KV.a.b\"") == "$KV.a.b");
  CHECK(denied_subject("permissions violation for subscription to \"hb.*\"") == "hb.*");
  CHECK(denied_subject("Slow Consumer \"x\"").empty());
  CHECK(denied_subject("Permissions Violation").empty());
  CHECK(denied_subject("").empty());
}

} // namespace harmony
