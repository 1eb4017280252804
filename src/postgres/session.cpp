#include "postgres/session.hpp"

#include <array>

#include <dlfcn.h>
#include <libpq-fe.h>
#include <poll.h>

namespace harmony::postgres {

namespace {

/// Of libpq, what is used here.
struct library {
  decltype(&::PQconnectStartParams) connect_start = nullptr;
  decltype(&::PQconnectPoll) connect_poll = nullptr;
  decltype(&::PQsocket) socket = nullptr;
  decltype(&::PQerrorMessage) error_message = nullptr;
  decltype(&::PQstatus) status = nullptr;
  decltype(&::PQfinish) finish = nullptr;
  decltype(&::PQsendQuery) send_query = nullptr;
  decltype(&::PQconsumeInput) consume_input = nullptr;
  decltype(&::PQisBusy) is_busy = nullptr;
  decltype(&::PQgetResult) get_result = nullptr;
  decltype(&::PQresultStatus) result_status = nullptr;
  decltype(&::PQresultErrorMessage) result_error = nullptr;
  decltype(&::PQntuples) tuples = nullptr;
  decltype(&::PQnfields) fields = nullptr;
  decltype(&::PQgetvalue) value = nullptr;
  decltype(&::PQgetisnull) is_null = nullptr;
  decltype(&::PQclear) clear = nullptr;
  decltype(&::PQsetNoticeProcessor) notices = nullptr;
  decltype(&::PQencryptPasswordConn) encrypt = nullptr;
  decltype(&::PQfreemem) free = nullptr;
  std::string lacking; ///< why it cannot be used
};

library find_library() {
  library l;
  auto* opened = ::dlopen("libpq.so.5", RTLD_NOW | RTLD_LOCAL);
  if (opened == nullptr) {
    l.lacking = "there is no 'libpq.so.5' to speak with PostgreSQL: install the package libpq5";
    return l;
  }
  const auto take = [&](auto& function, const char* name) {
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(::dlsym(opened, name));
    if (function == nullptr)
      l.lacking = "'libpq.so.5' has no '" + std::string{name} + "': install a newer libpq5";
  };
  take(l.connect_start, "PQconnectStartParams");
  take(l.connect_poll, "PQconnectPoll");
  take(l.socket, "PQsocket");
  take(l.error_message, "PQerrorMessage");
  take(l.status, "PQstatus");
  take(l.finish, "PQfinish");
  take(l.send_query, "PQsendQuery");
  take(l.consume_input, "PQconsumeInput");
  take(l.is_busy, "PQisBusy");
  take(l.get_result, "PQgetResult");
  take(l.result_status, "PQresultStatus");
  take(l.result_error, "PQresultErrorMessage");
  take(l.tuples, "PQntuples");
  take(l.fields, "PQnfields");
  take(l.value, "PQgetvalue");
  take(l.is_null, "PQgetisnull");
  take(l.clear, "PQclear");
  take(l.notices, "PQsetNoticeProcessor");
  take(l.encrypt, "PQencryptPasswordConn");
  take(l.free, "PQfreemem");
  return l;
}

const library& pq() {
  static const library found = find_library();
  return found;
}

std::string one_line(std::string text) {
  while (!text.empty() && text.back() == '\n')
    text.pop_back();
  for (auto& c : text)
    if (c == '\n')
      c = ' ';
  return text;
}

rows rows_of(PGresult* result) {
  rows all;
  const int fields = pq().fields(result);
  for (int i = 0; i < pq().tuples(result); ++i) {
    auto& one = all.emplace_back();
    for (int j = 0; j < fields; ++j)
      one.push_back(pq().is_null(result, i, j) != 0
                      ? std::nullopt
                      : std::optional<std::string>{pq().value(result, i, j)});
  }
  return all;
}

} // namespace

outcome<> load_libpq() {
  if (!pq().lacking.empty())
    return {ec::capability_missing, pq().lacking};
  return {};
}

std::string first_field(const rows& answer) {
  return answer.empty() || answer.front().empty() ? "" : answer.front().front().value_or("");
}

void session::closer::operator()(pg_conn* c) const {
  pq().finish(c);
}

outcome<session> session::open(const std::vector<std::pair<std::string, std::string>>& parameters,
                               const owner& who, const check_limits& limits) {
  if (auto there = load_libpq(); !there)
    return there.error();
  std::vector<const char*> names;
  std::vector<const char*> values;
  for (const auto& [name, value] : parameters) {
    names.push_back(name.c_str());
    values.push_back(value.c_str());
  }
  names.push_back(nullptr);
  values.push_back(nullptr);
  const acting_as rights{who};
  if (auto held = rights.held(); !held)
    return held.error();
  session s{pq().connect_start(names.data(), values.data(), 0)};
  if (!s.open())
    return {ec::internal, "libpq has no memory left"};
  auto* c = s.connection_.get();
  pq().notices(
    c, [](void*, const char*) {}, nullptr);
  for (auto next = PGRES_POLLING_WRITING; pq().status(c) != CONNECTION_BAD;) {
    if (next == PGRES_POLLING_OK)
      return s;
    if (next == PGRES_POLLING_FAILED)
      break;
    if (auto waited = s.wait(next == PGRES_POLLING_READING ? POLLIN : POLLOUT, limits); !waited)
      return waited.error();
    next = pq().connect_poll(c);
  }
  auto why = s.broken();
  // The server's own words are told by their severity; libpq has no code for them. They are English
  // by the member's configuration.
  if (why.message.find("FATAL:") != std::string::npos
      && why.message.find("the database system is") == std::string::npos)
    why.code = ec::permission_denied;
  return why;
}

outcome<rows> session::ask(const std::string& sql, const check_limits& limits) {
  if (auto told = tell(sql); !told)
    return told.error();
  auto answer = collect(sql, limits);
  if (!answer && answer.error().code != ec::io_error)
    connection_.reset();
  return answer;
}

outcome<> session::tell(const std::string& sql) {
  if (!open())
    return {ec::runtime_unavailable, "the session with PostgreSQL is over"};
  if (pq().send_query(connection_.get(), sql.c_str()) == 0)
    return broken();
  return {};
}

std::string session::verifier(const std::string& user, const secret_bytes& password) const {
  std::string plain{password.reveal()};
  char* made = pq().encrypt(connection_.get(), plain.c_str(), user.c_str(), "scram-sha-256");
  wipe(plain);
  std::string text = made == nullptr ? "" : made;
  pq().free(made);
  return text;
}

outcome<rows> session::collect(const std::string& sql, const check_limits& limits) {
  auto* c = connection_.get();
  outcome<rows> answer{rows{}};
  for (;;) {
    while (pq().is_busy(c) != 0) {
      if (auto waited = wait(POLLIN, limits); !waited)
        return waited.error();
      if (pq().consume_input(c) == 0)
        return broken();
    }
    const std::unique_ptr<PGresult, void (*)(PGresult*)> result{pq().get_result(c), pq().clear};
    if (!result)
      break;
    const auto status = pq().result_status(result.get());
    if (status == PGRES_TUPLES_OK)
      answer = rows_of(result.get());
    else if (status != PGRES_COMMAND_OK && status != PGRES_EMPTY_QUERY)
      answer = failure{ec::io_error, "PostgreSQL refuses '" + sql.substr(0, sql.find(' '))
                                       + "': " + one_line(pq().result_error(result.get()))};
  }
  if (pq().status(c) == CONNECTION_BAD)
    return broken();
  return answer;
}

outcome<> session::wait(short events, const check_limits& limits) {
  std::array<pollfd, 2> wanted{{{pq().socket(connection_.get()), events, 0}, limits.canceled_fd()}};
  const int n = ::poll(wanted.data(), wanted.size(), limits.left());
  if (limits.canceled())
    return {ec::canceled, "given up"};
  if (n == 0 && limits.over())
    return {ec::timed_out, "PostgreSQL did not answer in time"};
  return {};
}

failure session::broken() {
  failure why{ec::runtime_unavailable,
              "PostgreSQL: " + one_line(pq().error_message(connection_.get()))};
  connection_.reset();
  return why;
}

} // namespace harmony::postgres
