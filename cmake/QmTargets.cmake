# The two ways to make a target: pd_library for a room, pd_test for a test binary.

include(CMakeParseArguments)

# pd_library(<name> [NO_EXCEPTIONS] SOURCES <...> [PUBLIC <...>] [PRIVATE <...>])
# Sources are listed one by one. Includes go from the repository root. PUBLIC and PRIVATE are link dependencies.
function(pd_library name)
  cmake_parse_arguments(ARG "NO_EXCEPTIONS" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  set_target_properties(${name} PROPERTIES LINKER_LANGUAGE CXX)
  target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR})
  target_compile_options(${name} PRIVATE ${QM_WARNINGS})
  if(ARG_NO_EXCEPTIONS)
    target_compile_options(${name} PRIVATE -fno-exceptions)
  endif()
  target_link_libraries(${name} PUBLIC ${ARG_PUBLIC} PRIVATE ${ARG_PRIVATE})
endfunction()

# pd_executable(<name> SOURCES <...> LIBS <...>)
function(pd_executable name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_compile_options(${name} PRIVATE ${QM_WARNINGS})
  target_link_libraries(${name} PRIVATE ${ARG_LIBS})
endfunction()

# The tests of this tree in ctest's own language, for another tree to run: `make test` runs those of the sanitizer tree
# as asan_<name> together with the release tree's.
cmake_path(GET CMAKE_BINARY_DIR FILENAME qm_tree)
set(QM_SIBLING_TESTS ${CMAKE_BINARY_DIR}/sibling_tests.cmake)
file(WRITE ${QM_SIBLING_TESTS} "")

# qm_sibling_test(<name> <timeout> <binary> <argument>...)
# Makes a test known to other trees; pd_test does it by itself. Properties run fewer cases there, sanitizers being slow.
function(qm_sibling_test name timeout binary)
  set(words "[=[${CMAKE_RUNTIME_OUTPUT_DIRECTORY}/${binary}]=]")
  foreach(word IN LISTS ARGN)
    string(APPEND words " [=[${word}]=]")
  endforeach()
  math(EXPR patience "${timeout} * 4")  # Sanitizers are slow.
  file(APPEND ${QM_SIBLING_TESTS}
       "add_test([=[${qm_tree}_${name}]=] ${words})\n"
       "set_tests_properties([=[${qm_tree}_${name}]=] PROPERTIES LABELS ${qm_tree} TIMEOUT ${patience}"
       " ENVIRONMENT [=[RC_PARAMS=max_success=1000;QM_CASES=2000;QM_SIM_RUNS=20]=]"
       " SKIP_RETURN_CODE 77 WORKING_DIRECTORY [=[${PROJECT_SOURCE_DIR}]=])\n")
endfunction()

# pd_test(<name> SOURCES <...> LIBS <...> [LABELS fast|slow|sim] [TIMEOUT <s>] [ARGS <...>])
# One Catch2 binary and one ctest entry for a folder. The working directory is the source root; tests find their data
# through QM_SOURCE_DIR.
function(pd_test name)
  cmake_parse_arguments(ARG "" "LABELS;TIMEOUT" "SOURCES;LIBS;ARGS" ${ARGN})
  if(NOT ARG_LABELS)
    set(ARG_LABELS fast)
  endif()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)
  endif()
  pd_executable(${name} SOURCES ${ARG_SOURCES} LIBS ${ARG_LIBS} qm_catch_main)
  target_compile_definitions(${name} PRIVATE QM_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  if(ARG_LABELS STREQUAL "fast")
    # Half of what a fresh checkout builds are tests, and what they test is optimised: a third less to wait.
    target_compile_options(${name} PRIVATE $<$<CONFIG:Release>:-O1>)
  endif()
  add_test(NAME ${name} COMMAND ${name} ${ARG_ARGS} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES LABELS ${ARG_LABELS} TIMEOUT ${ARG_TIMEOUT})

  qm_sibling_test(${name} ${ARG_TIMEOUT} ${name} ${ARG_ARGS})
endfunction()
