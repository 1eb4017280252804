// What a signature costs: a manifest of 64 KiB, of which two of three pinned keys have signed.

#include <string>

#include "bench.hpp"
#include "core/admission.hpp"
#include "rows.hpp"
#include "support/people.hpp"

namespace harmony::bench {

namespace {

constexpr std::size_t payload_size = std::size_t{64} * 1024;
constexpr int verify_runs = 501;

/// A manifest of exactly that many bytes: Files of 1 KiB, and white space at its end.
std::string manifest_of_size() {
  constexpr int count = 56;
  std::vector<std::string> files;
  files.reserve(count);
  for (int i = 0; i < count; ++i)
    files.push_back(
      file_json("f" + std::to_string(i), "/srv/f" + std::to_string(i), std::string(1024, 'x')));
  auto text = R"({"apiVersion":"harmony/v1","kind":"AgentManifest","metadata":{"agent":"pi-1",)"
              R"("generation":1},"spec":{"resources":[)"
              + list(files) + "]}}";
  need(text.size() <= payload_size, "making a manifest of 64 KiB");
  text.resize(payload_size, ' ');
  return text;
}

} // namespace

void verify_row() {
  const auto policy = test::two_of_three();
  const auto document =
    write_envelope(test::signed_by({test::alice, test::carol}, manifest_of_size()));
  samples parsed, verified, admitted;
  for (int i = 0; i < verify_runs; ++i) {
    parsed.time([&] { need(read_envelope(document).ok(), "reading the envelope"); });
    verified.time([&] { need(open_document(document, policy).ok(), "verifying"); });
    admitted.time([&] {
      const auto judged = admit(document, {"pi-1", policy}, std::nullopt, timestamp{});
      need(std::holds_alternative<admission_accepted>(judged), "admitting");
    });
  }
  print_row("envelope of 64 KiB: taken apart, nothing verified", parsed, "-");
  print_row("envelope of 64 KiB: 2 of 3 signatures verified", verified, "<= 1 ms");
  print_row("the same, and its manifest of 56 Files read and admitted", admitted, "-");
}

} // namespace harmony::bench
