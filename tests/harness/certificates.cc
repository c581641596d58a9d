#include "tests/harness/certificates.h"

#include <atomic>
#include <cstdio>
#include <stdexcept>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

namespace harness {
namespace {

struct Deleter {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(std::FILE* file) const { std::fclose(file); }
  void operator()(SSL* ssl) const { SSL_free(ssl); }
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
template <class T>
using Owned = std::unique_ptr<T, Deleter>;

constexpr long kDayS = 24 * 60 * 60;

void Extend(X509* certificate, X509* issuer, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value);
  if (extension == nullptr) throw std::runtime_error("bad extension of a certificate");
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

/// A certificate without extensions, not signed yet.
Owned<X509> Draft(const std::string& common_name, EVP_PKEY* key) {
  static std::atomic<long> serial = 1;
  Owned<X509> certificate(X509_new());
  X509_set_version(certificate.get(), 2);  // Version 3.
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), serial++);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -kDayS);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), kDayS);
  X509_set_pubkey(certificate.get(), key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1,
                             0);
  return certificate;
}

template <class Write>
void WriteFile(const std::string& path, Write write) {
  const Owned<std::FILE> file(std::fopen(path.c_str(), "w"));
  if (file == nullptr || write(file.get()) != 1) throw std::runtime_error("cannot write " + path);
}

void WriteCertificate(const std::string& path, X509* certificate) {
  WriteFile(path, [&](std::FILE* file) { return PEM_write_X509(file, certificate); });
}

}  // namespace

struct TestAuthority::Parts {
  Owned<EVP_PKEY> key{EVP_EC_gen("P-256")};
  Owned<X509> certificate;
};

TestAuthority::TestAuthority(std::string folder, std::string name)
    : folder_(std::move(folder)), name_(std::move(name)), parts_(std::make_unique<Parts>()) {
  parts_->certificate = Draft(name_, parts_->key.get());
  X509* const own = parts_->certificate.get();
  X509_set_issuer_name(own, X509_get_subject_name(own));
  Extend(own, own, NID_basic_constraints, "critical,CA:TRUE");
  Extend(own, own, NID_key_usage, "critical,keyCertSign,cRLSign");
  X509_sign(own, parts_->key.get(), EVP_sha256());
  WriteCertificate(file(), own);
}

TestAuthority::~TestAuthority() = default;

std::string TestAuthority::file() const { return folder_ + "/" + name_ + ".pem"; }

Issued TestAuthority::Issue(const std::string& name, const std::string& common_name) const {
  const Owned<EVP_PKEY> key(EVP_EC_gen("P-256"));
  const Owned<X509> certificate = Draft(common_name, key.get());
  X509* const authority = parts_->certificate.get();
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(authority));
  Extend(certificate.get(), authority, NID_subject_alt_name, "IP:127.0.0.1,DNS:localhost");
  Extend(certificate.get(), authority, NID_ext_key_usage, "serverAuth,clientAuth");
  X509_sign(certificate.get(), parts_->key.get(), EVP_sha256());
  Issued issued{folder_ + "/" + name + ".pem", folder_ + "/" + name + "-key.pem"};
  WriteCertificate(issued.certificate, certificate.get());
  WriteFile(issued.key, [&](std::FILE* file) {
    return PEM_write_PrivateKey(file, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  });
  return issued;
}

void WriteLockedKey(const std::string& path) {
  const Owned<EVP_PKEY> key(EVP_EC_gen("P-256"));
  WriteFile(path, [&](std::FILE* file) {
    return PEM_write_PKCS8PrivateKey(file, key.get(), EVP_aes_256_cbc(), "secret", 6, nullptr,
                                     nullptr);
  });
}

std::string ClientHello(const std::vector<std::string>& protocols) {
  std::string offer;
  for (const std::string& protocol : protocols) {
    offer += static_cast<char>(protocol.size());
    offer += protocol;
  }
  const Owned<SSL_CTX> context(SSL_CTX_new(TLS_client_method()));
  const Owned<SSL> ssl(SSL_new(context.get()));
  SSL_set_alpn_protos(ssl.get(), reinterpret_cast<const unsigned char*>(offer.data()),
                      static_cast<unsigned>(offer.size()));
  BIO* const sent = BIO_new(BIO_s_mem());
  SSL_set_bio(ssl.get(), BIO_new(BIO_s_mem()), sent);  // Owned by ssl now.
  SSL_connect(ssl.get());                              // Wants an answer that will not come.
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(sent, &bytes);
  return {bytes, static_cast<size_t>(size)};
}

}  // namespace harness
