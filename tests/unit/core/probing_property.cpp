// The probing machine against a second reading of the rules: verdicts told from the whole history
// of results, by definition, not by counters.

#include <algorithm>
#include <map>

#include "core/probing.hpp"
#include "support/catch.hpp"
#include "unit/core/world.hpp"

namespace harmony::test {

namespace {

using namespace std::chrono_literals;

class probe_world {
public:
  explicit probe_world(std::uint64_t seed) : dice_(seed) {}

  void disturb() {
    now_ += std::chrono::milliseconds{dice_.below(3000)};
    const auto roll = dice_.below(100);
    if (!begun_ || roll < 2)
      start();
    else if (roll < 3)
      stop();
    else if (roll < 50)
      answer();
    else if (roll < 55 && last_number_ > 0)
      feed(probe_ev::result{1 + dice_.below(last_number_), probe_answer::failed, "late"}, false);
    else if (roll < 60)
      feed(probe_ev::timer{dice_.below(state_.timer_epoch + 1)}, true);
    else if (state_.armed) {
      now_ = std::max(now_, *state_.armed);
      feed(probe_ev::timer{state_.timer_epoch}, true);
    }
  }

  std::string violation;

private:
  struct record {
    std::vector<bool> results; ///< since the start, without errors
    std::optional<instant> began;
    std::uint64_t in_flight = 0;
  };

  void expect(bool ok, const char* what) {
    if (!ok && violation.empty())
      violation = what;
  }

  std::optional<probe> some_probe(bool only_one_success) {
    if (dice_.chance(35))
      return {};
    probe p;
    p.initial_delay = static_cast<std::uint32_t>(dice_.below(10));
    p.period = static_cast<std::uint32_t>(1 + dice_.below(6));
    p.success_threshold = only_one_success ? 1 : static_cast<std::uint32_t>(1 + dice_.below(3));
    p.failure_threshold = static_cast<std::uint32_t>(1 + dice_.below(4));
    return p;
  }

  void start() {
    probes_ = {some_probe(true), some_probe(false), some_probe(true)};
    records_.clear();
    told_.reset();
    begun_ = true;
    probing_ = true;
    started_at_ = now_;
    feed(probe_ev::started{probes_}, true);
  }

  void stop() {
    probing_ = false;
    records_.clear();
    feed(probe_ev::stopped{}, true);
  }

  void answer() {
    for (auto& [kind, r] : records_) {
      if (r.in_flight == 0 || dice_.chance(30))
        continue;
      const auto n = std::exchange(r.in_flight, 0);
      const auto roll = dice_.below(10);
      const auto is = roll < 2   ? probe_answer::error
                      : roll < 6 ? probe_answer::ok
                                 : probe_answer::failed;
      if (is != probe_answer::error)
        r.results.push_back(is == probe_answer::ok);
      feed(probe_ev::result{n, is, "why"}, true);
      return;
    }
  }

  void feed(const probing_event& e, bool genuine) {
    if (const auto* result = std::get_if<probe_ev::result>(&e); result != nullptr && !genuine)
      for (const auto& [kind, r] : records_)
        if (r.in_flight == result->number)
          return; // not late after all
    auto next = step(state_, e, now_);
    state_ = std::move(next.state);
    for (const auto& each : next.effects) {
      if (const auto* run = std::get_if<probe_fx::run>(&each))
        begin(*run);
      else if (const auto* v = std::get_if<probe_fx::verdict>(&each))
        hear(*v);
    }
    check_verdict();
  }

  const std::optional<probe>& settings(probe_kind k) const {
    return k == probe_kind::startup     ? probes_.startup
           : k == probe_kind::readiness ? probes_.readiness
                                        : probes_.liveness;
  }

  void begin(const probe_fx::run& run) {
    const auto& p = settings(run.which);
    expect(probing_ && p, "a check of no probe");
    if (!p)
      return;
    auto& r = records_[run.which];
    expect(r.in_flight == 0, "two checks of one probe at once");
    expect(run.number > last_number_, "a number was used before");
    last_number_ = run.number;
    expect(now_ >= started_at_ + std::chrono::seconds{p->initial_delay}, "before its delay");
    expect(!r.began || now_ >= *r.began + std::chrono::seconds{p->period}, "within its period");
    if (run.which != probe_kind::startup)
      expect(started_up(), "not gated by the startup probe");
    else
      expect(!started_up(), "the startup probe was asked after it passed");
    r.began = now_;
    r.in_flight = run.number;
  }

  void hear(const probe_fx::verdict& v) {
    expect(probing_, "a verdict while nothing is probed");
    expect(told_ != v.is, "the same verdict twice");
    told_ = v.is;
    if (v.is == ev::verdict::dead) {
      expect(fails(probe_kind::startup) || fails(probe_kind::liveness), "dead without a reason");
      probing_ = false;
      records_.clear();
    }
  }

  bool started_up() {
    const auto& all = records_[probe_kind::startup].results;
    return !probes_.startup || std::find(all.begin(), all.end(), true) != all.end();
  }

  /// Whether its last failure_threshold results are failures.
  bool fails(probe_kind k) {
    const auto& p = settings(k);
    const auto& all = records_[k].results;
    return p && all.size() >= p->failure_threshold
           && std::none_of(all.end() - p->failure_threshold, all.end(), [](bool ok) { return ok; });
  }

  /// The readiness after each result, by definition: the newest row that was long enough decides.
  bool ready() {
    if (!started_up())
      return false;
    if (!probes_.readiness)
      return true;
    const auto& p = *probes_.readiness;
    const auto& all = records_[probe_kind::readiness].results;
    bool is = false;
    for (std::size_t end = 1; end <= all.size(); ++end) {
      const auto row = [&](std::size_t length, bool kind) {
        return length <= end
               && std::all_of(all.begin() + static_cast<std::ptrdiff_t>(end - length),
                              all.begin() + static_cast<std::ptrdiff_t>(end),
                              [kind](bool ok) { return ok == kind; });
      };
      if (row(p.success_threshold, true))
        is = true;
      if (row(p.failure_threshold, false))
        is = false;
    }
    return is;
  }

  void check_verdict() {
    if (!probing_)
      return;
    expect((told_ == ev::verdict::ready) == ready(), "the verdict is not what the results say");
    expect(!fails(probe_kind::startup) && !fails(probe_kind::liveness), "not called dead");
    for (const auto k : {probe_kind::startup, probe_kind::readiness, probe_kind::liveness}) {
      const bool wanted = settings(k) && (k == probe_kind::startup) != started_up();
      if (wanted && records_[k].in_flight == 0)
        expect(state_.armed.has_value(), "nothing will ever ask it again");
    }
  }

  dice dice_;
  instant now_{1h};
  instant started_at_{};
  probing state_;
  probe_set probes_;
  bool begun_ = false;
  bool probing_ = false;
  std::map<probe_kind, record> records_;
  std::uint64_t last_number_ = 0;
  std::optional<ev::verdict> told_;
};

TEST_CASE("probing: 20000 random courses -> the verdicts that the rules define") {
  for (std::uint64_t seed = 1; seed <= 20000; ++seed) {
    probe_world w{seed};
    for (int n = 0; n < 80 && w.violation.empty(); ++n)
      w.disturb();
    INFO("seed " << seed << ": " << w.violation);
    if (!w.violation.empty())
      FAIL();
  }
}

} // namespace

} // namespace harmony::test
