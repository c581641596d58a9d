#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

/// Text scripts: stanzas of a directive, its input and the output expected of it.
///
///     <command> [arg]...          key, key=value or key=(value, value, ...)
///     [input lines]
///     ----
///     <expected output>
///                                 a blank line ends it; with a doubled ---- it may hold blank lines
///
/// Lines that start with # between stanzas are comments; a backslash continues a directive.
namespace datadriven {

/// The script itself, or a directive in it, is wrong: an argument that is no number, say. It fails
/// the script; it is not output.
class BadScript : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct Argument {
  std::string key;
  std::vector<std::string> values;  ///< Empty: the key stands alone.
};

struct Stanza {
  std::string command;
  std::vector<Argument> arguments;
  std::string input;     ///< Trimmed of white space at both ends.
  std::string expected;  ///< With the final newline, unless empty.
  size_t line = 0;       ///< Of the directive, from 1.
  // Where the part below the directive begins and ends in the file, for rewriting it.
  size_t output_from_line = 0;
  size_t output_to_line = 0;

  const Argument* Find(std::string_view key) const;

  /// The only value of `key`; BadScript if it is not there or has another number of values.
  std::string_view Value(std::string_view key) const;

  /// The keys that stand alone, in order.
  std::vector<std::string_view> Keyless() const;
};

/// BadScript if `text` is none.
uint64_t ParseNumber(std::string_view text);
bool ParseBool(std::string_view text);

/// The stanzas of a script. Errors: BadScript.
std::vector<Stanza> Parse(std::string_view script);

/// Runs one stanza and returns its output.
using Handler = std::function<std::string(const Stanza&)>;

struct Mismatch {
  size_t line = 0;  ///< In the script, of the first differing line.
  std::string command;
  std::string expected;  ///< That line; or what stands for the end of the output.
  std::string actual;
};

/// A newline is added to output that lacks one.
std::string Terminated(std::string output);

/// Where the output of a stanza first differs, if it does.
std::optional<Mismatch> Compare(const Stanza& stanza, const std::string& output);

/// Runs a script up to the first stanza whose output differs. Errors: BadScript.
std::optional<Mismatch> Run(std::string_view script, const Handler& handler);

/// The script with the actual outputs in place of the expected ones.
std::string Rewrite(std::string_view script, const Handler& handler);

/// The text of a file. Errors: BadScript.
std::string ReadFile(const std::string& path);

/// Runs the script in a file; with the environment variable PD_REWRITE=1 it rewrites the file
/// instead. Returns an empty text, or what to tell about the first difference.
std::string RunFile(const std::string& path, const Handler& handler);

}  // namespace datadriven
