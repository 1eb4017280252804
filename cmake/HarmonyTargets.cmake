# One function a kind of target. Sources are what lies in the calling folder.

# harmony_library(NAME DEPS...): a static library `harmony_NAME` of this folder's sources.
function(harmony_library name)
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.cpp")
  add_library(harmony_${name} STATIC ${sources})
  target_include_directories(harmony_${name} PUBLIC "${CMAKE_SOURCE_DIR}/src")
  target_link_libraries(harmony_${name} PUBLIC ${ARGN})
endfunction()

# harmony_program(TARGET DEPS...): an installed executable of this folder's sources.
function(harmony_program target)
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.cpp")
  add_executable(${target} ${sources})
  target_link_libraries(${target} PRIVATE ${ARGN})
  target_compile_definitions(${target} PRIVATE HARMONY_VERSION="${PROJECT_VERSION}")
  install(TARGETS ${target} RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
endfunction()

# Declares the executable `name` of this folder's sources; does nothing where there are none.
function(_harmony_test_program name)
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.cpp")
  if(NOT sources)
    return()
  endif()
  add_executable(${name} ${sources})
  target_link_libraries(${name} PRIVATE harmony_test_support ${ARGN})
  target_include_directories(${name} PRIVATE "${CMAKE_SOURCE_DIR}/tests")
  # Nobody waits for a test's own code, but everybody for its compilation.
  target_compile_options(${name} PRIVATE "$<$<CONFIG:Release>:-O0;-U_FORTIFY_SOURCE>")
endfunction()

# The CTest test `name`: a command as root inside a disposable device.
function(_harmony_run_in_device name timeout)
  add_test(NAME ${name}
           COMMAND "${CMAKE_SOURCE_DIR}/tests/testbed/device.sh" exec --bind "${CMAKE_BINARY_DIR}"
                   -- ${ARGN})
  set_tests_properties(${name} PROPERTIES LABELS "integration;device" SKIP_RETURN_CODE 77
                                          TIMEOUT ${timeout})
endfunction()

# harmony_test(NAME DEPS...): a Catch2 executable `NAME` of this folder's sources, run by CTest under
# the labels in HARMONY_TEST_LABELS and with the timeout HARMONY_TEST_TIMEOUT (seconds).
function(harmony_test name)
  _harmony_test_program(${name} ${ARGN})
  if(NOT TARGET ${name})
    return()
  endif()
  if(NOT HARMONY_TEST_TIMEOUT)
    set(HARMONY_TEST_TIMEOUT 120)
  endif()
  add_test(NAME ${name} COMMAND ${name} "~[root]~[.]")
  set_tests_properties(${name} PROPERTIES LABELS "${HARMONY_TEST_LABELS}"
                                          TIMEOUT ${HARMONY_TEST_TIMEOUT})
endfunction()

# harmony_root_cases(NAME): the cases of a harmony_test that are tagged [root] (they mount file systems
# or change owners) run in a device instead, as the test `NAME_root`.
function(harmony_root_cases name)
  if(NOT TARGET ${name})
    return()
  endif()
  _harmony_run_in_device(${name}_root 120 $<TARGET_FILE:${name}> "[root]")
endfunction()

# harmony_device_test(NAME DEPS...): the same, run as root inside a disposable device of its own
# (systemd as PID 1, podman, a private network), booted by tests/testbed/device.sh. Without root it
# fails; with HARMONY_SKIP_DEVICE_TESTS=1 in the environment CTest reports it as skipped.
function(harmony_device_test name)
  _harmony_test_program(${name} ${ARGN})
  if(NOT TARGET ${name})
    return()
  endif()
  if(NOT HARMONY_TEST_TIMEOUT)
    set(HARMONY_TEST_TIMEOUT 300)
  endif()
  _harmony_run_in_device(${name} ${HARMONY_TEST_TIMEOUT} $<TARGET_FILE:${name}>)
endfunction()
