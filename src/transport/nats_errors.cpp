#include "transport/nats_errors.hpp"

namespace harmony::nats {

namespace {

failure from_jetstream(jsErrCode error, const std::string& message) {
  switch (error) {
  case JSStreamWrongLastSequenceErr: return {ec::conflict, message};
  case JSStreamNotFoundErr:
    return {ec::bucket_not_found, message + "; prepare the store first with 'harmonyctl init'"};
  case JSStreamMessageExceedsMaximumErr: return {ec::document_too_large, message};
  case JSInsufficientResourcesErr:
  case JSMemoryResourcesExceededErr:
  case JSStorageResourcesExceededErr:
  case JSStreamStoreFailedErr:
  case JSStreamMaxStreamBytesExceededErr:
    return {ec::disk_full, message + "; raise the server's JetStream limits or free space"};
  case JSNotEnabledErr:
  case JSNotEnabledForAccountErr:
    return {ec::store_unavailable, message + "; enable JetStream for this account"};
  case JSClusterNotAvailErr:
  case JSClusterNoPeersErr: return {ec::store_unavailable, message};
  default: return {ec::io_error, message};
  }
}

} // namespace

failure from_status(natsStatus status, jsErrCode error, const std::string& what) {
  const char* detail = nats_GetLastError(nullptr);
  auto message = "cannot " + what + ": " + natsStatus_GetText(status);
  if (detail != nullptr && *detail != '\0')
    message += std::string{" ("} + detail + ")";
  if (error != 0 && status != NATS_NO_RESPONDERS) // the library calls that "not enabled"
    return from_jetstream(error, message);
  switch (status) {
  case NATS_TIMEOUT: return {ec::timed_out, message};
  case NATS_NO_RESPONDERS:
    return {ec::bucket_not_found, "cannot " + what
                                    + ": no stream answers; prepare the store first with "
                                      "'harmonyctl init', and see that JetStream is enabled"};
  case NATS_MAX_PAYLOAD:
    return {ec::document_too_large, message + "; raise max_payload of the server"};
  case NATS_CONNECTION_AUTH_FAILED:
  case NATS_NOT_PERMITTED: return {ec::store_denied, message + "; check the credentials"};
  case NATS_CONNECTION_CLOSED:
  case NATS_CONNECTION_DISCONNECTED:
  case NATS_STALE_CONNECTION:
  case NATS_NO_SERVER:
  case NATS_IO_ERROR:
  case NATS_PROTOCOL_ERROR:
  case NATS_SSL_ERROR:
  case NATS_SECURE_CONNECTION_WANTED:
  case NATS_SECURE_CONNECTION_REQUIRED: return {ec::store_unavailable, message};
  default: return {ec::io_error, message};
  }
}

failure with_certificate(failure why, natsStatus status, const std::string& certificate) {
  if (status == NATS_PROTOCOL_ERROR || status == NATS_IO_ERROR || status == NATS_CONNECTION_CLOSED)
    why.message +=
      certificate.empty()
        ? "; it ended after the TLS handshake: the server may want a certificate of this client, "
          "and none is configured"
        : "; it ended after the TLS handshake: the server may not take the certificate in '"
            + certificate + "' (its authority, its dates)";
  return why;
}

bool lost_connection(natsStatus status) noexcept {
  return status == NATS_CONNECTION_CLOSED || status == NATS_CONNECTION_DISCONNECTED
         || status == NATS_STALE_CONNECTION || status == NATS_IO_ERROR;
}

std::string denied_subject(const std::string& text) {
  const auto says = [&](const char* words) { return text.find(words) != std::string::npos; };
  if (!says("ermissions Violation") && !says("ermissions violation"))
    return {};
  const auto begin = text.find('"');
  const auto end = text.find('"', begin + 1);
  if (begin == std::string::npos || end == std::string::npos)
    return {};
  return text.substr(begin + 1, end - begin - 1);
}

} // namespace harmony::nats
