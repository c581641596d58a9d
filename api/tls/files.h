#pragma once

#include <string>

#include "pd/result.h"

namespace api {

/// Paths of files in PEM format; an empty one means none.
struct TlsFiles {
  std::string ca;           // The authorities to trust, one or more.
  std::string certificate;  // What to show, followed by those between it and its authority, if any.
  std::string key;          // The certificate's, without a password.
};

/// Reads all that are given. kInvalidArgument names the file that cannot be read, holds nothing of its kind or does not
/// belong to the other one.
pd::Result<void> CheckTlsFiles(const TlsFiles& files);

}  // namespace api
