# Compiler, linker and warning settings for the whole tree.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()
# Assertions (PD_ASSERT) do not hang on NDEBUG; third-party asserts stay on as well.
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1")
set(CMAKE_CXX_FLAGS_DEBUG "-O0 -g1")

set(QM_SANITIZE "" CACHE STRING "Comma-separated sanitizers: address,undefined or thread")
option(QM_FUZZ "Build libFuzzer targets (clang only)" OFF)
option(QM_COVERAGE "Instrument for coverage" OFF)

# ccache keys on paths below the source root only relatively, so that every checkout shares one cache.
find_program(QM_CCACHE ccache)
if(QM_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER
      env CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${QM_CCACHE})
endif()
find_program(QM_MOLD mold)
if(QM_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

add_compile_options(-fno-omit-frame-pointer)
if(QM_SANITIZE)
  add_compile_options(-fsanitize=${QM_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${QM_SANITIZE})
endif()
if(QM_COVERAGE)
  add_compile_options(--coverage)
  add_link_options(--coverage)
endif()

set(QM_WARNINGS -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion
    -Wnon-virtual-dtor -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  list(APPEND QM_WARNINGS -Wthread-safety)
endif()
