# One function a kind of target. Sources are what lies in the calling folder.

# harmony_library(NAME DEPS...): a static library `harmony_NAME` of this folder's sources.
function(harmony_library name)
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.cpp")
  add_library(harmony_${name} STATIC ${sources})
  target_include_directories(harmony_${name} PUBLIC "${CMAKE_SOURCE_DIR}/src")
  target_link_libraries(harmony_${name} PUBLIC ${ARGN})
endfunction()

# harmony_program(TARGET DEPS...): an executable of this folder's sources.
function(harmony_program target)
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.cpp")
  add_executable(${target} ${sources})
  target_link_libraries(${target} PRIVATE ${ARGN})
  target_compile_definitions(${target} PRIVATE HARMONY_VERSION="${PROJECT_VERSION}")
endfunction()

# harmony_test(NAME DEPS...): a Catch2 executable `NAME` of this folder's sources, run by CTest under
# the labels in HARMONY_TEST_LABELS and with the timeout HARMONY_TEST_TIMEOUT (seconds).
function(harmony_test name)
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.cpp")
  if(NOT sources)
    return()
  endif()
  add_executable(${name} ${sources})
  target_link_libraries(${name} PRIVATE harmony_test_support ${ARGN})
  target_include_directories(${name} PRIVATE "${CMAKE_SOURCE_DIR}/tests")
  add_test(NAME ${name} COMMAND ${name})
  if(NOT HARMONY_TEST_TIMEOUT)
    set(HARMONY_TEST_TIMEOUT 120)
  endif()
  set_tests_properties(${name} PROPERTIES LABELS "${HARMONY_TEST_LABELS}"
                                          TIMEOUT ${HARMONY_TEST_TIMEOUT})
endfunction()

# harmony_device_test(NAME DEPS...): the same, run as root inside a disposable device of its own
# (systemd as PID 1, podman, a private network), booted by tests/testbed/device.sh.
function(harmony_device_test name)
  set(HARMONY_TEST_LABELS "integration;device")
  harmony_test(${name} ${ARGN})
  if(TARGET ${name})
    set_property(TEST ${name} PROPERTY LABELS "${HARMONY_TEST_LABELS}")
  endif()
endfunction()
