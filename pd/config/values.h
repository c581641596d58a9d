#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "pd/result.h"
#include "pd/runtime/clock.h"

// The kinds of value that the configuration, the HTTP API and pdctl write as text, in the
// reference's spelling.

namespace pd {

/// "1h0m0s", "1.5s", "10ms", "0s": hours are the largest unit, zero parts below the largest stay.
std::string FormatDuration(Nanos value);

/// The same units (ns us µs ms s m h), several in a row, with fractions and a sign.
/// kInvalidArgument with the reference's text, such as `time: missing unit in duration "3"`.
Result<Nanos> ParseDuration(std::string_view text);

/// A number of bytes, written with four significant digits and a binary unit: "0B", "1.5GiB",
/// "97.66TiB".
struct ByteSize {
  uint64_t bytes = 0;

  auto operator<=>(const ByteSize&) const = default;
};

std::string FormatByteSize(ByteSize value);

/// Any spelling of a unit ("8GiB", "8GB", "8g", "8"), always to base 1024. kInvalidArgument names
/// the text.
Result<ByteSize> ParseByteSize(std::string_view text);

/// A boolean that JSON writes as "true" and "false" in quotes, as the reference does for most
/// switches. Behaves as bool.
class TextBool {
 public:
  constexpr TextBool(bool value = false) : value_(value) {}  // NOLINT(google-explicit-constructor)
  constexpr operator bool() const { return value_; }         // NOLINT(google-explicit-constructor)

 private:
  bool value_;
};

/// A version "major.minor.patch[-pre][+meta]", ordered as semver says (build metadata aside).
struct Version {
  int64_t major = 0;
  int64_t minor = 0;
  int64_t patch = 0;
  std::string pre_release;
  std::string metadata;

  std::strong_ordering operator<=>(const Version& other) const;
  bool operator==(const Version& other) const { return (*this <=> other) == 0; }
  /// Without the leading "v".
  [[nodiscard]] std::string Text() const;
};

/// Takes a leading "v"; an empty text is 1.0.0, the version of stores from before versions were
/// reported. kInvalidArgument: `[PD:semver:ErrSemverNewVersion]x is not in dotted-tri format: x is
/// not in dotted-tri format`.
Result<Version> ParseVersion(std::string_view text);

}  // namespace pd
