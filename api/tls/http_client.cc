#include "api/tls/http_client.h"

#include <httplib.h>

namespace api {

std::unique_ptr<httplib::Client> OpenHttpClient(const std::string& url, const TlsFiles& files) {
  auto client = std::make_unique<httplib::Client>(url);
  if (!client->is_valid() || !url.starts_with("https://")) return client;
  if (!files.ca.empty()) client->set_ca_cert_path(files.ca);
  if (!files.certificate.empty()) {
    // Not through the library's constructor: that would send the first certificate of the chain alone.
    SSL_CTX* const context = client->ssl_context();
    SSL_CTX_use_certificate_chain_file(context, files.certificate.c_str());
    SSL_CTX_use_PrivateKey_file(context, files.key.c_str(), SSL_FILETYPE_PEM);
  }
  return client;
}

}  // namespace api
