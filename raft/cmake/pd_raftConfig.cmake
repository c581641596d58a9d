include(CMakeFindDependencyMacro)
find_dependency(tl-expected)
find_dependency(fmt)
include(${CMAKE_CURRENT_LIST_DIR}/pd_raftTargets.cmake)
