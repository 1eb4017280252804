#include "integration/files/web_server.hpp"

#include <httplib.h>

#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <stdexcept>
#include <thread>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace harmony::test {

namespace {

struct identity {
  std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)> key{EVP_EC_gen("P-256"), EVP_PKEY_free};
  std::unique_ptr<X509, void (*)(X509*)> certificate{X509_new(), X509_free};
};

identity self_signed(const std::string& pem) {
  identity id;
  auto* x = id.certificate.get();
  X509_set_version(x, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
  X509_gmtime_adj(X509_getm_notBefore(x), -60);
  X509_gmtime_adj(X509_getm_notAfter(x), 3600);
  X509_set_pubkey(x, id.key.get());
  auto* name = X509_get_subject_name(x);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("127.0.0.1"), -1, -1, 0);
  X509_set_issuer_name(x, name);
  auto* san = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "IP:127.0.0.1");
  X509_add_ext(x, san, -1);
  X509_EXTENSION_free(san);
  X509_sign(x, id.key.get(), EVP_sha256());
  auto* out = std::fopen(pem.c_str(), "w");
  if (out == nullptr || PEM_write_X509(out, x) != 1 || std::fclose(out) != 0)
    throw std::runtime_error("no certificate");
  return id;
}

} // namespace

struct web_server::implementation {
  scheme how;
  identity id;
  std::unique_ptr<httplib::Server> server;
  int port = 0;
  std::atomic<int> requests{0};
  std::thread thread;
};

web_server::web_server(scheme s, const std::string& certificate)
  : impl_(std::make_unique<implementation>()) {
  impl_->how = s;
  if (s == scheme::https) {
    impl_->id = self_signed(certificate);
    impl_->server =
      std::make_unique<httplib::SSLServer>(impl_->id.certificate.get(), impl_->id.key.get());
  } else {
    impl_->server = std::make_unique<httplib::Server>();
  }
  impl_->server->set_pre_routing_handler([this](const auto&, auto&) {
    ++impl_->requests;
    return httplib::Server::HandlerResponse::Unhandled;
  });
}

web_server::~web_server() {
  impl_->server->stop();
  if (impl_->thread.joinable())
    impl_->thread.join();
}

void web_server::serve(const std::string& path, const std::string& body) {
  impl_->server->Get(path, [body](const httplib::Request&, httplib::Response& r) {
    r.set_content(body, "application/octet-stream");
  });
}

void web_server::redirect(const std::string& path, const std::string& location) {
  impl_->server->Get(
    path, [location](const httplib::Request&, httplib::Response& r) { r.set_redirect(location); });
}

void web_server::start() {
  impl_->port = impl_->server->bind_to_any_port("127.0.0.1");
  impl_->thread = std::thread{[this] { impl_->server->listen_after_bind(); }};
  // stop() before the thread runs would be lost; a client is welcome from the bind on.
  while (!impl_->server->is_running())
    std::this_thread::yield();
}

std::string web_server::url(const std::string& path) const {
  return (impl_->how == scheme::https ? "https" : "http") + std::string{"://127.0.0.1:"}
         + std::to_string(impl_->port) + path;
}

int web_server::requests() const {
  return impl_->requests;
}

// -- raw_server ----------------------------------------------------------------------------------

struct raw_server::implementation {
  int listener = -1;
  int port = 0;
  std::mutex mutex;
  std::condition_variable changed;
  bool connected = false;
  std::thread thread;
};

raw_server::raw_server(std::function<void(int)> serve) : impl_(std::make_unique<implementation>()) {
  impl_->listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ::sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ::socklen_t size = sizeof where;
  auto* address = reinterpret_cast<::sockaddr*>(&where);
  if (::bind(impl_->listener, address, size) != 0 || ::listen(impl_->listener, 1) != 0
      || ::getsockname(impl_->listener, address, &size) != 0)
    throw std::runtime_error("no port");
  impl_->port = ntohs(where.sin_port);
  impl_->thread = std::thread{[this, serve = std::move(serve)] {
    const int fd = ::accept4(impl_->listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0)
      return;
    {
      const std::lock_guard guard{impl_->mutex};
      impl_->connected = true;
    }
    impl_->changed.notify_all();
    serve(fd);
    ::close(fd);
  }};
}

raw_server::~raw_server() {
  ::shutdown(impl_->listener, SHUT_RDWR);
  impl_->thread.join();
  ::close(impl_->listener);
}

std::string raw_server::url() const {
  return "http://127.0.0.1:" + std::to_string(impl_->port) + "/file";
}

void raw_server::await_client() {
  std::unique_lock guard{impl_->mutex};
  impl_->changed.wait(guard, [&] { return impl_->connected; });
}

} // namespace harmony::test
