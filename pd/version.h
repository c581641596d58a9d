#pragma once

namespace pd {

/// What the server says about itself. The release follows the reference's line, since stores, SQL servers and control
/// programs compare it with their own; the hash and time are those of an unstamped build.
inline constexpr const char* kReleaseVersion = "v8.5.0";
inline constexpr const char* kGitHash = "None";
inline constexpr const char* kGitBranch = "None";
inline constexpr const char* kBuildTime = "None";
inline constexpr const char* kEdition = "Community";
inline constexpr const char* kKernelType = "Classic";

}  // namespace pd
