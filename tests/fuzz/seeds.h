#pragma once

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace fuzz {

/// Called from LLVMFuzzerInitialize: gives an empty corpus folder, the first argument that is no option, its first
/// inputs.
inline void WriteSeeds(int argc, char** argv, const std::vector<std::string>& seeds) {
  for (int i = 1; i < argc; ++i) {
    const std::filesystem::path folder(argv[i]);
    if (argv[i][0] == '-' || !std::filesystem::is_directory(folder)) continue;
    if (!std::filesystem::is_empty(folder)) return;
    for (size_t n = 0; n < seeds.size(); ++n) {
      std::ofstream(folder / ("seed-" + std::to_string(n)), std::ios::binary) << seeds[n];
    }
    return;
  }
}

}  // namespace fuzz
