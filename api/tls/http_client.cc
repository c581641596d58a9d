#include "api/tls/http_client.h"

#include <fmt/format.h>
#include <httplib.h>

namespace api {
namespace {

/// Not through the library's constructor: that would send the first certificate of the chain alone.
template <class Client>
void UseFiles(Client& client, const TlsFiles& files) {
  if (!files.ca.empty()) client.set_ca_cert_path(files.ca);
  if (files.certificate.empty()) return;
  SSL_CTX* const context = client.ssl_context();
  SSL_CTX_use_certificate_chain_file(context, files.certificate.c_str());
  SSL_CTX_use_PrivateKey_file(context, files.key.c_str(), SSL_FILETYPE_PEM);
}

}  // namespace

std::unique_ptr<httplib::Client> OpenHttpClient(const std::string& url, const TlsFiles& files) {
  auto client = std::make_unique<httplib::Client>(url);
  if (client->is_valid() && url.starts_with("https://")) UseFiles(*client, files);
  return client;
}

std::unique_ptr<httplib::ClientImpl> OpenHttpClient(Tls tls, const std::string& host, uint16_t port,
                                                    const TlsFiles& files) {
  std::unique_ptr<httplib::ClientImpl> client;
  if (tls == Tls::kOn) {
    auto secure = std::make_unique<httplib::SSLClient>(host, port);
    if (secure->is_valid()) UseFiles(*secure, files);
    client = std::move(secure);
  } else {
    client = std::make_unique<httplib::ClientImpl>(host, port);
  }
  // The library would not put the brackets around an IPv6 address.
  const bool v6 = host.find(':') != std::string::npos;
  client->set_default_headers(
      {{"Host", v6 ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port)}});
  return client;
}

}  // namespace api
