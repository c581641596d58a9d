#pragma once

#include <cstdio>
#include <cstdlib>

/// Stops the process when one of our own invariants is broken. On in every build type. Input from the wire or from disk
/// never reaches it: that is a Result.
#define PD_ASSERT(condition)                                                                 \
  do {                                                                                       \
    if (!(condition)) {                                                                      \
      std::fprintf(stderr, "%s:%d: assertion failed: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                          \
    }                                                                                        \
  } while (false)
