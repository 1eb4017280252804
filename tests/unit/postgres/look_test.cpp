#include "postgres/look.hpp"

#include "postgres/timelines.hpp"
#include "support/catch.hpp"

namespace harmony::postgres {

namespace {

constexpr const char* shut_down = R"(pg_control version number:            1300
Catalog version number:               202209061
Database system identifier:           7577318104214011234
Database cluster state:               shut down
pg_control last modified:             Sat Nov 28 04:00:00 2026
Latest checkpoint location:           0/3000028
Latest checkpoint's REDO location:    0/3000028
Latest checkpoint's TimeLineID:       2
Minimum recovery ending location:     0/0
Min recovery ending loc's timeline:   0
wal_level setting:                    replica
wal_log_hints setting:                on
max_connections setting:              100
max_prepared_xacts setting:           3
WAL block size:                       8192
Bytes per WAL segment:                16777216
Data page checksum version:           1
)";

failover::member_settings settings() {
  failover::member_settings s;
  s.node = "a";
  s.members = {{"a", "h1", 1}, {"b", "h2", 2}, {"c", "h3", 3}};
  return s;
}

row look_row() {
  return {"t",          "1",          std::nullopt,        "0/5000000",          "0/4000000",
          "streaming",  "2",          "RecoveryWalStream", "host='h2' port='2'", "",
          std::nullopt, std::nullopt, std::nullopt};
}

const rows identified{{"77", "1", "0/4000000", "postgres"}};

} // namespace

TEST_CASE("control: what pg_controldata prints -> is read") {
  const auto c = read_control(shut_down);
  REQUIRE(c);
  CHECK(c->system_id == 7577318104214011234U);
  CHECK(c->clean());
  CHECK(c->checkpoint == 0x3000028);
  CHECK(c->timeline() == 2);
  CHECK(c->segment_size == 16777216);
  CHECK(c->checksums);
  CHECK(c->log_hints);
  CHECK(
    c->least
    == std::map<std::string, std::uint32_t>{{"max_connections", 100}, {"max_prepared_xacts", 3}});
}

TEST_CASE("control: a line missing -> nothing is known") {
  std::string text = shut_down;
  CHECK_FALSE(read_control(text.substr(0, text.find("Bytes"))));
  CHECK_FALSE(read_control(""));
}

TEST_CASE("history: PostgreSQL's file -> the timelines before, oldest first") {
  const auto past = read_history("1\t0/3000060\tno recovery target specified\n\n"
                                 "# comment\n2\t16/B374D848\tbefore x\n");
  REQUIRE(past);
  CHECK(*past == std::vector<failover::past_timeline>{{1, 0x3000060}, {2, 0x16B374D848}});
  CHECK(read_history("# reserved\n")->empty());
  CHECK_FALSE(read_history("x\n"));
  CHECK_FALSE(read_history("1\n"));
  CHECK_FALSE(read_history("1\tnowhere\n"));
}

TEST_CASE("history: names of files -> numbers, and back") {
  CHECK(history_file(0x1F) == "0000001F.history");
  CHECK(history_number("0000001F.history") == 0x1F);
  CHECK(history_number("000000010000000000000001") == 0);
  CHECK(history_number("0000001g.history") == 0);
  CHECK(history_number("0000001F.history.") == 0);
}

TEST_CASE("log: a position -> its segment") {
  const auto at = place_of(0x16B374D848, 3, 16U << 20U);
  CHECK(at.file == "0000000300000016000000B3");
  CHECK(at.offset == 0x74D848);
}

TEST_CASE("log: a record -> ends behind the pages' headers that it crosses") {
  constexpr std::uint32_t segment = 1U << 20U;
  CHECK(record_end(0x28, 114, 8192, segment) == 0x28 + 120);
  CHECK(record_end(8192 - 8, 24, 8192, segment) == 8192 + 24 + 16);
  CHECK(record_end(segment - 8, 24, 8192, segment) == segment + 40 + 16);
  CHECK(record_end(8192 - 24, 24, 8192, segment) == 8192);
}

TEST_CASE("look: a standby that streams -> the further of received and replayed") {
  const auto a = read_answers({look_row()}, identified);
  REQUIRE(a);
  const auto is = told(*a, {{1, 0x1000}}, settings());
  CHECK(is.running);
  CHECK(is.in_recovery);
  CHECK(is.system_id == 77);
  CHECK(is.timeline == 2); // it receives the next one already
  CHECK(is.received == 0x5000000);
  CHECK(is.replayed == 0x4000000);
  CHECK(is.receives);
  CHECK(is.upstream == "b");
  CHECK(is.whole);
}

TEST_CASE("look: a standby that has not streamed -> whole only where it waits for log") {
  auto r = look_row();
  r[3] = r[5] = r[6] = std::nullopt;
  auto a = read_answers({r}, identified);
  CHECK(told(*a, {}, settings()).whole);
  a->startup_waits = "RecoveryRetrieveRetryInterval";
  CHECK(told(*a, {}, settings()).whole);
  a->startup_waits = "RecoveryPause";
  const auto is = told(*a, {}, settings());
  CHECK(is.received == 0x4000000);
  CHECK(is.timeline == 1);
  CHECK_FALSE(is.whole);
  CHECK_FALSE(is.receives);
}

TEST_CASE("look: a primary -> its standbys that are members, each once") {
  auto r = look_row();
  r[0] = "f";
  r[2] = "0/6000000";
  r[9] = R"(ANY 1 ("b"))";
  r[10] = "c 0/10,b 0/20,pg_basebackup 0/60,b 0/30,a 0/40";
  r[11] = "harmony_b,!harmony_c";
  r[12] = "shared_buffers,port";
  const auto a = read_answers({r}, identified);
  REQUIRE(a);
  CHECK(a->slots == std::vector<std::string>{"harmony_b", "!harmony_c"});
  CHECK(a->pending_restart == std::vector<std::string>{"shared_buffers", "port"});
  const auto is = told(*a, {}, settings());
  CHECK_FALSE(is.in_recovery);
  CHECK(is.timeline == 1);
  CHECK(is.flushed == 0x6000000);
  CHECK(is.upstream.empty());
  CHECK(is.names == failover::sync_names{1, {"b"}});
  CHECK(is.standbys == std::vector<failover::attached>{{"b", 0x20}, {"c", 0x10}});
}

TEST_CASE("look: an answer of another shape -> a failure") {
  CHECK_FALSE(read_answers({}, identified));
  CHECK_FALSE(read_answers({{"t"}}, identified));
  CHECK_FALSE(read_answers({look_row()}, {}));
}

TEST_CASE("look: a server that stopped -> its end, and the newer of its timelines") {
  auto c = *read_control(shut_down);
  auto is = told(c, 0x30000A0, {{1, 0x20}});
  CHECK_FALSE(is.running);
  CHECK(is.end() == 0x30000A0);
  CHECK(is.timeline == 2);
  c.recovered = 0x4000000;
  c.recovered_timeline = 3;
  is = told(c, 0x30000A0, {});
  CHECK(is.end() == 0x4000000);
  CHECK(is.timeline == 3);
  CHECK(is.checkpoint_timeline == 2);
}

TEST_CASE("timelines: a promotion to a number -> those between are taken") {
  using numbers = std::vector<std::uint32_t>;
  CHECK(to_reserve({}, 1, 2).value().empty());
  CHECK(to_reserve({2}, 2, 6).value() == numbers{3, 4, 5});
  CHECK(to_reserve({2, 4}, 2, 6).value() == numbers{3, 5});
  CHECK(to_reserve({}, 1, 1001).value().size() == 999);
  CHECK_FALSE(to_reserve({}, 1, 1002));
  CHECK_FALSE(to_reserve({}, 1, 4294967295U));
  CHECK_FALSE(to_reserve({2}, 2, 2));
  CHECK_FALSE(to_reserve({2}, 3, 2));
  CHECK_FALSE(to_reserve({2, 3}, 2, 3));
}

} // namespace harmony::postgres
