# The determinism gate's programs: headless, so that they build in a minute in every way script/gate asks for.
add_executable(gate gate.cc)
target_link_libraries(gate ringside_lab ringside_sim)
