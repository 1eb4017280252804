#include "topology/download.hpp"

#include <chrono>
#include <cstdlib>
#include <string>
#include <thread>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "integration/files/web_server.hpp"
#include "reconcilers/file.hpp"
#include "support/catch.hpp"
#include "support/outcomes.hpp"
#include "topology/files_digest.hpp"
#include "unit/reconcilers/file_world.hpp"

namespace harmony {
namespace {

using test::check_failure;
using test::file_world;
using test::plain_inventory;
using test::raw_server;
using test::web_server;
using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

struct fetched {
  outcome<void> done;
  std::string content;
};

fetched fetch(const std::string& url, const op_limits& limits = {},
              const download_options& options = {}) {
  fetched f;
  f.done = download(
    url,
    [&](std::string_view piece) {
      f.content += piece;
      return outcome<void>{};
    },
    limits, options);
  return f;
}

/// Reads a request up to its empty line.
void read_request(int fd) {
  std::string seen;
  char c = 0;
  while (seen.find("\r\n\r\n") == std::string::npos && ::read(fd, &c, 1) == 1)
    seen += c;
}

void send_text(int fd, const std::string& text) {
  (void)!::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
}

/// Holds the connection until the client goes.
void await_hangup(int fd) {
  char c = 0;
  while (::read(fd, &c, 1) > 0) {
  }
}

TEST_CASE("download: content over http -> its bytes, streamed") {
  web_server server;
  const std::string body((5U << 20) + 3, 'x');
  server.serve("/big", body);
  server.serve("/empty", "");
  server.start();
  const auto big = fetch(server.url("/big"));
  INFO((big.done ? "" : big.done.error().message));
  CHECK(big.done.ok());
  CHECK(big.content == body);
  CHECK(fetch(server.url("/empty")).done.ok());
}

TEST_CASE("download: redirects -> followed within reason") {
  web_server other;
  other.serve("/end", "there");
  other.start();
  web_server server;
  server.redirect("/relative", "hop");
  server.redirect("/hop", "/absolute");
  server.redirect("/absolute", other.url("/end"));
  server.redirect("/loop", "/loop");
  server.redirect("/out", "ftp://127.0.0.1/x");
  server.start();
  CHECK(fetch(server.url("/relative")).content == "there");
  check_failure(fetch(server.url("/loop")).done, ec::download_failed, "more than 5 redirects");
  check_failure(fetch(server.url("/out")).done, ec::download_failed, "is not an http");
}

TEST_CASE("download: answers and addresses that will not do -> DownloadFailed that says why") {
  web_server server;
  server.serve("/long", std::string(1000, 'x'));
  server.start();
  check_failure(fetch(server.url("/missing")).done, ec::download_failed, "answered 404");
  download_options small;
  small.max_bytes = 999;
  check_failure(fetch(server.url("/long"), {}, small).done, ec::download_failed,
                "larger than 999 bytes");
  check_failure(fetch("http://127.0.0.1:1/x").done, ec::download_failed, "no connection");
  check_failure(fetch("ftp://127.0.0.1/x").done, ec::download_failed, "is not an http");
  check_failure(fetch("http://user:secret@127.0.0.1/x").done, ec::download_failed, "password");
  check_failure(fetch("http://").done, ec::download_failed, "");
  check_failure(fetch("http://127.0.0.1:notaport/").done, ec::download_failed, "");
}

TEST_CASE("download: sink fails -> ends with its failure") {
  web_server server;
  server.serve("/file", std::string(1 << 20, 'x'));
  server.start();
  const auto done = download(server.url("/file"),
                             [](std::string_view) {
                               return outcome<void>{ec::disk_full, "no room"};
                             },
                             {});
  check_failure(done, ec::disk_full, "no room");
}

TEST_CASE("download: connection broken half-way -> DownloadFailed") {
  raw_server server{[](int fd) {
    read_request(fd);
    send_text(fd, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nonly this");
  }};
  check_failure(fetch(server.url()).done, ec::download_failed, "connection broke");
}

TEST_CASE("download: endless body without a length -> ended at the limit") {
  raw_server server{[](int fd) {
    read_request(fd);
    send_text(fd, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
    const std::string piece(64 * 1024, 'x');
    while (::send(fd, piece.data(), piece.size(), MSG_NOSIGNAL) > 0) {
    }
  }};
  download_options small;
  small.max_bytes = 1 << 20;
  check_failure(fetch(server.url(), {}, small).done, ec::download_failed, "larger than");
}

TEST_CASE("download: server silent -> DownloadFailed after the idle timeout") {
  raw_server server{[](int fd) { await_hangup(fd); }};
  download_options impatient;
  impatient.idle_timeout = 100ms;
  check_failure(fetch(server.url(), {}, impatient).done, ec::download_failed, "fell silent");
}

TEST_CASE("download: server hangs or drips -> TimedOut at the deadline, Canceled on demand") {
  const bool drips = GENERATE(false, true);
  INFO((drips ? "drips" : "hangs"));
  raw_server server{[drips](int fd) {
    read_request(fd);
    // A byte now and then keeps the library's own timeout from ever coming.
    ::pollfd hangup{fd, POLLIN, 0};
    while (drips && ::send(fd, "H", 1, MSG_NOSIGNAL) == 1 && ::poll(&hangup, 1, 5) == 0) {
    }
    await_hangup(fd);
  }};
  const auto begun = clock::now();
  SECTION("deadline") {
    check_failure(fetch(server.url(), {{}, begun + 150ms}).done, ec::timed_out, "longer");
  }
  SECTION("cancel") {
    std::stop_source stop;
    std::thread canceler{[&] {
      server.await_client();
      stop.request_stop();
    }};
    check_failure(fetch(server.url(), {stop.get_token()}).done, ec::canceled, "interrupted");
    canceler.join();
  }
  CHECK(clock::now() - begun < 5s); // the idle timeout is 30 s
}

TEST_CASE("download: canceled before it begins -> no request") {
  web_server server;
  server.serve("/file", "x");
  server.start();
  std::stop_source stop;
  stop.request_stop();
  check_failure(fetch(server.url("/file"), {stop.get_token()}).done, ec::canceled, "interrupted");
  CHECK(server.requests() == 0);
}

TEST_CASE("download: https -> only with a certificate that the system trusts") {
  const file_world world;
  const auto pem = world / "certificate.pem";
  web_server server{web_server::scheme::https, pem};
  server.serve("/file", "secret");
  server.start();
  check_failure(fetch(server.url("/file")).done, ec::download_failed, "certificate");
  REQUIRE(::setenv("SSL_CERT_FILE", pem.c_str(), 1) == 0);
  const auto trusted = fetch(server.url("/file"));
  REQUIRE(::unsetenv("SSL_CERT_FILE") == 0);
  INFO((trusted.done ? "" : trusted.done.error().message));
  CHECK(trusted.content == "secret");
}

// -- File with a source --------------------------------------------------------------------------

struct fixture {
  file_world world;
  plain_inventory owned;
  posix_device device;
  file_reconciler<posix_device> files{device};
  op_context ctx{"pi-0042", owned, {}};
  desired<file_spec> want{{"File", "tool"}, {}, {}, {}};

  fixture(const std::string& url, const std::string& sha256) {
    want.spec.path = world / "tool";
    want.spec.mode = "0755";
    want.spec.source = remote_content{url, sha256};
  }

  outcome<void> converge() {
    auto seen = files.observe(want, ctx);
    if (!seen)
      return seen.error();
    auto todo = files.plan(want, *seen);
    if (!todo)
      return todo.error();
    return todo->empty() ? outcome<void>{} : files.apply(want, *todo, ctx);
  }
};

TEST_CASE("file: source with the right sha256 -> downloaded once, mode alone needs no download") {
  web_server server;
  const std::string body(300'000, 'y');
  server.serve("/tool", body);
  server.start();
  fixture f{server.url("/tool"), sha256_of(body)};
  REQUIRE(f.converge().ok());
  CHECK(f.world.read("tool") == body);
  CHECK(f.world.mode("tool") == 0755);
  REQUIRE(f.converge().ok());
  f.want.spec.mode = "0700";
  REQUIRE(f.converge().ok());
  CHECK(f.world.mode("tool") == 0700);
  CHECK(server.requests() == 1);
}

TEST_CASE("file: source with another sha256, or none -> old file stays, nothing left over") {
  web_server server;
  server.serve("/tool", "evil");
  server.start();
  fixture f{server.url("/tool"), sha256_of("good")};
  check_failure(f.converge(), ec::checksum_mismatch, sha256_of("evil"));
  CHECK(f.world.names().empty());
  CHECK(f.owned.all().empty());
  f.want.spec.source->url = server.url("/gone");
  check_failure(f.converge(), ec::download_failed, "answered 404");
  REQUIRE(f.owned.claim({f.want.id, f.want.spec.path}).ok());
  f.world.write("tool", "the version before", 0755);
  f.want.spec.source->url = server.url("/tool");
  check_failure(f.converge(), ec::checksum_mismatch, "left as it was");
  CHECK(f.world.read("tool") == "the version before");
  CHECK(f.world.names() == std::vector<std::string>{"tool"});
}

TEST_CASE("file: source that hangs -> TimedOut at the deadline, nothing left over") {
  raw_server server{[](int fd) {
    read_request(fd);
    send_text(fd, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nonly this");
    await_hangup(fd);
  }};
  fixture f{server.url(), sha256_of("whatever")};
  f.ctx.deadline = clock::now() + 150ms;
  check_failure(f.converge(), ec::timed_out, "longer");
  CHECK(f.world.names().empty());
}

} // namespace
} // namespace harmony
