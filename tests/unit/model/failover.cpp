#include "model/failover.hpp"

#include "support/catch.hpp"

namespace harmony::failover::test {

namespace {

lease_record a_record() {
  lease_record r;
  r.epoch = 7;
  r.holder = r.primary = "a";
  r.incarnation = "a-1";
  r.nonce = 12;
  r.state = lease_state::held;
  r.lease_ms = 3000;
  r.system_id = 7300000000000000001U;
  r.timeline = 3;
  r.maker = "a-1/7";
  r.parent = 2;
  r.parent_maker = "b-1/5";
  r.switch_lsn = 0x16B374D848U;
  r.flush_lsn = 0x16B374E000U;
  r.sync = {1, {"b", "c"}};
  r.reserved = 4;
  return r;
}

std::string why_not(const std::string& json) {
  const auto read = read_lease_record(json);
  return read ? "it was read" : read.error().message;
}

std::string with(const std::string& field, const std::string& value) {
  auto text = write(a_record());
  const auto at = text.find("\"" + field + "\":");
  const auto begin = at + field.size() + 3;
  auto end = begin;
  for (int depth = 0; depth > 0 || (text[end] != ',' && text[end] != '}'); ++end)
    depth += text[end] == '{' || text[end] == '['   ? 1
             : text[end] == '}' || text[end] == ']' ? -1
                                                    : 0;
  return text.replace(begin, end - begin, value);
}

TEST_CASE("failover records: written and read -> the same") {
  const auto r = a_record();
  CHECK(read_lease_record(write(r)).value() == r);
  member_heartbeat b{"b", "b-1", 9, member_role::standby, 7, 1, 3, 3, 5, 4, true, 1, {}, {}};
  CHECK(read_member_heartbeat(write(b)).value() == b);
  b.frozen = frozen_report{8, 3, 5};
  b.newest = r;
  CHECK(read_member_heartbeat(write(b)).value() == b);
  const history_entry h{8, "b", "a", "took over", 4, 3, 5, 100};
  CHECK(read_history_entry(write(h)).value() == h);
  const cluster_command c{"c1", command_kind::failover, "b", true, "ann"};
  CHECK(read_cluster_command(write(c)).value() == c);
  const cluster_command again{"c2", command_kind::reinit, "b", false, "ann"};
  CHECK(read_cluster_command(write(again)).value() == again);
}

TEST_CASE("failover records: a record -> what stands in the store") {
  CHECK(
    write(a_record())
    == R"({"epoch":7,"flushLsn":"16/B374E000","holder":"a","incarnation":"a-1","leaseMs":3000,)"
       R"("maker":"a-1/7","nonce":12,"parent":2,"parentMaker":"b-1/5","primary":"a","reserved":4,)"
       R"("state":"held","switchLsn":"16/B374D848","sync":{"k":1,"members":["b","c"]},)"
       R"("systemId":"7300000000000000001","timeline":3})");
}

TEST_CASE("failover records: what is no record -> refused, with place and reason") {
  const std::string cannot = "cannot read the lease record: ";
  CHECK(why_not("{").substr(0, cannot.size()) == cannot);
  CHECK(why_not(with("epoch", "0"))
        == cannot + "epoch: expected a whole number from 1 to 9007199254740991, got 0");
  CHECK(why_not(with("state", "\"lost\""))
        == cannot + "state: expected one of \"promoting\", \"held\", \"released\", got \"lost\"");
  CHECK(why_not(with("flushLsn", "\"16\""))
        == cannot + "flushLsn: expected a position in the log like \"16/B374D848\", got \"16\"");
  CHECK(why_not(with("sync", R"({"k":1,"members":["c","b"]})"))
        == cannot + "sync.members: expected names in order, each once");
  CHECK(why_not(with("parent", "3")) == cannot + "parent: expected less than 'timeline'");
  CHECK(why_not(with("reserved", "2")) == cannot + "reserved: expected at least 'timeline'");
  CHECK(why_not(with("nonce", "1,\"more\":1")).find("more") != std::string::npos);
}

TEST_CASE("lsn: text -> number, and nothing for what is none") {
  CHECK(write_lsn(0) == "0/0");
  CHECK(write_lsn(0x16B374D848U) == "16/B374D848");
  CHECK(read_lsn("16/B374D848") == 0x16B374D848U);
  CHECK(read_lsn("FFFFFFFF/FFFFFFFF") == ~lsn{0});
  for (const auto* none : {"", "/", "1", "1/", "/1", "1/1/1", "-1/1", "100000000/1", "g/1", " 1/1"})
    CHECK_FALSE(read_lsn(none));
}

} // namespace

} // namespace harmony::failover::test
