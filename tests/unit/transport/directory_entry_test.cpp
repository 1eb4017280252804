#include "transport/directory_entry.hpp"

#include "support/catch.hpp"

namespace harmony {

namespace {

using directory::entry;
using directory::header_of;
using directory::read_entry;
using std::chrono::milliseconds;
using std::chrono::system_clock;

// 2026-03-01T08:15:30.123Z
constexpr auto moment = system_clock::time_point{milliseconds{1772352930123}};

} // namespace

TEST_CASE("directory entry: value -> header as documented, read back the same") {
  entry e;
  e.revision = 7;
  e.written = moment;
  e.value = "{\"a\":1}\nand more\n";
  const auto header = header_of(e);
  CHECK(header == "harmony-entry/1 revision=7 written=2026-03-01T08:15:30.123Z bytes=17\n");
  const auto read = read_entry(header + e.value, "x");
  REQUIRE(read);
  CHECK(read->revision == 7);
  CHECK(read->written == moment);
  CHECK(read->value == e.value);
  CHECK_FALSE(read->deleted);
}

TEST_CASE("directory entry: deletion -> no value, read back the same") {
  entry e;
  e.revision = 18446744073709551615ULL;
  e.written = moment;
  e.deleted = true;
  const auto read = read_entry(header_of(e), "x");
  REQUIRE(read);
  CHECK(read->revision == e.revision);
  CHECK(read->deleted);
  CHECK(read->value.empty());
}

TEST_CASE("directory entry: anything else -> io_error that names the file") {
  const std::string good =
    "harmony-entry/1 revision=7 written=2026-03-01T08:15:30.123Z bytes=2\nab";
  REQUIRE(read_entry(good, "x"));
  const auto broken = GENERATE_COPY(as<std::string>{},                                //
                                    "",                                               //
                                    "\n",                                             //
                                    "{}\n",                                           //
                                    good + "c",                                       //
                                    good.substr(0, good.size() - 1),                  //
                                    "harmony-entry/1 \n",                             //
                                    "harmony-entry/1 revision=7\n",                   //
                                    "harmony-entry/1 revision=7 written=\n",          //
                                    "harmony-entry/1 revision=0" + good.substr(26),   //
                                    "harmony-entry/1 revision=-1" + good.substr(26),  //
                                    "harmony-entry/1 revision=99999999999999999999" + //
                                      good.substr(26),                                //
                                    "harmony-entry/2" + good.substr(15),              //
                                    "harmony-entry/1 revision=7 written=2026-03-01 bytes=2\nab",
                                    "harmony-entry/1 revision=7 "
                                    "written=2026-03-01T08:15:30.12xZ bytes=2\nab",
                                    "harmony-entry/1 revision=7 "
                                    "written=2026-03-01T08:15:30.123Z bytes=\nab",
                                    "harmony-entry/1 revision=7 "
                                    "written=2026-03-01T08:15:30.123Z\nab",
                                    "harmony-entry/1 revision=7 "
                                    "written=2026-99-01T08:15:30.123Z bytes=2\nab",
                                    "harmony-entry/1 revision=7 " // no clock holds it
                                    "written=9026-03-01T08:15:30.123Z bytes=2\nab");
  INFO(broken);
  const auto read = read_entry(broken, "/the/file");
  REQUIRE_FALSE(read);
  CHECK(read.error().code == ec::io_error);
  CHECK(read.error().message.find("'/the/file'") != std::string::npos);
}

} // namespace harmony
