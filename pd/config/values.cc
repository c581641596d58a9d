#include "pd/config/values.h"

#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <compare>
#include <limits>
#include <vector>

#include <fmt/format.h>

namespace pd {
namespace {

constexpr int64_t kMicro = 1'000;
constexpr int64_t kMilli = 1'000'000;
constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kMinute = 60 * kSecond;
constexpr int64_t kHour = 60 * kMinute;

/// `value` / `unit` with up to nine fraction digits, trailing zeros cut.
std::string FormatFraction(uint64_t value, uint64_t unit) {
  std::string out = fmt::format("{}", value / unit);
  uint64_t rest = value % unit;
  if (rest == 0) return out;
  std::string digits;
  for (uint64_t place = unit / 10; place > 0; place /= 10) {
    digits += static_cast<char>('0' + rest / place);
    rest %= place;
  }
  while (digits.back() == '0') digits.pop_back();
  return out + "." + digits;
}

struct Unit {
  std::string_view name;
  int64_t nanos;
};
constexpr std::array kUnits = {Unit{"ns", 1},      Unit{"us", kMicro}, Unit{"µs", kMicro},
                               Unit{"μs", kMicro}, Unit{"ms", kMilli}, Unit{"s", kSecond},
                               Unit{"m", kMinute}, Unit{"h", kHour}};

tl::unexpected<Error> BadDuration(std::string_view what, std::string_view text) {
  return Fail(ErrorCode::kInvalidArgument, fmt::format("time: {} \"{}\"", what, text));
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

std::string_view TakeDigits(std::string_view& rest) {
  size_t n = 0;
  while (n < rest.size() && IsDigit(rest[n])) ++n;
  const std::string_view digits = rest.substr(0, n);
  rest.remove_prefix(n);
  return digits;
}

/// One "1.5h" from the front of `rest`, in nanoseconds.
Result<long double> TakeDurationPart(std::string_view& rest, std::string_view text) {
  const std::string_view whole = TakeDigits(rest);
  std::string_view fraction;
  if (!rest.empty() && rest.front() == '.') {
    rest.remove_prefix(1);
    fraction = TakeDigits(rest);
  }
  if (whole.empty() && fraction.empty()) return BadDuration("invalid duration", text);
  size_t n = 0;
  while (n < rest.size() && rest[n] != '.' && !IsDigit(rest[n])) ++n;
  if (n == 0) return BadDuration("missing unit in duration", text);
  const std::string_view name = rest.substr(0, n);
  rest.remove_prefix(n);
  for (const Unit& unit : kUnits) {
    if (unit.name != name) continue;
    long double number = 0;
    for (const char digit : whole) number = number * 10 + (digit - '0');
    long double place = 1;
    for (const char digit : fraction) number += (digit - '0') * (place /= 10);
    return number * static_cast<long double>(unit.nanos);
  }
  return Fail(ErrorCode::kInvalidArgument,
              fmt::format("time: unknown unit \"{}\" in duration \"{}\"", name, text));
}

}  // namespace

std::string FormatDuration(Nanos value) {
  const int64_t nanos = value.count();
  if (nanos == 0) return "0s";
  const std::string sign = nanos < 0 ? "-" : "";
  const uint64_t size =
      nanos < 0 ? ~static_cast<uint64_t>(nanos) + 1 : static_cast<uint64_t>(nanos);
  if (size < kMicro) return fmt::format("{}{}ns", sign, size);
  if (size < kMilli) return sign + FormatFraction(size, kMicro) + "µs";
  if (size < kSecond) return sign + FormatFraction(size, kMilli) + "ms";
  std::string out = sign;
  if (size >= kHour) out += fmt::format("{}h", size / kHour);
  if (size >= kMinute) out += fmt::format("{}m", size % kHour / kMinute);
  return out + FormatFraction(size % kMinute, kSecond) + "s";
}

Result<Nanos> ParseDuration(std::string_view text) {
  std::string_view rest = text;
  bool negative = false;
  if (!rest.empty() && (rest.front() == '-' || rest.front() == '+')) {
    negative = rest.front() == '-';
    rest.remove_prefix(1);
  }
  if (rest == "0") return Nanos(0);
  if (rest.empty()) return BadDuration("invalid duration", text);
  long double total = 0;
  while (!rest.empty()) {
    auto part = TakeDurationPart(rest, text);
    if (!part) return tl::unexpected(part.error());
    total += *part;
    if (total > static_cast<long double>(std::numeric_limits<int64_t>::max())) {
      return BadDuration("invalid duration", text);
    }
  }
  const auto nanos = static_cast<int64_t>(std::llroundl(total));
  return Nanos(negative ? -nanos : nanos);
}

std::string FormatByteSize(ByteSize value) {
  static constexpr std::array kNames = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  double scaled = static_cast<double>(value.bytes);
  size_t unit = 0;
  while (scaled >= 1024.0 && unit + 1 < kNames.size()) {
    scaled /= 1024.0;
    ++unit;
  }
  return fmt::format("{:.4g}{}", scaled, kNames[unit]);
}

Result<ByteSize> ParseByteSize(std::string_view text) {
  const auto bad = [text] {
    return Fail(ErrorCode::kInvalidArgument, fmt::format("invalid size: '{}'", text));
  };
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || number < 0 || !std::isfinite(number)) return bad();
  std::string unit(end, text.data() + text.size());
  std::erase(unit, ' ');
  for (char& c : unit) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  static constexpr std::string_view kPrefixes = "kmgtpe";
  int power = 0;
  if (!unit.empty() && kPrefixes.find(unit.front()) != std::string_view::npos) {
    power = static_cast<int>(kPrefixes.find(unit.front())) + 1;
    unit.erase(0, 1);
  }
  if (!unit.empty() && unit != "b" && !(unit == "ib" && power > 0)) return bad();
  const double bytes = std::ldexp(number, 10 * power);
  if (bytes >= 18446744073709551616.0) return bad();
  return ByteSize{static_cast<uint64_t>(bytes)};
}

namespace {

/// Splits at `separator`; never empty.
std::vector<std::string_view> SplitText(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const size_t at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

bool ParseNumber(std::string_view text, int64_t& number) {
  if (text.empty() || !IsDigit(text.front())) return false;
  if (text.size() > 1 && text.front() == '0') return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size();
}

/// semver 11: numeric identifiers are lower than words, a longer list of equal ones is higher.
std::strong_ordering ComparePreRelease(const std::string& a, const std::string& b) {
  if (a.empty() || b.empty())
    return a.empty() <=> b.empty();  // A release is above its own pre-releases.
  const auto as = SplitText(a, '.');
  const auto bs = SplitText(b, '.');
  for (size_t i = 0; i < std::min(as.size(), bs.size()); ++i) {
    int64_t an = 0;
    int64_t bn = 0;
    const bool a_number = ParseNumber(as[i], an);
    const bool b_number = ParseNumber(bs[i], bn);
    if (a_number != b_number) {
      return a_number ? std::strong_ordering::less : std::strong_ordering::greater;
    }
    const auto order = a_number ? an <=> bn : as[i] <=> bs[i];
    if (order != 0) return order;
  }
  return as.size() <=> bs.size();
}

}  // namespace

std::strong_ordering Version::operator<=>(const Version& other) const {
  if (const auto order = major <=> other.major; order != 0) return order;
  if (const auto order = minor <=> other.minor; order != 0) return order;
  if (const auto order = patch <=> other.patch; order != 0) return order;
  return ComparePreRelease(pre_release, other.pre_release);
}

std::string Version::Text() const {
  std::string out = fmt::format("{}.{}.{}", major, minor, patch);
  if (!pre_release.empty()) out += "-" + pre_release;
  if (!metadata.empty()) out += "+" + metadata;
  return out;
}

Result<Version> ParseVersion(std::string_view text) {
  if (!text.empty() && text.front() == 'v') text.remove_prefix(1);
  if (text.empty()) return Version{1, 0, 0, "", ""};
  Version version;
  std::string_view rest = text;
  if (const size_t plus = rest.find('+'); plus != std::string_view::npos) {
    version.metadata = rest.substr(plus + 1);
    rest = rest.substr(0, plus);
  }
  if (const size_t dash = rest.find('-'); dash != std::string_view::npos) {
    version.pre_release = rest.substr(dash + 1);
    rest = rest.substr(0, dash);
  }
  const auto parts = SplitText(rest, '.');
  if (parts.size() != 3) {
    const std::string what = fmt::format("{} is not in dotted-tri format", text);
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("[PD:semver:ErrSemverNewVersion]{}: {}", what, what));
  }
  int64_t* const numbers[] = {&version.major, &version.minor, &version.patch};
  for (size_t i = 0; i < parts.size(); ++i) {
    if (ParseNumber(parts[i], *numbers[i])) continue;
    const std::string what =
        fmt::format("strconv.ParseInt: parsing \"{}\": invalid syntax", parts[i]);
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("[PD:semver:ErrSemverNewVersion]{}: {}", what, what));
  }
  return version;
}

}  // namespace pd
