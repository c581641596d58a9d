#include "api/tls/files.h"

#include <cerrno>
#include <cstring>
#include <memory>

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <unistd.h>

namespace api {
namespace {

constexpr size_t kFileBytesMax = 16 << 20;  // The bundle of all public authorities has 0.2 MiB.

struct Deleter {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using Certificate = std::unique_ptr<X509, Deleter>;
using Key = std::unique_ptr<EVP_PKEY, Deleter>;

tl::unexpected<pd::Error> Bad(std::string text) {
  return pd::Fail(pd::ErrorCode::kInvalidArgument, std::move(text));
}

/// `what`: "certificate", for the error.
pd::Result<std::string> ReadFile(const char* what, const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  std::string text;
  char buffer[65536];
  ssize_t size = file < 0 ? -1 : 0;
  while (file >= 0 && text.size() <= kFileBytesMax &&
         (size = read(file, buffer, sizeof buffer)) > 0)
    text.append(buffer, static_cast<size_t>(size));
  const int why = errno;
  if (file >= 0) close(file);
  if (size < 0) {
    return Bad(fmt::format("cannot read {} file {}: {}", what, path, std::strerror(why)));
  }
  if (text.size() > kFileBytesMax) return Bad(fmt::format("{} file {} is too large", what, path));
  return text;
}

/// The first certificate in the text, or null.
Certificate FirstCertificate(const std::string& text) {
  const std::unique_ptr<BIO, Deleter> bio(
      BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  return Certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
}

pd::Result<Certificate> ReadCertificate(const char* what, const std::string& path) {
  const auto text = ReadFile(what, path);
  if (!text) return tl::unexpected(text.error());
  Certificate certificate = FirstCertificate(*text);
  if (certificate == nullptr) {
    return Bad(fmt::format("{} file {} holds no certificate in PEM format", what, path));
  }
  return certificate;
}

pd::Result<Key> ReadKey(const std::string& path) {
  const auto text = ReadFile("key", path);
  if (!text) return tl::unexpected(text.error());
  const std::unique_ptr<BIO, Deleter> bio(
      BIO_new_mem_buf(text->data(), static_cast<int>(text->size())));
  bool asked = false;
  // Without a callback of ours the library would ask at the terminal.
  const auto no_password = [](char*, int, int, void* user) {
    *static_cast<bool*>(user) = true;
    return -1;
  };
  Key key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, &asked));
  if (asked) return Bad(fmt::format("key file {} has a password, which is not supported", path));
  if (key == nullptr) {
    return Bad(fmt::format("key file {} holds no private key in PEM format", path));
  }
  return key;
}

}  // namespace

pd::Result<void> CheckTlsFiles(const TlsFiles& files) {
  if (!files.ca.empty()) {
    if (const auto ca = ReadCertificate("CA", files.ca); !ca) return tl::unexpected(ca.error());
  }
  if (files.certificate.empty() && files.key.empty()) return {};
  if (files.key.empty()) {
    return Bad(fmt::format("certificate file {} is given without its key", files.certificate));
  }
  if (files.certificate.empty()) {
    return Bad(fmt::format("key file {} is given without its certificate", files.key));
  }
  const auto certificate = ReadCertificate("certificate", files.certificate);
  if (!certificate) return tl::unexpected(certificate.error());
  const auto key = ReadKey(files.key);
  if (!key) return tl::unexpected(key.error());
  if (X509_check_private_key(certificate->get(), key->get()) != 1) {
    return Bad(fmt::format("key file {} does not belong to certificate file {}", files.key,
                           files.certificate));
  }
  return {};
}

}  // namespace api
