#pragma once

#include <sstream>
#include <string>
#include <vector>

#include "scheduler/model/region.h"
#include "tests/pd/script.h"

namespace scheduler::test {

inline std::vector<std::string> Split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, separator);) parts.push_back(part);
  return parts;
}

/// range=a,m; an empty key is an end of the key space.
inline KeyRange RangeOf(const pd::test::ScriptLine& line) {
  const std::vector<std::string> keys = Split(line.Get("range") + ",", ',');
  return {keys.at(0), keys.size() > 1 ? keys.at(1) : ""};
}

}  // namespace scheduler::test
