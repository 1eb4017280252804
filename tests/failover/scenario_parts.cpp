#include "failover/scenario_parts.hpp"

#include "support/catch.hpp"
#include "support/eventually.hpp"

namespace harmony::test {

void ctl_ok(const cluster_bed& bed, std::vector<std::string> words) {
  words.insert(words.begin(), "failover");
  const auto done = bed.ctl(words);
  INFO(done.out << done.err << (done.code == 0 ? "" : bed.story()));
  REQUIRE(done.code == 0);
}

bed_member& standby_of(cluster_bed& bed, const bed_member& primary) {
  return *others_than(bed, primary).at(0);
}

std::vector<bed_member*> others_than(cluster_bed& bed, const bed_member& one) {
  std::vector<bed_member*> others;
  for (std::size_t i = 0; i < bed.size(); ++i)
    if (&bed[i] != &one)
      others.push_back(&bed[i]);
  return others;
}

void await_words(const cluster_bed& bed, const bed_member& m, const std::string& text,
                 std::chrono::seconds limit) {
  std::string words;
  const bool said = eventually(
    [&] {
      words = bed.words_of(m);
      return words.find(text) != std::string::npos;
    },
    limit);
  INFO(m.name() << " does not say '" << text << "' but: " << words << bed.story());
  REQUIRE(said);
}

std::string timeline_of(const bed_member& m) {
  return m.ask("SELECT substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8)").value_or("");
}

void close_door(bed_member& m, bool cut) {
  m.to_postgres().hang_handshakes(true);
  if (cut)
    m.to_postgres().cut();
}

void open_door(bed_member& m) {
  m.to_postgres().hang_handshakes(false);
  m.to_postgres().cut();
}

} // namespace harmony::test
