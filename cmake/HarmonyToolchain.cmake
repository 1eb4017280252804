# Compiler, linker and warning settings of every target.
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Debug or Release" FORCE)
endif()
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CCACHE}")
endif()

add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wold-style-cast
                    -Woverloaded-virtual -Wno-missing-field-initializers)
if(HARMONY_WERROR)
  add_compile_options(-Werror)
endif()
add_compile_options("-ffile-prefix-map=${CMAKE_SOURCE_DIR}/=")

# Size: the agent waits most of its life, and a device pays for every page (3.9 MB of code at -O2, 2.5 MB here).
set(CMAKE_CXX_FLAGS_RELEASE "-Os -DNDEBUG")

if(CMAKE_BUILD_TYPE STREQUAL "Release")
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    # False alarms in std::string's operator+ when optimising (GCC bug 105651, fixed in 13).
    add_compile_options(-Wno-restrict)
  endif()
  # A device pays for every page: small code, one copy of it, nothing unused.
  add_compile_options(-ffunction-sections -fdata-sections -fstack-protector-strong)
  add_compile_definitions(_FORTIFY_SOURCE=2)
  add_link_options(-Wl,--gc-sections -Wl,-O1 -Wl,--as-needed -Wl,-z,relro)
else()
  add_compile_options(-O1 -g1)
  add_link_options(-Wl,--as-needed)
endif()

if(HARMONY_SANITIZE)
  # Only checks that may go on can be suppressed: `null` is, for CAF's headers (tests/sanitizers).
  # The test preset makes the others of its kind fatal again (halt_on_error).
  add_compile_options("-fsanitize=${HARMONY_SANITIZE}" -fno-omit-frame-pointer
                      -fno-sanitize-recover=all -fsanitize-recover=null)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_compile_options(-Wno-maybe-uninitialized) # g++ 12 sees ghosts in instrumented std::regex
  endif()
  add_link_options("-fsanitize=${HARMONY_SANITIZE}")
endif()
if(HARMONY_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
if(HARMONY_COVERAGE)
  add_compile_options(--coverage)
  add_link_options(--coverage)
endif()
