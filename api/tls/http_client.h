#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "api/tls/files.h"

namespace httplib {
class Client;
class ClientImpl;
}  // namespace httplib

namespace api {

/// A client for "http://host:port" or "https://host:port", not connected yet. Over TLS the server must show a
/// certificate for its host, signed by an authority of `files.ca`, or of the system when there is none, and is shown
/// `files.certificate` when it asks. The files are read for each client, so a new one knows of changes; what is wrong
/// with them fails the requests: see CheckTlsFiles first. For URLs that were checked: the library takes them apart with
/// a regular expression, which neither bad ports nor very long hosts survive.
std::unique_ptr<httplib::Client> OpenHttpClient(const std::string& url, const TlsFiles& files);

/// The same for a host, IPv6 addresses without brackets among them, and a port.
enum class Tls : uint8_t { kOff, kOn };
std::unique_ptr<httplib::ClientImpl> OpenHttpClient(Tls tls, const std::string& host, uint16_t port,
                                                    const TlsFiles& files);

}  // namespace api
