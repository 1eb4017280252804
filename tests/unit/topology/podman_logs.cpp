#include "topology/podman_logs.hpp"
#include "support/catch.hpp"

namespace harmony::test {

namespace {

std::string frame(const std::string& text) {
  std::string f(8, '\0');
  f[0] = 1;
  f[6] = static_cast<char>(text.size() >> 8U);
  f[7] = static_cast<char>(text.size() & 0xFFU);
  return f + text;
}

const std::string t1 = "2026-11-23T10:17:19.862910290+01:00";
const std::string t2 = "2026-11-23T10:17:20.000000001+01:00";

std::vector<std::string> texts(const logs_result& r) {
  std::vector<std::string> all;
  for (const auto& l : r.lines)
    all.push_back(l.text);
  return all;
}

logs_result read(const std::string& cursor, const std::string& bytes) {
  podman::log_reader reader{cursor};
  reader.take(bytes);
  return std::move(reader).result();
}

using list = std::vector<std::string>;

} // namespace

TEST_CASE("podman logs: frames -> lines with their times, and a cursor behind the last") {
  const auto got = read("", frame(t1 + " one\n") + frame(t1 + " two\n") + frame(t2 + " three\n"));
  CHECK(texts(got) == list{"one", "two", "three"});
  CHECK(format_time(got.lines[0].at) == "2026-11-23T09:17:19.862Z");
  CHECK(got.cursor == t2 + "/1");
}

TEST_CASE("podman logs: cursor -> what was read of its time is left out") {
  const auto all = frame(t1 + " one\n") + frame(t1 + " two\n") + frame(t1 + " three\n");
  CHECK(podman::log_reader{t1 + "/2"}.since() == t1);
  const auto got = read(t1 + "/2", all);
  CHECK(texts(got) == list{"three"});
  CHECK(got.cursor == t1 + "/3");
  const auto same = read(t1 + "/3", all);
  CHECK(same.lines.empty());
  CHECK(same.cursor == t1 + "/3");
}

TEST_CASE("podman logs: bytes in any pieces -> the same lines") {
  const auto all = frame(t1 + " one\n") + frame(t2 + " two");
  for (std::size_t cut = 0; cut <= all.size(); ++cut) {
    podman::log_reader reader{""};
    reader.take(all.substr(0, cut));
    reader.take(all.substr(cut));
    const auto got = std::move(reader).result();
    CHECK(texts(got) == list{"one", "two"});
  }
}

TEST_CASE("podman logs: more than an answer holds -> ends, and goes on from its cursor") {
  podman::log_reader reader{""};
  bool more = true;
  std::size_t given = 0;
  for (; more && given < 10'000; ++given)
    more = reader.take(frame(t1 + " " + std::string(1000, 'x') + "\n"));
  CHECK_FALSE(more);
  const auto got = std::move(reader).result();
  CHECK(got.cursor == t1 + "/" + std::to_string(given));
}

TEST_CASE("podman logs: rubbish -> no lines, and no harm") {
  CHECK(read("", "nonsense").lines.empty());
  CHECK(read("", frame("no time\n") + frame("\n") + frame("")).lines.empty());
  CHECK(read("no slash", frame(t1 + " one\n")).lines.size() == 1);
  CHECK(read(t1 + "/x", frame(t1 + " one\n")).lines.size() == 1);
  CHECK(read("", frame(t1 + " " + std::string(20'000, 'x') + "\n")).lines[0].text.size()
        == max_log_line);
}

} // namespace harmony::test
