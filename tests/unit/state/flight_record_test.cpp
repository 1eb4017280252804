#include "state/flight_record.hpp"

#include "support/catch.hpp"
#include "support/temp_dir.hpp"

namespace harmony::test {

namespace {

const resource_id app{"Container", "app"};
const resource_id page{"File", "page"};

/// A run that ends without landing, as one that is killed: the mapped page is all it leaves.
void crash(const temp_dir& folder, generation_number generation = 7) {
  auto run = flight_record::open(folder.str()).value();
  run->in_force({0, generation, std::string(64, 'a')});
  const auto looked = run->begin(page, false);
  run->end(looked);
  (void)run->begin(app, true);
}

std::string next_start(const temp_dir& folder) {
  return flight_record::open(folder.str()).value()->held_back();
}

} // namespace

TEST_CASE("flight record: five runs that end without landing -> the sixth is held back") {
  const temp_dir folder;
  for (int i = 0; i < 4; ++i)
    crash(folder);
  {
    const auto fifth = flight_record::open(folder.str()).value();
    CHECK(fifth->held_back().empty());
    fifth->in_force({0, 7, std::string(64, 'a')});
    (void)fifth->begin(app, true);
  }
  const auto why = next_start(folder);
  CHECK(why.find("suspected: Container/app") != std::string::npos);
  CHECK(why.find("File/page") == std::string::npos);
}

TEST_CASE("flight record: a run that lands, or does well -> no crash counts") {
  const temp_dir folder;
  for (int i = 0; i < 4; ++i)
    crash(folder);
  flight_record::open(folder.str()).value()->land(); // the fourth crash is taken over here
  flight_record::open(folder.str()).value()->land();
  CHECK(next_start(folder).empty());
  const temp_dir other;
  for (int i = 0; i < 4; ++i)
    crash(other);
  {
    const auto run = flight_record::open(other.str()).value();
    run->healthy();
    run->in_force({0, 7, std::string(64, 'a')});
  }
  CHECK(next_start(other).empty());
}

TEST_CASE("flight record: another generation's crashes, a file of rubbish -> not held back") {
  const temp_dir folder;
  for (int i = 0; i < 5; ++i)
    crash(folder, static_cast<generation_number>(i));
  CHECK(next_start(folder).empty());
  const temp_dir other;
  write_file(other / "flight", std::string(5000, '\xff'));
  write_file(other / "crashes.json", R"({"boot":1})");
  for (int i = 0; i < 5; ++i)
    crash(other);
  CHECK_FALSE(next_start(other).empty());
}

TEST_CASE("flight record: more operations at once than it has room for -> the rest go untold") {
  const temp_dir folder;
  const auto run = flight_record::open(folder.str()).value();
  std::vector<std::size_t> entries;
  for (int i = 0; i < 100; ++i)
    entries.push_back(run->begin({"File", "f" + std::to_string(i)}, true));
  for (const auto each : entries)
    run->end(each);
  CHECK(run->begin(app, true) == 0);
}

} // namespace harmony::test
