#include "model/commands.hpp"
#include "fuzz.hpp"

namespace harmony::fuzz {

namespace {

template <class Request>
void check_request(std::string_view bytes) {
  const auto read = read_request<Request>(bytes);
  if (!read)
    return;
  const auto again = read_request<Request>(write_request(*read));
  require(again && *again == *read, "a request survives writing and reading");
}

template <class Result>
void check_answer(std::string_view bytes) {
  const auto read = read_answer<Result>(bytes);
  if (!read)
    return;
  const auto again = read_answer<Result>(write_answer(*read));
  require(again && *again == *read, "an answer survives writing and reading");
}

} // namespace

void take(std::string_view bytes) {
  check_request<resource_request>(bytes);
  check_request<hold_request>(bytes);
  check_request<logs_request>(bytes);
  check_answer<done_result>(bytes);
  check_answer<ping_result>(bytes);
  check_answer<explain_result>(bytes);
  check_answer<restart_result>(bytes);
  check_answer<hold_result>(bytes);
  check_answer<unhold_result>(bytes);
  check_answer<logs_result>(bytes);
  check_answer<plan_result>(bytes);
}

} // namespace harmony::fuzz
