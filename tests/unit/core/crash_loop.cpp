#include "core/crash_loop.hpp"

#include "support/catch.hpp"

namespace harmony::test {

namespace {

using namespace std::chrono_literals;

const resource_id app{"Container", "app"};
const resource_id web{"SystemdUnit", "web"};

crash_record crash(std::chrono::milliseconds at, generation_number generation = 7,
                   std::vector<operation_under_way> under_way = {{app, true}}) {
  return {{0, generation, "hash"}, at, std::move(under_way)};
}

crash_history after(const std::vector<crash_record>& all) {
  crash_history h;
  for (const auto& each : all)
    h = after_crash(std::move(h), each);
  return h;
}

} // namespace

TEST_CASE("crash loop: four crashes, or five over more than two minutes -> not held back") {
  CHECK(why_held_back({}).empty());
  CHECK(why_held_back(after({crash(1s), crash(2s), crash(3s), crash(4s)})).empty());
  CHECK(why_held_back(after({crash(0s), crash(31s), crash(62s), crash(93s), crash(121s)})).empty());
}

TEST_CASE("crash loop: five within two minutes on one manifest -> held back, the suspect named") {
  const auto h = after({crash(0s), crash(30s), crash(60s), crash(90s), crash(120s)});
  const auto why = why_held_back(h);
  CHECK(why.find("crashed 5 times in a row at generation 7") != std::string::npos);
  CHECK(why.find("suspected: Container/app,") != std::string::npos);
}

TEST_CASE("crash loop: crashes on another manifest -> do not count") {
  auto h = after({crash(1s, 6), crash(2s, 6), crash(3s, 6), crash(4s, 6), crash(5s, 7)});
  CHECK(why_held_back(h).empty());
  CHECK(h.crashes.size() == 1);
  h = after_crash(after({crash(1s), crash(2s), crash(3s), crash(4s), crash(5s)}), crash(6s, 8));
  CHECK_FALSE(h.tripped);
  CHECK(why_held_back(h).empty());
}

TEST_CASE("crash loop: the one try of safe mode crashes, however late -> held back at once") {
  auto h = after({crash(1s), crash(2s), crash(3s), crash(4s), crash(5s)});
  h = after_crash(std::move(h), crash(20min));
  CHECK_FALSE(why_held_back(h).empty());
  CHECK(h.crashes.size() == 5); // the newest
  CHECK(h.crashes.back().at == 20min);
}

TEST_CASE("crash loop: suspects -> what was changed in half of them, else what was looked at") {
  crash_history h;
  h.crashes = {crash(1s, 7, {{app, true}, {web, true}}), crash(2s, 7, {{app, true}}),
               crash(3s, 7, {{app, true}, {web, false}}), crash(4s, 7, {{web, false}}),
               crash(5s, 7, {})};
  CHECK(suspects(h) == std::vector{app});
  h.crashes = {crash(1s, 7, {{app, false}, {web, true}}), crash(2s, 7, {{app, false}}),
               crash(3s, 7, {{app, false}})};
  CHECK(suspects(h) == std::vector{app});
  h.crashes = {crash(1s, 7, {}), crash(2s, 7, {{app, true}, {app, true}}), crash(3s, 7, {})};
  CHECK(suspects(h).empty());
  h.tripped = true;
  CHECK(why_held_back(h).find("no one resource") != std::string::npos);
}

} // namespace harmony::test
