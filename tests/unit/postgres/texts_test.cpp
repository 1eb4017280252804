#include "postgres/conf.hpp"
#include "postgres/conninfo.hpp"
#include "postgres/sync_names.hpp"
#include "support/catch.hpp"

namespace harmony::postgres {

TEST_CASE("conf: any value -> is read back as it was written") {
  for (const auto* value : {"", "on", "it's", "a\\b", "'", "\\'", "x = 'y' # z", "''"})
    CHECK(setting_of(write_setting("name", value), "NAME") == value);
}

TEST_CASE("conf: lines as people write them -> the last setting counts") {
  const auto* text = "# port = 1\n port 2\nPort=3 # three\n\nother = 'port'\nport = '4'x\n";
  CHECK(setting_of(text, "port") == "4");
  CHECK(setting_of("port = 3 # three", "port") == "3");
  CHECK(setting_of(text, "none") == std::nullopt);
}

TEST_CASE("conf: settings taken out -> comments and others stay") {
  CHECK(without_settings("# Do not edit\nPORT = '1'\nwork_mem = '4MB'\nport=2\n", {"port"})
        == "# Do not edit\nwork_mem = '4MB'\n");
}

TEST_CASE("conf: an include -> stands last, and once") {
  const auto once = with_include("a = 1\n", "h.conf");
  CHECK(once == "a = 1\ninclude 'h.conf'\n");
  CHECK(with_include(once, "h.conf") == once);
  CHECK(with_include(once + "b = 2", "h.conf") == "a = 1\nb = 2\ninclude 'h.conf'\n");
  CHECK(with_include("", "h.conf") == "include 'h.conf'\n");
}

TEST_CASE("conninfo: any value -> is read back as it was written") {
  const auto text = write_conninfo({{"host", "it's"}, {"password", "a\\b 'c'"}, {"empty", ""}});
  const auto all = read_conninfo(text);
  CHECK(all.at("host") == "it's");
  CHECK(all.at("password") == "a\\b 'c'");
  CHECK(all.at("empty").empty());
}

TEST_CASE("conninfo: as people write it -> is read") {
  const auto all = read_conninfo(" host = a  port=1 host='b c'");
  CHECK(all.at("host") == "b c");
  CHECK(all.at("port") == "1");
  CHECK(read_conninfo("postgres://a").empty());
  CHECK(read_conninfo("").empty());
}

TEST_CASE("conninfo: an upstream -> is known by its address") {
  const std::vector<failover::member_address> members{{"a", "10.0.0.1", 5432}, {"b", "h", 5433}};
  CHECK(upstream_of("", members).empty());
  CHECK(upstream_of("host='10.0.0.1' user='x'", members) == "a");
  CHECK(upstream_of("host=h port=5433", members) == "b");
  CHECK(upstream_of("host=h port=1", members) == "h:1");
}

TEST_CASE("sync names: any set -> is read back as it was written") {
  for (const auto& names : std::vector<failover::sync_names>{
         {0, {}}, {1, {}}, {2, {}}, {1, {"a"}}, {2, {"a", "b", "c_1"}}})
    CHECK(read_sync_names(write_sync_names(names)) == names);
  CHECK(write_sync_names({1, {"a", "b"}}) == R"(ANY 1 ("a", "b"))");
}

TEST_CASE("sync names: what somebody else set -> is no set that an order asks for") {
  for (const auto* text : {"*", "a, b", "FIRST 1 (a)", "ANY 1 (a)", "ANY 1 (*)", "ANY x (\"a\")"}) {
    const auto names = read_sync_names(text);
    CHECK(names != failover::sync_names{});
    CHECK(names.k == 0);
  }
}

} // namespace harmony::postgres
