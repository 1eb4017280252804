#include "model/base64.hpp"

#include <random>

#include <sodium/utils.h>

#include "support/catch.hpp"

namespace harmony {

namespace {

/// What libsodium's decoder, which takes as much time for each, makes of it.
std::optional<std::string> by_sodium(const std::string& text, int variant) {
  std::string out(text.size() + 3, '\0');
  std::size_t size = 0;
  const char* end = nullptr;
  if (sodium_base642bin(reinterpret_cast<unsigned char*>(out.data()), out.size(), text.data(),
                        text.size(), nullptr, &size, &end, variant)
        != 0
      || end != text.data() + text.size())
    return std::nullopt;
  out.resize(size);
  return out;
}

TEST_CASE("base64: the vectors of RFC 4648 -> both ways") {
  for (const auto& [bytes, text] :
       std::vector<std::pair<std::string, std::string>>{{"", ""},
                                                        {"f", "Zg=="},
                                                        {"fo", "Zm8="},
                                                        {"foo", "Zm9v"},
                                                        {"foob", "Zm9vYg=="},
                                                        {"fooba", "Zm9vYmE="},
                                                        {"foobar", "Zm9vYmFy"}}) {
    CHECK(encode_base64(bytes) == text);
    CHECK(decode_base64(text) == bytes);
  }
  CHECK(decode_base64("-_8=", base64_alphabet::url_safe) == "\xfb\xff");
  CHECK(decode_base64("+/8=") == "\xfb\xff");
}

TEST_CASE("base64: padding, unused bits, white space, the other alphabet -> nothing") {
  for (const auto* bad :
       {"Z", "Zg", "Zg=", "Zg===", "=", "==", "====", "Zh==", "Zm9=", "Zm 9v", "Zm9v\n",
        "-_8=", "Zg==Zg==", "Z===", "Zm9v=", "Zm9vZg=a", "\xffm9v", "Zm9\x80", "\xc3\xa9m9"})
    CHECK_FALSE(decode_base64(bad));
  CHECK_FALSE(decode_base64("+/8=", base64_alphabet::url_safe));
  CHECK_FALSE(decode_base64(std::string{"Zm\0v", 4}));
}

TEST_CASE("base64: any text -> as another decoder has it") {
  std::minstd_rand random{7};
  const std::string digits = "ABCQgw+/-_==\n .";
  for (int i = 0; i < 50'000; ++i) {
    std::string text(random() % 13, 'A');
    for (auto& c : text)
      c = digits[random() % digits.size()];
    if (decode_base64(text) != by_sodium(text, sodium_base64_VARIANT_ORIGINAL)
        || decode_base64(text, base64_alphabet::url_safe)
             != by_sodium(text, sodium_base64_VARIANT_URLSAFE))
      FAIL("'" << text << "'");
  }
}

} // namespace

} // namespace harmony
