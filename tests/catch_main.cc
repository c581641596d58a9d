#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>

#ifdef __SANITIZE_THREAD__
// The sanitizer sees neither the locks nor the atomics of a library that was built without it.
extern "C" const char* __tsan_default_suppressions() {
  return "race:librocksdb\n";
}  // NOLINT(*-reserved-identifier)
#endif
