#pragma once

namespace sim {

/// Sanitizers are slow, and a part of what is played shows them what there is to be seen.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

}  // namespace sim
