#include "model/base64.hpp"

#include <sodium/utils.h>

namespace harmony {

std::optional<std::string> decode_base64(std::string_view text, base64_alphabet alphabet) {
  std::string out(text.size() / 4 * 3 + 3, '\0');
  std::size_t size = 0;
  const char* end = nullptr;
  const auto variant = alphabet == base64_alphabet::url_safe ? sodium_base64_VARIANT_URLSAFE
                                                             : sodium_base64_VARIANT_ORIGINAL;
  if (sodium_base642bin(reinterpret_cast<unsigned char*>(out.data()), out.size(), text.data(),
                        text.size(), nullptr, &size, &end, variant)
        != 0
      || end != text.data() + text.size())
    return std::nullopt;
  out.resize(size);
  return out;
}

std::string encode_base64(std::string_view bytes) {
  std::string text(sodium_base64_ENCODED_LEN(bytes.size(), sodium_base64_VARIANT_ORIGINAL), '\0');
  sodium_bin2base64(text.data(), text.size(), reinterpret_cast<const unsigned char*>(bytes.data()),
                    bytes.size(), sodium_base64_VARIANT_ORIGINAL);
  text.pop_back(); // the terminator
  return text;
}

} // namespace harmony
