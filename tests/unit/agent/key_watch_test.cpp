#include "apps/agent/key_watch.hpp"

#include "support/catch.hpp"
#include "support/eventually.hpp"

namespace harmony::test {

namespace {

/// Keeps what is appended, or refuses it.
struct list_trail final : audit_trail {
  void note(audit_event e) override { told.push_back(e.event + " " + e.subject); }
  outcome<void> append(const audit_event& e) override {
    const std::lock_guard lock{disk};
    if (full)
      return {ec::disk_full, "no space"};
    told.push_back(e.event + " " + e.subject);
    return {};
  }
  std::vector<std::string> taken() {
    const std::lock_guard lock{disk};
    return std::exchange(told, {});
  }

  std::mutex disk;
  bool full = false;
  std::vector<std::string> told;
};

using texts = std::vector<std::string>;

struct watch_bed {
  std::shared_ptr<state_store> state{state_store::in_memory()};
  std::shared_ptr<list_trail> trail = std::make_shared<list_trail>();

  /// A start of the agent with these keys; gives what is put on record.
  texts start(known_keys now, const std::set<std::string>& unseen = {}) {
    const auto watch = std::make_shared<key_watch>();
    watch->begin(state, trail, std::move(now), unseen);
    return settled(*watch);
  }
  /// What is put on record, once all is.
  texts settled(key_watch& watch) const {
    REQUIRE(eventually([&] { return watch.settled(); }, std::chrono::seconds{20}));
    return trail->taken();
  }
};

} // namespace

TEST_CASE("key watch: start -> what is other than at the last one, once") {
  watch_bed bed;
  CHECK(bed.start({{"device key", "U1"}}) == texts{"trust-added device key"});
  CHECK(bed.start({{"device key", "U1"}}).empty());
  CHECK(bed.start({{"device key", "U2"}, {"threshold", "1"}})
        == texts{"trust-changed device key", "trust-added threshold"});
  CHECK(bed.start({{"device key", "U2"}}) == texts{"trust-removed threshold"});
  CHECK(bed.start({}) == texts{"trust-removed device key"});
}

TEST_CASE("key watch: key that cannot be read now -> neither removed, nor new when it is back") {
  watch_bed bed;
  bed.start({{"device key", "U1"}});
  CHECK(bed.start({}, {"device key"}).empty());
  CHECK(bed.start({{"device key", "U1"}}).empty());
}

TEST_CASE("key watch: disk full -> not forgotten: on record with the next start that can") {
  watch_bed bed;
  bed.trail->full = true;
  CHECK(bed.start({{"device key", "U1"}}).empty());
  bed.trail->full = false;
  CHECK(bed.start({{"device key", "U1"}}) == texts{"trust-added device key"});
}

TEST_CASE("key watch: another key used while the agent runs -> on record then, and not again") {
  watch_bed bed;
  const auto watch = std::make_shared<key_watch>();
  watch->uses("device key", "U0"); // nothing to compare it with yet
  CHECK(bed.settled(*watch).empty());
  watch->begin(bed.state, bed.trail, {{"device key", "U1"}}, {});
  CHECK(bed.settled(*watch) == texts{"trust-added device key"});
  watch->uses("device key", "U1");
  CHECK(bed.settled(*watch).empty());
  watch->uses("device key", "U2");
  CHECK(bed.settled(*watch) == texts{"trust-changed device key"});
  CHECK(bed.start({{"device key", "U2"}}).empty());
}

TEST_CASE("key watch: disk that hangs -> nobody waits for it; then all is on record, in order") {
  watch_bed bed;
  std::unique_lock hanging{bed.trail->disk};
  const auto watch = std::make_shared<key_watch>();
  watch->begin(bed.state, bed.trail, {{"device key", "U1"}}, {});
  watch->uses("device key", "U2");
  watch->uses("device key", "U3");
  CHECK_FALSE(watch->settled());
  hanging.unlock();
  const auto told = bed.settled(*watch);
  REQUIRE_FALSE(told.empty());
  CHECK(told.front() == "trust-added device key");
  CHECK(bed.start({{"device key", "U3"}}).empty());
}

} // namespace harmony::test
