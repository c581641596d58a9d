#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace pd::test {

/// One line of a script: `verb word... name=value...`. Words and values may be in double quotes, with \\, \" and \xNN
/// inside.
struct ScriptLine {
  std::string verb;
  std::vector<std::string> words;
  std::map<std::string, std::string> options;

  [[nodiscard]] bool Has(const std::string& name) const { return options.count(name) != 0; }
  [[nodiscard]] std::string Get(const std::string& name, const std::string& otherwise = "") const;
  [[nodiscard]] int64_t Number(const std::string& name, int64_t otherwise = 0) const;
  [[nodiscard]] const std::string& Word(size_t at) const;  // Fails the test when it is missing.
};

/// Runs a text script: blocks of input lines, a line `----`, the expected output, an empty line. `run` gets the input
/// lines of a block and returns its output (empty: prints as "ok"). With PD_REWRITE=1 in the environment the file is
/// rewritten with what came out. `path` is below the source root.
void RunScript(const std::string& path,
               const std::function<std::string(const std::vector<ScriptLine>&)>& run);

/// Printable bytes as they are, others as \xNN.
std::string Shown(std::string_view bytes);

}  // namespace pd::test
