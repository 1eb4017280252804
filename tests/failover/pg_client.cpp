#include "failover/pg_client.hpp"

#include <algorithm>

#include <libpq-fe.h>
#include <poll.h>

namespace harmony::test {

using std::chrono::steady_clock;

void pg_client::finish::operator()(pg_conn* c) const {
  PQfinish(c);
}

bool pg_client::wait(short events, deadline until) const {
  const auto left = std::chrono::duration_cast<milliseconds>(until - steady_clock::now());
  pollfd p{PQsocket(connection_.get()), events, 0};
  return p.fd >= 0 && ::poll(&p, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0))) > 0;
}

bool pg_client::connect(deadline until) {
  connection_.reset(PQconnectStart(conninfo_.c_str()));
  if (!connection_ || PQstatus(connection_.get()) == CONNECTION_BAD)
    return false;
  PQsetNoticeProcessor(
    connection_.get(), [](void*, const char*) {}, nullptr);
  for (auto want = PGRES_POLLING_WRITING; want != PGRES_POLLING_OK;
       want = PQconnectPoll(connection_.get()))
    if (want == PGRES_POLLING_FAILED
        || !wait(want == PGRES_POLLING_READING ? POLLIN : POLLOUT, until))
      return false;
  return true;
}

pg_client::answer pg_client::ask(const std::string& sql, milliseconds limit) {
  const auto until = steady_clock::now() + limit;
  if (!connection_ && !connect(until)) {
    const std::string why = connection_ ? PQerrorMessage(connection_.get()) : "no memory";
    connection_.reset();
    return {false, why, {}};
  }
  auto* c = connection_.get();
  bool alive = PQsendQuery(c, sql.c_str()) == 1;
  while (alive && PQisBusy(c) == 1)
    alive = wait(POLLIN, until) && PQconsumeInput(c) == 1;
  answer said;
  if (alive) {
    const std::unique_ptr<PGresult, void (*)(PGresult*)> result{PQgetResult(c), PQclear};
    const auto status = PQresultStatus(result.get());
    said.ok = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
    if (said.ok && PQntuples(result.get()) > 0)
      said.text = PQgetvalue(result.get(), 0, 0);
    if (!said.ok) {
      said.text = PQresultErrorMessage(result.get());
      const char* state = PQresultErrorField(result.get(), PG_DIAG_SQLSTATE);
      said.sqlstate = state == nullptr ? "" : state;
    }
    while (PQisBusy(c) == 0) {
      const std::unique_ptr<PGresult, void (*)(PGresult*)> rest{PQgetResult(c), PQclear};
      if (!rest)
        return said;
    }
  } else {
    said.text = PQerrorMessage(c);
  }
  connection_.reset();
  return said;
}

std::optional<std::string> pg_client::value(const std::string& sql, milliseconds limit) {
  auto said = ask(sql, limit);
  return said.ok ? std::optional{std::move(said.text)} : std::nullopt;
}

} // namespace harmony::test
