#pragma once

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "fuzz.hpp"
#include "topology/systemd_link.hpp"

namespace harmony::fuzz {

/// A message of D-Bus, little-endian; https://dbus.freedesktop.org/doc/dbus-specification.html
class bus_message {
public:
  enum class kind : std::uint8_t { reply = 2, error = 3, signal = 4 };

  explicit bus_message(kind k) : kind_(k) {}

  bus_message& field(std::uint8_t code, char type, std::string_view text) {
    open_field(code, type);
    if (type == 'g')
      fields_ += static_cast<char>(text.size());
    else
      number(static_cast<std::uint32_t>(text.size()));
    fields_.append(text).push_back('\0');
    return *this;
  }
  bus_message& field(std::uint8_t code, std::uint32_t value) {
    open_field(code, 'u');
    number(value);
    return *this;
  }

  [[nodiscard]] std::string bytes(std::uint32_t serial, std::string_view body) const {
    std::string all{'l', static_cast<char>(kind_), 1, 1};
    append(all, static_cast<std::uint32_t>(body.size()));
    append(all, serial);
    append(all, static_cast<std::uint32_t>(fields_.size()));
    all += fields_;
    all.resize((all.size() + 7) / 8 * 8, '\0');
    return all.append(body);
  }

  static void append(std::string& to, std::uint32_t value) {
    for (int shift = 0; shift < 32; shift += 8)
      to += static_cast<char>(value >> shift & 0xffU);
  }

private:
  // Fields are aligned to 8 bytes from the message's begin; the array begins at 16.
  void open_field(std::uint8_t code, char type) {
    fields_.resize((fields_.size() + 7) / 8 * 8, '\0');
    fields_ += {static_cast<char>(code), 1, type, '\0'};
  }
  void number(std::uint32_t value) { append(fields_, value); }

  kind kind_;
  std::string fields_;
};

/// The bus and what answers on it, at the other end of a `systemd_link`.
class fake_bus {
public:
  explicit fake_bus(systemd_link::on_signal sink) {
    const auto folder = std::filesystem::temp_directory_path();
    path_ = folder / ("harmony-fuzz-bus-" + std::to_string(::getpid()));
    const int listener = listen_at(path_);
    std::thread other{[this, listener] { welcome(listener); }};
    auto opened = systemd_link::open("unix:path=" + path_, std::move(sink));
    require(opened.ok(), "the link opens");
    link_ = std::move(*opened);
    auto matched = link_->match("type='signal'");
    require(matched.ok(), "the link asks for signals");
    match_ = std::move(*matched);
    other.join();
    ::close(listener);
    std::filesystem::remove(path_);
  }
  fake_bus(const fake_bus&) = delete;
  fake_bus& operator=(const fake_bus&) = delete;
  ~fake_bus() {
    match_.reset();
    link_.reset();
    ::close(peer_);
  }

  systemd_link& link() { return *link_; }

  /// The number of the last call that the link sent.
  std::uint32_t last_call() {
    read_once(0);
    std::uint32_t serial = 0;
    while (auto size = next_message()) {
      std::memcpy(&serial, got_.data() + 8, sizeof serial);
      got_.erase(0, size);
    }
    return serial;
  }

  /// Sends a message and lets the link take it; false once the link gave the connection up.
  bool deliver(const bus_message& head, std::string_view body) {
    send(head.bytes(++serial_, body));
    for (;;) {
      const auto took = link_->process();
      if (!took)
        return false;
      if (!*took)
        return true;
    }
  }

private:
  static int listen_at(const std::string& path) {
    std::filesystem::remove(path);
    sockaddr_un where{};
    where.sun_family = AF_UNIX;
    require(path.size() < sizeof where.sun_path, "the socket's path is short");
    path.copy(&where.sun_path[0], path.size());
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    require(::bind(fd, reinterpret_cast<const sockaddr*>(&where), sizeof where) == 0
              && ::listen(fd, 4) == 0,
            "the bus listens");
    return fd;
  }

  // Answers what the client library asks of any bus: authentication, a name, a match. The link's
  // first connection only looks whether somebody listens.
  void welcome(int listener) {
    ::close(::accept(listener, nullptr, nullptr));
    peer_ = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    while (got_.find("BEGIN\r\n") == std::string::npos)
      read_once(-1);
    got_.erase(0, got_.find("BEGIN\r\n") + 7);
    send("DATA\r\nOK 0123456789abcdef0123456789abcdef\r\nAGREE_UNIX_FD\r\n");
    std::string name;
    bus_message::append(name, 4);
    name.append(":1.1").push_back('\0');
    for (int answered = 0; answered < 2;) {
      const auto size = next_message();
      if (size == 0) {
        read_once(-1);
        continue;
      }
      std::uint32_t asked = 0;
      std::memcpy(&asked, got_.data() + 8, sizeof asked);
      got_.erase(0, size);
      bus_message reply{bus_message::kind::reply};
      reply.field(5, asked).field(7, 's', "org.freedesktop.DBus");
      if (answered == 0)
        reply.field(8, 'g', "s");
      send(reply.bytes(++serial_, answered == 0 ? name : ""));
      ++answered;
    }
  }

  // How long the first message among what was read is; 0: not whole yet.
  std::size_t next_message() {
    if (got_.size() < 16)
      return 0;
    std::uint32_t body = 0;
    std::uint32_t fields = 0;
    std::memcpy(&body, got_.data() + 4, sizeof body);
    std::memcpy(&fields, got_.data() + 12, sizeof fields);
    const std::size_t whole = 16 + (fields + 7) / 8 * 8 + body;
    return got_.size() < whole ? 0 : whole;
  }

  void read_once(int timeout) {
    pollfd ready{peer_, POLLIN, 0};
    while (::poll(&ready, 1, timeout) == 1) {
      std::vector<char> some(65536);
      const auto n = ::recv(peer_, some.data(), some.size(), MSG_DONTWAIT);
      if (n <= 0)
        return;
      got_.append(some.data(), static_cast<std::size_t>(n));
      timeout = 0;
    }
  }

  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto n = ::send(peer_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0)
        return;
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
  }

  std::string path_;
  int peer_ = -1;
  std::uint32_t serial_ = 0;
  std::string got_;
  std::unique_ptr<systemd_link> link_;
  std::shared_ptr<void> match_;
};

} // namespace harmony::fuzz
