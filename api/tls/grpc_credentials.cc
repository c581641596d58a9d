#include "api/tls/grpc_credentials.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_certificate_verifier.h>
#include <grpcpp/security/tls_credentials_options.h>

namespace api {
namespace {

namespace tls = grpc::experimental;  // SslServerCredentials can neither reload nor check a name.

constexpr unsigned kRefreshS = 1;  // How often the files are looked at.

/// Refuses clients by the common name of their certificate, whose signature has been checked.
class NameVerifier final : public tls::ExternalCertificateVerifier {
 public:
  explicit NameVerifier(std::vector<std::string> allowed) : allowed_(std::move(allowed)) {}

  bool Verify(tls::TlsCustomVerificationCheckRequest* request,
              std::function<void(grpc::Status)> /*callback*/, grpc::Status* status) override {
    const grpc::string_ref shown = request->common_name();
    const std::string name(shown.data(), shown.size());
    if (std::ranges::find(allowed_, name) == allowed_.end()) {
      *status = grpc::Status(grpc::StatusCode::UNAUTHENTICATED,
                             fmt::format("common name \"{}\" is not allowed", name));
    }
    return true;  // Done, not asynchronous.
  }
  void Cancel(tls::TlsCustomVerificationCheckRequest* /*request*/) override {}

 private:
  const std::vector<std::string> allowed_;
};

}  // namespace

GrpcCredentials::GrpcCredentials(const TlsFiles& files, std::vector<std::string> allowed_names) {
  const auto provider = std::make_shared<tls::FileWatcherCertificateProvider>(
      files.key, files.certificate, files.ca, kRefreshS);
  tls::TlsServerCredentialsOptions server(provider);
  server.watch_identity_key_cert_pairs();
  tls::TlsChannelCredentialsOptions channel;
  channel.set_certificate_provider(provider);
  channel.watch_identity_key_cert_pairs();
  if (!files.ca.empty()) {
    server.watch_root_certs();
    server.set_cert_request_type(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
    channel.watch_root_certs();
    if (!allowed_names.empty()) {
      server.set_certificate_verifier(
          tls::ExternalCertificateVerifier::Create<NameVerifier>(std::move(allowed_names)));
    }
  }
  server_ = tls::TlsServerCredentials(server);
  channel_ = tls::TlsCredentials(channel);
}

}  // namespace api
