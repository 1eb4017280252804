// The tables of commands and their answers.

#include "model/commands.hpp"

#include <algorithm>
#include <array>

#include "model/detail/shapes.hpp"

namespace harmony {

namespace detail {

namespace {

// In the order of the enumerations.
constexpr std::array<std::string_view, 8> verbs{"ping",   "explain", "logs", "plan",
                                                "resync", "restart", "hold", "unhold"};
constexpr std::array<std::string_view, 7> plan_steps{"create", "update", "replace", "restart",
                                                     "remove", "keep",   "blocked"};

constexpr std::uint32_t longest_hold = 7 * 24 * 3600;
constexpr std::uint32_t most_lines = 10'000;
constexpr std::uint32_t longest_wait = 30;
constexpr std::uint32_t max_count = 0xFFFFFFFFU;

/// What an answer may cost: that of a plan names every field of every resource.
constexpr std::size_t max_answer_bytes = 8 * max_document_bytes;

template <class T>
shape<T> form_of();

template <>
shape<resource_request> form_of() {
  using S = resource_request;
  return object<S>("", {maybe<S>("resource", &S::resource, id_text(), "Which one.")});
}

template <>
shape<hold_request> form_of() {
  using S = hold_request;
  return object<S>(
    "", {
          maybe<S>("resource", &S::resource, id_text(), "Which one. Left out: the whole device."),
          optional<S>("seconds", &S::seconds, whole<std::uint32_t>(1, longest_hold), "How long."),
          optional<S>("reason", &S::reason, text(formats::short_text), "For people."),
        });
}

template <>
shape<logs_request> form_of() {
  using S = logs_request;
  return object<S>(
    "", {
          required<S>("resource", &S::resource, id_text(), "Whose log."),
          optional<S>("cursor", &S::cursor, text(formats::text), "Of the answer before."),
          optional<S>("tail", &S::tail, whole<std::uint32_t>(0, most_lines), "Lines at most."),
          optional<S>("waitSeconds", &S::wait, whole<std::uint32_t>(0, longest_wait),
                      "How long to wait for a line."),
        });
}

template <>
shape<done_result> form_of() {
  return object<done_result>("", {});
}

template <>
shape<ping_result> form_of() {
  using S = ping_result;
  const auto number = whole<std::uint64_t>(0, max_whole);
  return object<S>(
    "", {
          required<S>("agent", &S::agent, text(formats::name), "Who answers."),
          required<S>("bootId", &S::boot_id, text(formats::boot_id), "This run of the agent."),
          required<S>("version", &S::version, text(formats::text), "Of the program."),
          required<S>("uptimeSeconds", &S::uptime, number, "Of the program."),
          required<S>("observedGeneration", &S::observed_generation, number, "In force."),
          required<S>("phase", &S::phase, agent_phase_shape(), "Of the device."),
        });
}

template <>
shape<explain_result> form_of() {
  using E = explanation;
  const auto one =
    object<E>("", {
                    required<E>("subject", &E::subject, text(formats::text), "What is explained."),
                    required<E>("phase", &E::phase, text(formats::text), "Where it stands."),
                    required<E>("headline", &E::headline, text(formats::text), "In a few words."),
                    optional<E>("because", &E::because, list_of(text(formats::text)), "Why."),
                    optional<E>("next", &E::next, text(formats::text), "What comes next."),
                  });
  using S = explain_result;
  return object<S>(
    "", {required<S>("explanations", &S::explanations, list_of(one), "Most telling first.")});
}

template <>
shape<restart_result> form_of() {
  using S = restart_result;
  return object<S>("", {required<S>("attempts", &S::attempts, whole<std::uint32_t>(0, max_count),
                                    "Applies so far.")});
}

template <>
shape<hold_result> form_of() {
  using S = hold_result;
  return object<S>("", {required<S>("until", &S::until, time_stamp(), "When it ends.")});
}

template <>
shape<unhold_result> form_of() {
  using S = unhold_result;
  return object<S>("", {required<S>("released", &S::released, whole<std::uint32_t>(0, max_count),
                                    "Holds that were ended.")});
}

template <>
shape<logs_result> form_of() {
  using L = log_line;
  const auto line = object<L>("", {
                                    required<L>("at", &L::at, time_stamp(), "When."),
                                    required<L>("text", &L::text, text(formats::text), "What."),
                                  });
  using S = logs_result;
  return object<S>("", {
                         required<S>("lines", &S::lines, list_of(line), "Oldest first."),
                         optional<S>("cursor", &S::cursor, text(formats::text), "To go on."),
                       });
}

template <>
shape<plan_result> form_of() {
  using C = planned_change;
  const auto change =
    object<C>("", {
                    required<C>("what", &C::what, text(formats::text), "How it is changed."),
                    required<C>("field", &C::field, text(formats::text), "What differs."),
                    optional<C>("from", &C::from, text(formats::text), "As observed."),
                    optional<C>("to", &C::to, text(formats::text), "As desired."),
                  });
  using R = planned_resource;
  const auto resource = object<R>(
    "", {
          required<R>("id", &R::id, id_text(), "Which one."),
          required<R>("step", &R::step, named<plan_step>({plan_steps.begin(), plan_steps.end()}),
                      "What would be done."),
          optional<R>("reason", &R::reason, text(formats::text), "Why."),
          optional<R>("changes", &R::changes, list_of(change), "Field by field."),
        });
  using S = plan_result;
  return object<S>("", {required<S>("resources", &S::resources, list_of(resource), "In order.")});
}

template <class T>
const shape<T>& cached_form() {
  static const auto form = form_of<T>();
  return form;
}

/// An answer: one of the last two.
template <class T>
struct answer {
  std::variant<std::monostate, T, failure> is;
};

shape<failure> failure_form() {
  using F = failure;
  const shape<ec> code{
    "a reason",
    [](const json& value, ec& out, const place& where) {
      if (!value.is_string())
        return mismatch(where, "a reason", value);
      out = code_of_reason(value.get_ref<const std::string&>());
    },
    [](const ec& c) { return json(reason_of(c)); },
    [](schema_context&) {
      return json{{"type", "string"}};
    },
  };
  return object<F>("", {
                         required<F>("reason", &F::code, code, "For programs."),
                         required<F>("message", &F::message, text(formats::text), "For people."),
                       });
}

template <class T>
const shape<answer<T>>& answer_form() {
  using A = answer<T>;
  static const auto form =
    object<A>("", {
                    alternative<A>("result", &A::is, cached_form<T>(), "It was done."),
                    alternative<A>("error", &A::is, failure_form(), "It was not."),
                  });
  return form;
}

} // namespace

} // namespace detail

std::string_view name_of(command_verb v) noexcept {
  return detail::verbs[static_cast<std::size_t>(v)];
}

std::optional<command_verb> parse_verb(std::string_view name) noexcept {
  const auto* const it = std::find(detail::verbs.begin(), detail::verbs.end(), name);
  if (it == detail::verbs.end())
    return std::nullopt;
  return static_cast<command_verb>(it - detail::verbs.begin());
}

bool is_read_only(command_verb v) noexcept {
  return v <= command_verb::plan;
}

std::string_view name_of(plan_step s) noexcept {
  return detail::plan_steps[static_cast<std::size_t>(s)];
}

template <class Request>
outcome<Request> read_request(std::string_view json) {
  return detail::read_as("command", json.empty() ? "{}" : json, detail::cached_form<Request>(), {},
                         true);
}

template <class Request>
std::string write_request(const Request& r) {
  return detail::to_text(detail::cached_form<Request>().write(r));
}

template <class Result>
outcome<Result> read_answer(std::string_view json) {
  auto read = detail::read_as("answer", json, detail::answer_form<Result>(),
                              {.bytes = detail::max_answer_bytes}, false);
  if (!read)
    return read.error();
  if (auto* why = std::get_if<failure>(&read->is))
    return std::move(*why);
  if (auto* result = std::get_if<Result>(&read->is))
    return std::move(*result);
  return {ec::invalid_document, "cannot read the answer: it has neither 'result' nor 'error'"};
}

template <class Result>
std::string write_answer(const Result& r) {
  return detail::to_text(detail::answer_form<Result>().write({r}));
}

std::string write_refusal(const failure& why) {
  return detail::to_text(detail::answer_form<done_result>().write({why}));
}

#define HARMONY_REQUEST(type)                                                                      \
  template outcome<type> read_request<type>(std::string_view);                                     \
  template std::string write_request<type>(const type&);
HARMONY_REQUEST(resource_request)
HARMONY_REQUEST(hold_request)
HARMONY_REQUEST(logs_request)
#undef HARMONY_REQUEST

#define HARMONY_RESULT(type)                                                                       \
  template outcome<type> read_answer<type>(std::string_view);                                      \
  template std::string write_answer<type>(const type&);
HARMONY_RESULT(done_result)
HARMONY_RESULT(ping_result)
HARMONY_RESULT(explain_result)
HARMONY_RESULT(restart_result)
HARMONY_RESULT(hold_result)
HARMONY_RESULT(unhold_result)
HARMONY_RESULT(logs_result)
HARMONY_RESULT(plan_result)
#undef HARMONY_RESULT

} // namespace harmony
