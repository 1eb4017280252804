#include "core/status_claim.hpp"

#include <algorithm>
#include <map>
#include <random>
#include <vector>

#include "support/catch.hpp"

namespace harmony {

namespace {

const std::string low = "aaaaaaaaaaaaaaaa";
const std::string own = "bbbbbbbbbbbbbbbb";
const std::string high = "cccccccccccccccc";

/// A run that wrote revision 10.
status_claim settled() {
  status_claim claim{own};
  claim.wrote(10);
  return claim;
}

status_seen of(const std::string& run, std::uint64_t revision, const std::string& contender = {}) {
  return {run, contender, revision, run == own && contender.empty()};
}

/// One that met `other` after it wrote.
status_claim met(const std::string& other) {
  auto claim = settled();
  claim.look(of(other, 11));
  return claim;
}

} // namespace

TEST_CASE("status claim: what stands there -> whose the key is") {
  struct row {
    const char* what;
    status_seen seen;
    claim_act act;
    std::string other; ///< known afterwards
  };
  const auto check = [](status_claim claim, const row& r) {
    INFO(r.what);
    CHECK(claim.look(r.seen) == r.act);
    CHECK(claim.other().value_or("") == r.other);
    CHECK(claim.yields() == (!r.other.empty() && r.other < own));
  };
  SECTION("a run that wrote nothing yet takes over whatever there is") {
    const std::vector<row> rows{
      {"nothing", {}, claim_act::write, ""},
      {"rubbish", {"", "", 5, false}, claim_act::write, ""},
      {"an earlier run's", of(low, 5), claim_act::write, ""},
      {"an earlier run's, marked", of(high, 5, low), claim_act::write, ""},
    };
    for (const auto& r : rows)
      check(status_claim{own}, r);
  }
  SECTION("a run that wrote revision 10") {
    auto other_content = of(own, 10);
    other_content.same_document = false;
    const std::vector<row> rows{
      {"its own", of(own, 10), claim_act::none, ""},
      {"an older one of its own: the store was restored", other_content, claim_act::write, ""},
      {"nothing: the store was emptied", {}, claim_act::write, ""},
      {"rubbish written after it", {"", "", 12, false}, claim_act::write, ""},
      {"an earlier run's: the store was restored", of(low, 9), claim_act::write, ""},
      {"a higher run's, written after it", of(high, 11), claim_act::write, high},
      {"a lower run's, written after it", of(low, 11), claim_act::mark, low},
      {"its own, marked by a higher run", of(own, 11, high), claim_act::write, high},
    };
    for (const auto& r : rows)
      check(settled(), r);
  }
  SECTION("a holder that knows a higher run") {
    const std::vector<row> rows{
      {"its own", of(own, 12), claim_act::none, high},
      {"marked again", of(own, 13, high), claim_act::write, high},
      {"marked by a third", of(own, 13, low + ""), claim_act::write, low},
      {"the other's, of before", of(high, 11), claim_act::write, high},
      {"nothing", {}, claim_act::write, high},
    };
    for (const auto& r : rows)
      check(met(high), r);
  }
  SECTION("a yielder that knows a lower run") {
    const std::vector<row> rows{
      {"its mark still there", of(low, 12, own), claim_act::none, low},
      {"its mark taken away", of(low, 13), claim_act::none, low},
      {"nothing: the holder will write", {}, claim_act::none, low},
      {"an even lower run's", of("0", 13), claim_act::mark, "0"},
      {"a higher run's, newer", of(high, 13), claim_act::write, high},
    };
    for (const auto& r : rows)
      check(met(low), r);
  }
}

TEST_CASE("status claim: no sign of the other for long -> gone") {
  SECTION("a yielder whose mark stays takes over") {
    auto claim = met(low);
    CHECK(claim.look(of(low, 12, own)) == claim_act::none);
    for (unsigned i = 1; i < status_claim::yielder_patience; ++i)
      CHECK(claim.look(of(low, 12, own)) == claim_act::none);
    CHECK(claim.look(of(low, 12, own)) == claim_act::write);
    CHECK_FALSE(claim.other());
  }
  SECTION("a mark of a third one that stays is no sign either") {
    auto claim = met(low);
    for (unsigned i = 0; i < status_claim::yielder_patience; ++i)
      CHECK(claim.look(of(low, 12, high)) == claim_act::none);
    CHECK(claim.look(of(low, 12, high)) == claim_act::write);
  }
  SECTION("a yielder whose mark is taken away marks anew, now and then") {
    auto claim = met(low);
    for (int round = 0; round < 5; ++round) {
      for (unsigned i = 1; i < status_claim::mark_every; ++i)
        CHECK(claim.look(of(low, 13)) == claim_act::none);
      CHECK(claim.look(of(low, 13)) == claim_act::mark);
      CHECK(claim.look(of(low, 14, own)) == claim_act::none);
    }
    CHECK(claim.yields());
  }
  SECTION("a holder that nobody marks any more forgets") {
    auto claim = met(high);
    for (unsigned i = 1; i < status_claim::holder_patience; ++i)
      CHECK(claim.look(of(own, 12)) == claim_act::none);
    CHECK(claim.look(of(own, 12)) == claim_act::write);
    CHECK_FALSE(claim.other());
  }
}

TEST_CASE("status claim: condition -> said once, again when it changed, and when it is over") {
  std::vector<condition> said;
  CHECK_FALSE(duplicate_condition(settled(), "pi-1", said));
  auto claim = met(high);
  const auto first = duplicate_condition(claim, "pi-1", said);
  REQUIRE(first);
  CHECK(first->status == condition_state::true_);
  CHECK(first->reason == "Holding");
  CHECK(first->message.find(high) != std::string::npos);
  said.push_back(*first);
  CHECK_FALSE(duplicate_condition(claim, "pi-1", said));
  CHECK(duplicate_condition(met(low), "pi-1", said)->reason == "Yielding");
  const auto over = duplicate_condition(settled(), "pi-1", said);
  REQUIRE(over);
  CHECK(over->status == condition_state::false_);
  CHECK_FALSE(duplicate_condition(settled(), "pi-1", {*over}));
}

namespace {

/// A key, and runs that look at it when their turn comes.
struct shared_key {
  status_seen there;
  std::map<std::string, status_claim> runs;
  std::map<std::string, int> own_writes;

  void look(const std::string& id) {
    auto& claim = runs.at(id);
    auto seen = there;
    seen.same_document = there.boot_id == id && there.contender.empty();
    const auto act = claim.look(seen);
    if (act == claim_act::write) {
      there = {id, "", there.revision + 1, false};
      claim.wrote(there.revision);
      ++own_writes[id];
    } else if (act == claim_act::mark) {
      REQUIRE(there.boot_id != id);
      there.contender = id;
      ++there.revision;
    }
  }
};

} // namespace

TEST_CASE("status claim: any number of runs in any order -> the lowest keeps the key for good; it "
          "goes -> the next does") {
  const auto seed = GENERATE(range(1U, 40U));
  std::minstd_rand random{seed};
  shared_key key;
  std::vector<std::string> ids{low, own, high};
  ids.resize(2 + seed % 2);
  for (const auto& id : ids)
    key.runs.emplace(id, status_claim{id});
  // Each looks once a round, in any order: the same interval, not in step.
  const auto rounds = [&](int count) {
    for (int i = 0; i < count; ++i) {
      std::shuffle(ids.begin(), ids.end(), random);
      for (const auto& id : ids)
        key.look(id);
    }
  };
  rounds(12);
  const auto holder = *std::min_element(ids.begin(), ids.end());
  key.own_writes.clear();
  for (int i = 0; i < 100; ++i) {
    rounds(1);
    CHECK(key.there.boot_id == holder);
  }
  for (const auto& id : ids) {
    if (id != holder)
      CHECK(key.own_writes[id] == 0);
    CHECK(key.runs.at(id).other().has_value()); // all know
  }
  CHECK(key.own_writes[holder] <= 60);

  std::erase(ids, holder);
  rounds(20);
  CHECK(key.there.boot_id == *std::min_element(ids.begin(), ids.end()));
  if (ids.size() == 1)
    CHECK_FALSE(key.runs.at(ids[0]).other());
}

} // namespace harmony
