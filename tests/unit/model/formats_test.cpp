// A format says the same set of strings as a test and as a schema's pattern.

#include "model/detail/formats.hpp"

#include <random>
#include <regex>
#include <string>
#include <vector>

#include "support/catch.hpp"

namespace harmony {

namespace {

namespace formats = detail::formats;

struct sample {
  const char* name;
  const detail::format& format;
  /// The pattern takes more than the test: what is meant by the characters counts too (a number's
  /// size, a calendar). docs/protocol.md lists these rules.
  bool wider_pattern;
  std::vector<std::string> good;
  std::vector<std::string> bad;
};

const std::string digest(64, 'a');

const std::vector<sample>& samples() {
  static const std::vector<sample> all{
    {"name", formats::name, false, {"a", "a-1"}, {"", "-", "A"}},
    {"kind", formats::kind, false, {"File"}, {"", "F1"}},
    {"id", formats::id, false, {"File/a-1"}, {"File", "/a", "File/a/b"}},
    {"sha256", formats::sha256, false, {digest}, {"a", std::string(64, 'A')}},
    {"boot_id", formats::boot_id, false, {"0123456789abcdef"}, {"0123"}},
    {"time",
     formats::time,
     true,
     {"2026-01-31T12:00:00Z", "2026-01-31T12:00:00.25+01:00"},
     {"2026-02-30T12:00:00Z", "2026-01-31"}},
    {"path",
     formats::path,
     false,
     {"/a", "/a/b.c/..d/...", "/a b/é"},
     {"", "/", "a", "/a/", "//a", "/a//b", "/./a", "/a/..", std::string{"/a\0b", 4}}},
    {"plain_path", formats::plain_path, false, {"/a", "/a b/é"}, {"", "/", "/a/../b", "/a\nb"}},
    {"host_path", formats::host_path, false, {"/", "/a"}, {"", "//", "/a/"}},
    {"mode", formats::mode, false, {"0644", "7777"}, {"644", "0888", "00644"}},
    {"account",
     formats::account,
     true,
     {"root", "_a-1", "0", "4294967294", std::string(32, 'a')},
     {"", "1a", "Root", "4294967295", "00", "a.b", std::string(33, 'a')}},
    {"run_as",
     formats::run_as,
     true,
     {"root", "1000:1000", "a:0"},
     {"", ":", "a:", ":a", "a:b:c", "4294967295:0"}},
    {"url",
     formats::url,
     false,
     {"http://h", "https://h.x:80/a?b#c", "http://[::1]:8/"},
     {"", "ftp://h", "http://", "http:///a", "http://u:p@h/", "http://h/a b"}},
    {"base64",
     formats::base64,
     false,
     {"", "AAAA", "AP8=", "AA=="},
     {"A", "AA", "AAA", "A===", "AB==", "AP9=", "AA=A", "====", "AA A"}},
    {"unit",
     formats::unit,
     false,
     {"a.service", "a@b.timer", "a@b@c.socket", "a\\x2d.mount", "-.slice", "a.b.path", "x.target",
      "x.swap", "x.automount"},
     {"", "a", ".service", "a@.service", "@a.service", "a.device", "a.Service", "a b.service",
      "a.service.", "a/b.service"}},
    {"image",
     formats::image,
     false,
     {"a", "a:1", "a/b", "h.x:5000/a/b:t_.-", "localhost/a", "H/a", "a__b", "a--b",
      "a@sha256:" + digest, "h:1/a:t@sha512:" + digest + digest},
     {"", "A", "a/", "/a", "a:", "a..b", "a___b", "_a", "a@sha256:aa", "h:/a", "h:123456/a",
      "a@md5:" + digest, "a b", "a/B", "https://a", "a:b:c"}},
    {"variable", formats::variable, false, {"A", "_a.b-1"}, {"", "1", "a=b", "a b"}},
    {"volume", formats::volume, false, {"a", "A_.-1"}, {"", ".a", "a/b"}},
    {"ip_address",
     formats::ip_address,
     true,
     {"127.0.0.1", "255.255.255.255", "::", "::1", "1::", "fe80::1:2", "1:2:3:4:5:6:7:8"},
     {"", "1", "1.2.3", "1.2.3.256", "01.2.3.4", "1.2.3.4.5", ":::", "1::2::3",
      "12345::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7::8", ":1", "g::"}},
    {"host",
     formats::host,
     true,
     {"a", "a.b-c", "127.0.0.1", "::1", "A1"},
     {"", ".", "a.", "-a", "a_b", "a b", "a:1", ":"}},
    {"http_path", formats::http_path, false, {"/", "/a?b=c%20"}, {"", "a", "/a b", "/é"}},
    {"label_name", formats::label_name, false, {"a", "A.b/c-d_e"}, {"", ".a", "a.", "a b"}},
    {"size",
     formats::size,
     true,
     {"1Ki", "1Mi", "100M", "3k", "9T", "7Ti", "8191Ti"},
     {"", "1", "0Mi", "Mi", "1mi", "-1Mi", "1.5Mi", "01Mi", "8192Ti", "99999999999999999999Ti"}},
    {"member",
     formats::member,
     false,
     {"a", "1a", "edge-1", std::string(55, 'a')},
     {"", "_a", "a_b", "-a", "a-", "A", std::string(56, 'a')}},
    {"role", formats::role, false, {"replicator", "_a1"}, {"", "1a", "a-b", "A", "a b"}},
    {"pg_version", formats::pg_version, false, {"15", "99"}, {"", "9", "09", "15.3", "150"}},
    {"pg_parameter",
     formats::pg_parameter,
     false,
     {"work_mem", "auto_explain.log_timing", "a.b.c_1"},
     {"", ".", "a.", ".a", "a..b", "DateStyle", "a-b", "1a"}},
    {"line", formats::line, false, {"", "host all all\" é", " "}, {"a\nb", "\x7F", "a\t"}},
    {"filled_line", formats::filled_line, false, {"host all", "#"}, {"", "\r", "a\nb"}},
    {"argument", formats::argument, false, {"", "a b\n"}, {std::string{"\0", 1}}},
    {"program", formats::program, false, {"a"}, {"", std::string{"a\0", 2}}},
  };
  return all;
}

bool by_pattern(const sample& s, const std::regex& pattern, const std::string& text) {
  return text.size() <= s.format.max_bytes + (s.format.max_bytes == 0 ? text.size() : 0)
         && std::regex_match(text, pattern);
}

TEST_CASE("formats: known strings -> taken or refused") {
  for (const auto& s : samples()) {
    const std::regex pattern{std::string{s.format.pattern}};
    for (const auto& text : s.good) {
      INFO(s.name << " '" << text << "'");
      CHECK(s.format.accepts(text));
      CHECK(by_pattern(s, pattern, text));
    }
    for (const auto& text : s.bad) {
      INFO(s.name << " '" << text << "'");
      CHECK_FALSE(s.format.accepts(text));
      if (!s.wider_pattern)
        CHECK_FALSE(by_pattern(s, pattern, text));
    }
  }
}

TEST_CASE("formats: seeded random strings -> pattern and test agree") {
  std::mt19937 random{20260131};
  const auto below = [&](std::size_t n) { return random() % n; };
  for (const auto& s : samples()) {
    const std::regex pattern{std::string{s.format.pattern}};
    std::string alphabet;
    std::vector<std::string> seeds;
    for (const auto* list : {&s.good, &s.bad})
      for (const auto& text : *list) {
        alphabet += text;
        seeds.push_back(text);
      }
    alphabet += "/.:@-_=\\";
    int taken = 0;
    for (int i = 0; i < 1500; ++i) {
      auto text = seeds[below(seeds.size())];
      for (auto edits = below(4); edits > 0; --edits) {
        const char c = alphabet[below(alphabet.size())];
        const auto at = below(text.size() + 1);
        if (below(3) == 0 || text.empty())
          text.insert(at, 1, c);
        else if (below(2) == 0)
          text.erase(at, 1 + below(3));
        else
          text[std::min(at, text.size() - 1)] = c;
      }
      INFO(s.name << " '" << text << "'");
      const bool ours = s.format.accepts(text);
      const bool theirs = by_pattern(s, pattern, text);
      taken += ours ? 1 : 0;
      if (ours != theirs && !(s.wider_pattern && theirs))
        FAIL_CHECK("accepts: " << ours << ", pattern: " << theirs);
    }
    INFO(s.name);
    CHECK(taken > 50); // the comparison saw both sides
    CHECK(taken < 1450);
  }
}

TEST_CASE("formats: sizes -> bytes") {
  CHECK(detail::parse_size("1Ki") == 1024);
  CHECK(detail::parse_size("2k") == 2000);
  CHECK(detail::parse_size("64Mi") == 67108864);
  CHECK(detail::parse_size("100M") == 100000000);
  CHECK(detail::parse_size("1Gi") == 1073741824);
  CHECK(detail::parse_size("1G") == 1000000000);
  CHECK(detail::parse_size("8191Ti") == 9006099743113216ULL);
  CHECK(detail::parse_size("8192Ti") == 0); // 2^53
  CHECK(detail::parse_size("1T") == 1000000000000ULL);
}

} // namespace

} // namespace harmony
