#pragma once

#include <memory>
#include <string>
#include <vector>

namespace harness {

/// A certificate with its key; paths of files in PEM format.
struct Issued {
  std::string certificate;
  std::string key;
};

/// An authority that signs certificates for tests, with fresh keys, valid for a day around now. Files go below
/// `folder`. Throws std::runtime_error when a file cannot be written.
class TestAuthority {
 public:
  TestAuthority(std::string folder, std::string name);
  ~TestAuthority();
  TestAuthority(const TestAuthority&) = delete;
  TestAuthority& operator=(const TestAuthority&) = delete;

  /// The authority's own certificate.
  [[nodiscard]] std::string file() const;

  /// A certificate for servers and clients at 127.0.0.1 and localhost, in `<name>.pem` and `<name>-key.pem`; what was
  /// there is replaced.
  [[nodiscard]] Issued Issue(const std::string& name, const std::string& common_name) const;

 private:
  struct Parts;
  const std::string folder_;
  const std::string name_;
  const std::unique_ptr<Parts> parts_;
};

/// Writes a private key that wants a password.
void WriteLockedKey(const std::string& path);

/// The first bytes of a TLS client that offers these protocols by ALPN (none: makes no offer): its hello in one record.
std::string ClientHello(const std::vector<std::string>& protocols);

}  // namespace harness
