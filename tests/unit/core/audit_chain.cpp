#include "core/audit_chain.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "support/catch.hpp"

namespace harmony::test {

namespace {

using Catch::Matchers::Contains;
using lines = std::vector<std::string>;

audit_record full_record() {
  audit_record r;
  r.sequence = 7;
  r.time = timestamp{std::chrono::milliseconds{1'700'000'000'123}};
  r.uptime = 42;
  r.what = {"job-ended", "ShellJob/a", "sha256:1", "rollout/7", "store", {"k1", "k2"}, "exit 0"};
  r.lost = 3;
  r.torn = "ab";
  r.previous = audit_genesis();
  return r;
}

/// `count` records that stand on each other.
lines chain(std::uint64_t count) {
  lines result;
  auto previous = audit_genesis();
  for (std::uint64_t i = 1; i <= count; ++i) {
    audit_record r;
    r.sequence = i;
    r.uptime = i * 10;
    r.what = {"job-ended", "ShellJob/a", "sha256:1", "rollout/7", "store", {"k1"}, "exit 0"};
    r.previous = previous;
    result.push_back(write_audit_record(r));
    previous = sha256_hex(result.back());
  }
  return result;
}

std::string file_of(const lines& all) {
  std::string text;
  for (const auto& line : all)
    text += line + "\n";
  return text;
}

audit_verdict verify(const std::string& text, std::optional<audit_mark> anchor = {},
                     bool whole = true) {
  audit_verifier v{std::move(anchor)};
  v.take(text, "audit.log");
  return v.verdict(whole);
}

/// A record that heals what stands after `before`.
std::string healing(const lines& before, const std::string& torn) {
  audit_record r;
  r.sequence = before.size() + 1;
  r.what.event = "audit-healed";
  r.torn = sha256_hex(torn);
  r.previous = sha256_hex(before.back());
  return write_audit_record(r);
}

} // namespace

TEST_CASE("audit record: written -> read back the same, on one line") {
  const auto r = full_record();
  const auto line = write_audit_record(r);
  CHECK(read_audit_record(line) == r);
  CHECK(line.find('\n') == std::string::npos);
  auto odd = r;
  odd.what.result = "a\nb\xff\"";
  CHECK(write_audit_record(odd).find('\n') == std::string::npos);
  for (const char* bad : {"", "{}", "[]", R"({"seq":0})", R"({"seq":"1"})", "\xff"})
    CHECK_FALSE(read_audit_record(bad));
  for (const auto* count : {"44444444444444444441", "-1", "1.5", "1e3"}) {
    auto wrong = line;
    const auto at = wrong.find("\"seq\":") + 6;
    wrong.replace(at, wrong.find(',') - at, count);
    CHECK_FALSE(read_audit_record(wrong));
  }
}

TEST_CASE("audit chain: as it was written -> intact, with its head") {
  const auto all = chain(5);
  const auto v = verify(file_of(all));
  CHECK(v.intact);
  CHECK(v.first == 1);
  CHECK(v.records == 5);
  CHECK(v.head == audit_mark{5, sha256_hex(all.back())});
  CHECK(verify("").intact);
}

TEST_CASE("audit chain: any field of any record changed -> broken where the next stands on it") {
  const auto all = chain(4);
  const auto fields = nlohmann::ordered_json::parse(write_audit_record(full_record()));
  for (std::size_t at = 0; at + 1 < all.size(); ++at)
    for (const auto& [name, value] : fields.items()) {
      INFO("record " << at + 1 << ", field " << name);
      auto changed = all;
      auto record = nlohmann::ordered_json::parse(all[at]);
      const bool number = value.is_number();
      record[name] = number ? nlohmann::ordered_json(value.get<int>() + 1000) : "x";
      changed[at] = record.dump();
      const auto v = verify(file_of(changed));
      CHECK_FALSE(v.intact);
      CHECK_THAT(v.fault, Contains("audit.log:" + std::to_string(at + 1) + ":")
                            || Contains("audit.log:" + std::to_string(at + 2) + ":"));
      CHECK(v.records <= at + 1);
    }
}

TEST_CASE("audit chain: any byte of it flipped but in its last record -> broken") {
  const auto text = file_of(chain(3));
  const auto last = text.rfind('\n', text.size() - 2) + 1;
  for (std::size_t at = 0; at < last; ++at) {
    auto changed = text;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    INFO(at);
    CHECK_FALSE(verify(changed).intact);
  }
}

TEST_CASE("audit chain: a line taken out, put in, moved or twice -> broken at that place") {
  const auto all = chain(5);
  for (std::size_t at = 0; at + 1 < all.size(); ++at) {
    auto changed = all;
    changed.erase(changed.begin() + static_cast<std::ptrdiff_t>(at));
    CHECK_FALSE(verify(file_of(changed)).intact);
    changed = all;
    std::swap(changed[at], changed[at + 1]);
    CHECK_FALSE(verify(file_of(changed)).intact);
    changed = all;
    changed.insert(changed.begin() + static_cast<std::ptrdiff_t>(at), all[at]);
    CHECK_FALSE(verify(file_of(changed)).intact);
    changed = all;
    changed.insert(changed.begin() + static_cast<std::ptrdiff_t>(at), "rubbish");
    CHECK_FALSE(verify(file_of(changed)).intact);
  }
  auto changed = all;
  changed.erase(changed.begin() + 2);
  CHECK(verify(file_of(changed)).fault == "audit.log:3: record 4 follows record 2");
}

TEST_CASE("audit chain: cut off at its end -> seen only by a mark that was kept elsewhere") {
  const auto all = chain(5);
  const audit_mark mark{4, sha256_hex(all[3])};
  CHECK(verify(file_of(all), mark).intact);
  const lines cut{all.begin(), all.begin() + 3};
  CHECK(verify(file_of(cut)).intact);
  CHECK(verify(file_of(cut), mark).fault == "record 4 is missing: the log was cut off after 3");
  CHECK(verify(file_of(all), audit_mark{4, sha256_hex("x")}).fault
        == "record 4 is another than the one that was seen before");
  CHECK(verify(file_of({all.begin() + 4, all.end()}), mark, false).intact); // rotated away
}

TEST_CASE("audit chain: last line torn by a power loss -> intact, and healed by the next record") {
  const auto all = chain(3);
  const lines two{all.begin(), all.begin() + 2};
  const auto whole = file_of(two);
  for (std::size_t kept = 1; kept <= all[2].size(); ++kept) {
    const auto torn = all[2].substr(0, kept);
    const auto v = verify(whole + torn);
    CHECK(v.intact);
    CHECK(v.torn_end);
    CHECK(v.records == 2);
    auto healed = verify(whole + torn + "\n" + healing(two, torn + "\n") + "\n");
    if (kept == all[2].size())
      continue; // that is a record, which needs only its newline
    INFO(healed.fault);
    CHECK(healed.intact);
    CHECK(healed.healed == 1);
    CHECK(healed.records == 3);
    CHECK_FALSE(verify(whole + "x" + torn + "\n" + healing(two, torn + "\n") + "\n").intact);
  }
  CHECK(verify(whole + std::string(100, '\0') + "\n").torn_end);
  CHECK_FALSE(verify(whole + "torn\n" + all[2] + "\n").intact);
  CHECK_FALSE(verify(whole + healing(two, "never there") + "\n").intact);
  CHECK_FALSE(verify(whole + "torn\ntorn\n").intact);
}

TEST_CASE("audit chain: over several files -> one chain; the oldest may begin later") {
  const auto all = chain(6);
  audit_verifier v;
  v.take(file_of({all.begin() + 2, all.begin() + 4}), "audit.log.1");
  v.take(file_of({all.begin() + 4, all.end()}), "audit.log");
  CHECK(v.verdict(false).intact);
  CHECK(v.verdict(false).first == 3);
  CHECK(v.verdict(true).fault == "the records before 3 are missing");
  audit_verifier gap;
  gap.take(file_of({all.begin(), all.begin() + 2}), "audit.log.1");
  gap.take(file_of({all.begin() + 3, all.end()}), "audit.log");
  CHECK(gap.verdict(false).fault == "audit.log:1: record 4 follows record 2");
}

TEST_CASE("audit chain: gaps -> what they tell of is added up") {
  audit_record r;
  r.sequence = 1;
  r.what.event = "audit-gap";
  r.lost = 12;
  r.previous = audit_genesis();
  CHECK(verify(write_audit_record(r) + "\n").lost == 12);
}

TEST_CASE("audit mark: written -> read back; anything else -> none") {
  const audit_mark mark{7, std::string(64, 'a')};
  CHECK(read_audit_mark(write_audit_mark(mark)) == mark);
  for (const char* bad : {"", ":", "7", "7:", "x:a", "7:abc"})
    CHECK_FALSE(read_audit_mark(bad));
  CHECK_FALSE(read_audit_mark("0:" + mark.hash));
}

TEST_CASE("audit row: a record, a line that is none -> a row, the line") {
  auto r = full_record();
  r.lost = 0;
  CHECK(audit_row(write_audit_record(r))
        == "7      2023-11-14T22:13:20.123Z  job-ended         ShellJob/a                "
           "rollout/7 k1 k2 exit 0");
  CHECK(audit_row("rubbish") == "rubbish");
}

} // namespace harmony::test
