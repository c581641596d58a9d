#include "api/tls/server_context.h"

#include <algorithm>
#include <utility>  // Before Asio: Boost 1.74 forgets it under C++20.

#include <boost/asio/ssl.hpp>
#include <fmt/format.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/stat.h>

#include "pd/log/log.h"

namespace api {
namespace {

namespace ssl = boost::asio::ssl;
using boost::system::error_code;

/// ALPN: HTTP/1.1 where the client knows it, else nothing is agreed on, which means the same.
// NOLINTNEXTLINE(readability-function-size): the library's signature.
int ChooseProtocol(SSL*, const unsigned char** chosen, unsigned char* chosen_size,
                   const unsigned char* offered, unsigned offered_size, void*) {
  static constexpr unsigned char kHttp1[] = "\x08http/1.1";
  unsigned char* protocol = nullptr;
  const int found = SSL_select_next_proto(&protocol, chosen_size, kHttp1, sizeof(kHttp1) - 1,
                                          offered, offered_size);
  if (found != OPENSSL_NPN_NEGOTIATED) return SSL_TLSEXT_ERR_NOACK;
  *chosen = protocol;
  return SSL_TLSEXT_ERR_OK;
}

std::string CommonName(X509* certificate) {
  const X509_NAME* const subject = X509_get_subject_name(certificate);
  const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (at < 0) return {};
  unsigned char* text = nullptr;
  const int size =
      ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
  if (size < 0) return {};
  std::string name(reinterpret_cast<const char*>(text), static_cast<size_t>(size));
  OPENSSL_free(text);
  return name;
}

/// Asks for client certificates, signed by an authority of the file and with an allowed name.
void WantClients(ssl::context& context, const std::string& ca,
                 const std::vector<std::string>& allowed_names, error_code& error) {
  context.load_verify_file(ca, error);
  if (error) return;
  context.set_verify_mode(ssl::verify_peer | ssl::verify_fail_if_no_peer_cert, error);
  SSL_CTX_set_client_CA_list(context.native_handle(), SSL_load_client_CA_file(ca.c_str()));
  if (error || allowed_names.empty()) return;
  context.set_verify_callback(
      [allowed_names](bool good, ssl::verify_context& chain) {
        X509_STORE_CTX* const store = chain.native_handle();
        if (!good || X509_STORE_CTX_get_error_depth(store) != 0) return good;
        const std::string name = CommonName(X509_STORE_CTX_get_current_cert(store));
        if (std::ranges::find(allowed_names, name) != allowed_names.end()) return true;
        X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
        return false;
      },
      error);
}

}  // namespace

TlsServerContext::TlsServerContext(TlsFiles files, std::vector<std::string> allowed_names)
    : files_(std::move(files)), allowed_names_(std::move(allowed_names)) {}

pd::Result<std::unique_ptr<TlsServerContext>> TlsServerContext::Load(
    TlsFiles files, std::vector<std::string> allowed_names) {
  std::unique_ptr<TlsServerContext> made(
      new TlsServerContext(std::move(files), std::move(allowed_names)));
  {
    const pd::MutexLock lock(made->mutex_);
    made->stamp_ = made->Look();
    auto context = made->Make();
    if (!context) return tl::unexpected(context.error());
    made->current_ = std::move(*context);
  }
  return made;
}

std::shared_ptr<ssl::context> TlsServerContext::Current() {
  const pd::MutexLock lock(mutex_);
  const Stamp stamp = Look();  // Before the files are read: a change meanwhile shows next time.
  if (stamp == std::exchange(stamp_, stamp)) return current_;
  if (auto context = Make()) {
    current_ = std::move(*context);
    pd::LogInfo("took changed TLS files over");
  } else {
    pd::LogWarn("changed TLS files are not good, the old ones stay in use",
                {{"error", context.error()}});
  }
  return current_;
}

TlsServerContext::Stamp TlsServerContext::Look() const {
  Stamp stamp = {};
  size_t next = 0;
  for (const std::string* path : {&files_.ca, &files_.certificate, &files_.key}) {
    struct stat file = {};
    if (path->empty() || stat(path->c_str(), &file) != 0) file = {};
    for (const int64_t part : {static_cast<int64_t>(file.st_ino), int64_t{file.st_size},
                               int64_t{file.st_mtim.tv_sec}, int64_t{file.st_mtim.tv_nsec}})
      stamp[next++] = part;
  }
  return stamp;
}

pd::Result<TlsServerContext::Context> TlsServerContext::Make() const {
  if (auto good = CheckTlsFiles(files_); !good) return tl::unexpected(good.error());
  auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
  SSL_CTX* const raw = context->native_handle();
  SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION);
  // Each connection shows its certificate anew, so that a name or authority taken away counts at once.
  SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(raw, 0);
  SSL_CTX_set_options(raw, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_alpn_select_cb(raw, ChooseProtocol, nullptr);
  error_code error;
  context->use_certificate_chain_file(files_.certificate, error);
  if (!error) context->use_private_key_file(files_.key, ssl::context::pem, error);
  if (!error && !files_.ca.empty()) WantClients(*context, files_.ca, allowed_names_, error);
  if (error) {
    return pd::Fail(pd::ErrorCode::kInvalidArgument,
                    fmt::format("cannot serve TLS with certificate file {}: {}", files_.certificate,
                                error.message()));
  }
  return context;
}

}  // namespace api
