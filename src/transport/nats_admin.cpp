#include "transport/nats_admin.hpp"

#include "transport/nats_buckets.hpp"
#include "transport/nats_errors.hpp"
#include "transport/nats_link.hpp"

namespace harmony::nats {

namespace {

outcome<std::string> ask(const session& made, const std::string& subject,
                         const std::string& payload, link::deadline until) {
  natsMsg* raw = nullptr;
  const auto status = natsConnection_RequestString(&raw, made.connection(), subject.c_str(),
                                                   payload.c_str(), left_until(until));
  const msg_ptr answer{raw};
  if (status == NATS_NO_RESPONDERS)
    return {ec::not_found, "nobody on this server answers '" + subject + "'"};
  if (status != NATS_OK)
    return from_status(status, jsErrCode{}, "ask '" + subject + "'");
  return std::string{natsMsg_GetData(raw), static_cast<std::size_t>(natsMsg_GetDataLength(raw))};
}

} // namespace

outcome<std::string> request_once(const store_options& to, const std::string& subject,
                                  const std::string& payload, std::chrono::milliseconds timeout) {
  auto servers = parse_servers(to.url);
  if (!servers)
    return servers.error();
  const auto until = std::chrono::steady_clock::now() + timeout;
  const auto connection = std::make_shared<link>(to, std::move(*servers));
  connection->start();
  [[maybe_unused]] const auto up = connection->newer_session(0, until); // or why not, by the call
  auto answer = connection->call<std::string>(
    {std::chrono::milliseconds{left_until(until)}, {subject}},
    [subject, payload](const link::session_ptr& made, link::deadline end) {
      return ask(*made, subject, payload, end);
    });
  connection->close();
  return answer;
}

} // namespace harmony::nats
