#pragma once

#include <cstdint>
#include <iosfwd>
#include <map>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "api/cmd/pdctl/client.h"
#include "api/cmd/pdctl/command.h"
#include "api/cmd/pdctl/json_text.h"

namespace api::pdctl {

/// Flag name -> the values given for it, in order.
using FlagValues = std::map<std::string, std::vector<std::string>>;

/// One run of one command: its arguments and flags, the servers to ask, and where to print. The printing calls return
/// the exit status, so that a handler can end with them.
class Invocation {
 public:
  struct Streams {
    std::ostream& out;
    std::ostream& err;
  };

  Invocation(CommandPath path, std::vector<std::string> args, FlagValues flags, Client& client,
             Streams streams);

  [[nodiscard]] const std::vector<std::string>& args() const { return args_; }
  [[nodiscard]] size_t count() const { return args_.size(); }
  [[nodiscard]] const std::string& arg(size_t i) const { return args_.at(i); }
  [[nodiscard]] const CommandPath& path() const { return path_; }

  [[nodiscard]] bool Given(const std::string& flag) const { return flags_.contains(flag); }
  [[nodiscard]] bool On(const std::string& flag) const { return Text(flag) == "true"; }
  [[nodiscard]] std::string Text(
      const std::string& flag) const;  // The last value, else the default.
  [[nodiscard]] std::vector<std::string> List(const std::string& flag) const;  // Commas split.

  Client& client() { return client_; }
  Answer Get(const std::string& target);
  Answer Send(Request request);

  int Print(const std::string& line);  // Exit status 0.
  int Fail(const std::string& line);   // The same on standard output, exit status 1.
  int Warn(const std::string& line);   // To standard error, exit status 0.
  int PrintUsage();                    // The usage text as it is.
  int PrintUsageLine();                // The usage text and an empty line.
  int PrintHelp();                     // What the command is for, then the usage text.
  int FailWithUsage(
      const std::string& line);  // Usage, an empty line, then the line; exit status 1.

  /// The answer's body as it came and a line break; or `failure`, ": " and the error. An empty `failure` leaves the
  /// error alone.
  int PrintBody(const Answer& answer, const std::string& failure);
  /// The same, but only "Success!" when it went well.
  int PrintSuccess(const Answer& answer, const std::string& failure);
  /// The same, but the answer is read and written again with an indent of 2.
  int PrintIndented(const Answer& answer, const std::string& failure);
  /// "Success! " and the server's words without quotes, or "Failed! " and the error.
  int PrintOutcome(const Answer& answer);

 private:
  CommandPath path_;
  std::vector<std::string> args_;
  FlagValues flags_;
  Client& client_;
  Streams streams_;
};

/// Handlers for the many commands that are one call.
Handler Getting(std::string target, std::string failure);
Handler Posting(std::string target);  // Without a body; prints the outcome.

Request PostJson(std::string target, const Json& body);

/// Unsigned numbers as strconv reads them; the error is its text.
tl::expected<uint64_t, std::string> ParseUint(const std::string& text);
tl::expected<double, std::string> ParseFloat(const std::string& text);
tl::expected<bool, std::string> ParseBool(const std::string& text);

/// A number when the text reads as one, else a string: how options travel to the server.
Json NumberOrString(const std::string& text);

std::vector<std::string> SplitList(const std::string& text, char separator);

/// Pipes `body` through the program jq. The error is the text to print.
tl::expected<std::string, std::string> RunJq(const std::string& filter, const std::string& body);

/// The bytes of a key given as raw text, as escaped text ("encode") or as hex. The error is the text to print.
tl::expected<std::string, std::string> ParseKey(const std::string& format, const std::string& text);

}  // namespace api::pdctl
