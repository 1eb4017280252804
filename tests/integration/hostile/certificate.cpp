#include "certificate.hpp"

#include <cstdio>
#include <memory>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdexcept>

namespace harmony::test {

namespace {

using file_ptr = std::unique_ptr<FILE, int (*)(FILE*)>;

void add(X509* to, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, to, to, nullptr, nullptr, 0);
  auto* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value);
  X509_add_ext(to, extension, -1);
  X509_EXTENSION_free(extension);
}

} // namespace

certificate_files make_certificate(const std::string& folder, const std::string& name) {
  certificate_files files{folder + "/" + name + ".pem", folder + "/" + name + ".key"};
  const std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)> key{EVP_EC_gen("P-256"), EVP_PKEY_free};
  const std::unique_ptr<X509, void (*)(X509*)> made{X509_new(), X509_free};
  auto* x = made.get();
  X509_set_version(x, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
  X509_gmtime_adj(X509_getm_notBefore(x), -60);
  X509_gmtime_adj(X509_getm_notAfter(x), 3600);
  X509_set_pubkey(x, key.get());
  auto* subject = X509_get_subject_name(x);
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509_set_issuer_name(x, subject);
  add(x, NID_basic_constraints, "critical,CA:TRUE");
  add(x, NID_subject_alt_name, "IP:127.0.0.1");
  X509_sign(x, key.get(), EVP_sha256());
  const file_ptr certificate{std::fopen(files.certificate.c_str(), "we"), std::fclose};
  const file_ptr secret{std::fopen(files.key.c_str(), "we"), std::fclose};
  if (!certificate || !secret || PEM_write_X509(certificate.get(), x) != 1
      || PEM_write_PrivateKey(secret.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1)
    throw std::runtime_error{"cannot write a certificate in '" + folder + "'"};
  return files;
}

std::string tls_config(const certificate_files& of) {
  return "tls { cert_file: \"" + of.certificate + "\", key_file: \"" + of.key + "\", timeout: 5 }";
}

} // namespace harmony::test
