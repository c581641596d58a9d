#pragma once

#include <memory>
#include <string>

#include "api/tls/files.h"

namespace httplib {
class Client;
}

namespace api {

/// A client for "http://host:port" or "https://host:port", not connected yet. Over TLS the server must show a
/// certificate for its host, signed by an authority of `files.ca`, or of the system when there is none, and is shown
/// `files.certificate` when it asks. The files are read for each client, so a new one knows of changes; what is wrong
/// with them fails the requests: see CheckTlsFiles first.
std::unique_ptr<httplib::Client> OpenHttpClient(const std::string& url, const TlsFiles& files);

}  // namespace api
