#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "api/cmd/pdctl/command.h"

namespace api::pdctl {

/// What the process gives the tool. Empty strings stand for unset variables.
struct Environment {
  std::string pd_address;  // PD_ADDR, wins over -u.
  std::string ca_path;     // CA_PATH, CERT_PATH, KEY_PATH: defaults of the TLS flags.
  std::string certificate_path;
  std::string key_path;
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
  bool terminal = false;  // `in` is a terminal: interactive mode then edits lines.
};

/// The whole tool: finds the command, parses its flags, runs it. Returns the exit status.
int RunProgram(const std::vector<std::string>& arguments, const Environment& environment);

/// Reads commands line by line until `exit` or the end of input; `carried` are the flags that every line inherits.
int RunInteractive(const std::vector<std::string>& carried, const Environment& environment);

/// Splits like a shell: blanks separate, quotes and backslashes protect. False when a quote is left open.
bool SplitWords(const std::string& line, std::vector<std::string>& words);

/// The tree of all commands; built once.
const Command& Root();

}  // namespace api::pdctl
