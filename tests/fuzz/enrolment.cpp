// What a device is handed, and what anybody with a token may write: tokens, records, requests.

#include "identity/enrolment.hpp"
#include "fuzz.hpp"
#include "model/ids.hpp"

namespace harmony::fuzz {

void take(std::string_view bytes) {
  if (const auto token = read_token(bytes)) {
    const auto again = read_token(write_token(*token));
    require(again && again->id() == token->id() && again->store == token->store,
            "a token survives writing and reading");
    require(is_name(token->id()), "the id of a token is a name");
  }
  if (const auto record = read_record(bytes)) {
    const auto again = read_record(write_record(*record));
    require(again && again->is == record->is && again->nkey == record->nkey
              && again->expires == record->expires,
            "a record survives writing and reading");
  }
  if (const auto request = read_request(bytes)) {
    require(is_name(request->device), "who asks has a name");
    require(is_public_nkey(nkey_kind::user, request->nkey), "who asks has a key");
    require(is_receipt(bytes, request->token, request->nkey) == false, "a request is no receipt");
  }
}

} // namespace harmony::fuzz
