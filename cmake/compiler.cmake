# One language, one set of warnings, and floating point that is the same everywhere.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  message(FATAL_ERROR "g++ ${CMAKE_CXX_COMPILER_VERSION} miscompiles coroutines silently (switch (co_await ...), aggregate "
    "temporaries and capturing lambdas in a co_await expression). Use clang: cmake --preset release, or "
    "-DCMAKE_CXX_COMPILER=clang++-19.")
endif()

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE OFF)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1")
set(CMAKE_C_FLAGS_RELEASE "-O2 -g1")

add_compile_options(-ffp-contract=off -Wall -Wextra -Wno-unused-parameter -Wno-missing-field-initializers -fno-omit-frame-pointer)
include(CheckLinkerFlag)
check_linker_flag(CXX -fuse-ld=lld RINGSIDE_LLD_LINKS)  # a second compiler may not find it
if(RINGSIDE_LLD_LINKS)
  add_link_options(-fuse-ld=lld)
endif()

set(RINGSIDE_SANITIZE "" CACHE STRING "Sanitizers, for example address,undefined")
if(RINGSIDE_SANITIZE)
  add_compile_options(-fsanitize=${RINGSIDE_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${RINGSIDE_SANITIZE})
endif()

# Paths that a binary keeps (__FILE__, debug information) are relative to the root; run a debugger there. So every clone
# compiles to the same bytes, and clones and builds share what the compiler cache holds.
add_compile_options(-ffile-prefix-map=${CMAKE_SOURCE_DIR}/=)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  add_compile_options(-ffile-compilation-dir=.)
endif()
find_program(RINGSIDE_CCACHE ccache)
if(RINGSIDE_CCACHE)
  # DEPEND: a miss is compiled, and not preprocessed for its key before.
  set(launcher env CCACHE_DEPEND=1 CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${RINGSIDE_CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${launcher})
  set(CMAKE_C_COMPILER_LAUNCHER ${launcher})
endif()
