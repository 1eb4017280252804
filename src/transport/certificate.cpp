#include "transport/certificate.hpp"

#include <array>
#include <ctime>
#include <memory>
#include <optional>
#include <string_view>

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "identity/secret_file.hpp"

namespace harmony {

namespace {

using x509_ptr = std::unique_ptr<X509, decltype(&X509_free)>;
using key_ptr = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using bio_ptr = std::unique_ptr<BIO, decltype(&BIO_free)>;

bio_ptr bio_of(std::string_view text) {
  return {BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), BIO_free};
}

/// A key with a passphrase is none that a service can use; nobody is asked for it.
int no_passphrase(char* /*into*/, int /*size*/, int /*writing*/, void* /*closure*/) {
  return -1;
}

std::optional<std::chrono::sys_seconds> time_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1)
    return std::nullopt;
  return std::chrono::sys_seconds{std::chrono::seconds{::timegm(&parts)}};
}

std::string subject_of(const X509* certificate) {
  const bio_ptr out{BIO_new(BIO_s_mem()), BIO_free};
  X509_NAME_print_ex(out.get(), X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253);
  char* data = nullptr;
  const auto size = BIO_get_mem_data(out.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

} // namespace

outcome<certificate_head> read_certificate(const std::string& file, const std::string& key_file) {
  const auto text = read_text_file(file);
  if (!text)
    return text.error();
  const auto secret = read_secret_file(key_file);
  if (!secret)
    return secret.error();
  const auto in = bio_of(*text);
  const x509_ptr certificate{PEM_read_bio_X509(in.get(), nullptr, no_passphrase, nullptr),
                             X509_free};
  if (!certificate)
    return failure{ec::invalid_document, "there is no certificate (PEM) in '" + file + "'"};
  const auto key_in = bio_of(secret->reveal());
  const key_ptr key{PEM_read_bio_PrivateKey(key_in.get(), nullptr, no_passphrase, nullptr),
                    EVP_PKEY_free};
  if (!key)
    return failure{ec::invalid_document,
                   "there is no key (PEM, without a passphrase) in '" + key_file + "'"};
  if (X509_check_private_key(certificate.get(), key.get()) != 1)
    return failure{ec::invalid_document, "the key in '" + key_file
                                           + "' is not that of the certificate in '" + file + "'"};
  const auto begins = time_of(X509_get0_notBefore(certificate.get()));
  const auto ends = time_of(X509_get0_notAfter(certificate.get()));
  if (!begins || !ends)
    return failure{ec::invalid_document, "the certificate in '" + file + "' has no dates"};
  return certificate_head{subject_of(certificate.get()), *begins, *ends};
}

} // namespace harmony
