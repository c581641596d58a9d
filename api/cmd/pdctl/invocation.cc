#include "api/cmd/pdctl/invocation.h"

#include <charconv>
#include <cmath>
#include <ostream>
#include <utility>

#include <fmt/format.h>

namespace api::pdctl {
namespace {

std::string WithFailure(const std::string& failure, const std::string& error) {
  return failure.empty() ? error : fmt::format("{}: {}", failure, error);
}

std::string Trimmed(std::string text, const char* what) {
  const size_t first = text.find_first_not_of(what);
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(what) - first + 1);
}

}  // namespace

Invocation::Invocation(CommandPath path, std::vector<std::string> args, FlagValues flags,
                       Client& client, Streams streams)
    : path_(std::move(path)),
      args_(std::move(args)),
      flags_(std::move(flags)),
      client_(client),
      streams_(streams) {}

std::string Invocation::Text(const std::string& flag) const {
  const auto values = flags_.find(flag);
  if (values != flags_.end()) return values->second.back();
  const Flag* known = FindFlag(path_, flag);
  return known == nullptr ? "" : known->default_value;
}

std::vector<std::string> Invocation::List(const std::string& flag) const {
  std::vector<std::string> all;
  const auto values = flags_.find(flag);
  if (values == flags_.end()) return all;
  for (const std::string& value : values->second) {
    for (std::string& item : SplitList(value, ',')) all.push_back(std::move(item));
  }
  return all;
}

Answer Invocation::Get(const std::string& target) { return Send(Request{.target = target}); }

Answer Invocation::Send(Request request) {
  if (On("no-forward")) request.headers["PD-Allow-follower-handle"] = "true";
  if (On("from_pd")) request.headers["X-Forbidden-Forward-To-Microservice"] = "true";
  return client_.Send(request);
}

int Invocation::Print(const std::string& line) {
  streams_.out << line << '\n';
  return 0;
}

int Invocation::Fail(const std::string& line) {
  Print(line);
  return 1;
}

int Invocation::Warn(const std::string& line) {
  streams_.err << line << '\n';
  return 0;
}

int Invocation::PrintUsage() {
  streams_.out << UsageText(path_);
  return 0;
}

int Invocation::PrintUsageLine() { return Print(UsageText(path_)); }

int Invocation::PrintHelp() {
  streams_.out << HelpText(path_);
  return 0;
}

int Invocation::FailWithUsage(const std::string& line) {
  PrintUsageLine();
  return Fail(line);
}

int Invocation::PrintBody(const Answer& answer, const std::string& failure) {
  Print(answer.Ok() ? answer.body : WithFailure(failure, answer.error));
  return answer.ExitStatus();
}

int Invocation::PrintSuccess(const Answer& answer, const std::string& failure) {
  Print(answer.Ok() ? "Success!" : WithFailure(failure, answer.error));
  return answer.ExitStatus();
}

int Invocation::PrintIndented(const Answer& answer, const std::string& failure) {
  if (!answer.Ok()) return PrintBody(answer, failure);
  const Json value = Json::parse(answer.body, nullptr, false);
  if (value.is_discarded()) return Fail(WithFailure(failure, "the server's answer is not JSON"));
  return Print(JsonText(value, 2));
}

int Invocation::PrintOutcome(const Answer& answer) {
  if (answer.Ok()) {
    Print(fmt::format("Success! {}", Trimmed(answer.body, " \n\"")));
  } else {
    Print(fmt::format("Failed! {}", Trimmed(answer.error, " \n")));
  }
  return answer.ExitStatus();
}

Handler Getting(std::string target, std::string failure) {
  return [target = std::move(target), failure = std::move(failure)](Invocation& call) {
    return call.PrintBody(call.Get(target), failure);
  };
}

Handler Posting(std::string target) {
  return [target = std::move(target)](Invocation& call) {
    return call.PrintOutcome(call.Send(Request{.method = "POST", .target = target}));
  };
}

Request PostJson(std::string target, const Json& body) {
  return Request{.method = "POST", .target = std::move(target), .body = JsonText(body, 0)};
}

tl::expected<uint64_t, std::string> ParseUint(const std::string& text) {
  uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  if (error == std::errc::result_out_of_range && rest == end) {
    return tl::unexpected<std::string>(
        fmt::format("strconv.ParseUint: parsing \"{}\": value out of range", text));
  }
  if (error != std::errc{} || rest != end) {
    return tl::unexpected<std::string>(
        fmt::format("strconv.ParseUint: parsing \"{}\": invalid syntax", text));
  }
  return value;
}

tl::expected<double, std::string> ParseFloat(const std::string& text) {
  double value = 0;
  const char* begin = text.data() + (text.starts_with('+') ? 1 : 0);
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(begin, end, value);
  if (error != std::errc{} || rest != end || !std::isfinite(value)) {
    return tl::unexpected<std::string>(
        fmt::format("strconv.ParseFloat: parsing \"{}\": invalid syntax", text));
  }
  return value;
}

tl::expected<bool, std::string> ParseBool(const std::string& text) {
  for (const char* word : {"1", "t", "T", "TRUE", "true", "True"}) {
    if (text == word) return true;
  }
  for (const char* word : {"0", "f", "F", "FALSE", "false", "False"}) {
    if (text == word) return false;
  }
  return tl::unexpected<std::string>(
      fmt::format("strconv.ParseBool: parsing \"{}\": invalid syntax", text));
}

Json NumberOrString(const std::string& text) {
  if (const auto number = ParseFloat(text)) return *number;
  return text;
}

std::vector<std::string> SplitList(const std::string& text, char separator) {
  std::vector<std::string> items;
  size_t from = 0;
  while (true) {
    const size_t at = text.find(separator, from);
    items.push_back(text.substr(from, at == std::string::npos ? at : at - from));
    if (at == std::string::npos) return items;
    from = at + 1;
  }
}

}  // namespace api::pdctl
