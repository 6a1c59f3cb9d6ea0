# The determinism gate's programs: headless, so that they build in a minute in every way script/gate asks for.
add_executable(gate gate.cc)
target_link_libraries(gate ringside_lab ringside_sim)

# Knows the planted nondeterminism in every build, so that each build can show what it catches.
add_executable(gate_planted gate_planted.cc)
target_compile_definitions(gate_planted PRIVATE RINGSIDE_PLANTED=1)
target_link_libraries(gate_planted ringside_sim)
if(RINGSIDE_TESTS AND NOT RINGSIDE_PLANTED)
  find_program(RINGSIDE_PYTHON NAMES python3 HINTS /usr/bin REQUIRED)
  add_test(NAME ${RINGSIDE_TEST_PREFIX}gate.catches_planted_nondeterminism
    COMMAND ${RINGSIDE_PYTHON} -B ${CMAKE_CURRENT_LIST_DIR}/gate_planted_test.py $<TARGET_FILE:gate_planted>)
  set_tests_properties(${RINGSIDE_TEST_PREFIX}gate.catches_planted_nondeterminism PROPERTIES LABELS gate TIMEOUT 120)
  if(NOT RINGSIDE_SANITIZE)
    add_test(NAME gate.every_build_plays_every_scenario_alike COMMAND ${CMAKE_SOURCE_DIR}/script/gate)
    set_tests_properties(gate.every_build_plays_every_scenario_alike PROPERTIES LABELS gate TIMEOUT 2700 RUN_SERIAL ON)
  endif()
endif()
if(RINGSIDE_TESTS AND RINGSIDE_PLANTED)
  find_program(RINGSIDE_PYTHON NAMES python3 HINTS /usr/bin REQUIRED)
  add_test(NAME planted.trip_wire_replay_and_gate_catch_nodes_that_misbehave
    COMMAND ${RINGSIDE_PYTHON} -B ${CMAKE_CURRENT_LIST_DIR}/node_misbehaves_test.py
      ${CMAKE_BINARY_DIR}/cli/ringside $<TARGET_FILE:gate> ${CMAKE_SOURCE_DIR}/scenarios)
  set_tests_properties(planted.trip_wire_replay_and_gate_catch_nodes_that_misbehave PROPERTIES LABELS gate TIMEOUT 300)
endif()
