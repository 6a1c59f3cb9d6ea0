// What a fuzzer is made of: hostile bytes go in, and nothing may crash, hang or grow. The same
// source serves libFuzzer (preset fuzz) and a plain program that plays a fixed number of mutations
// as a test (runtime/fuzz_driver.cc).
//
//   build/fuzz/storage/fuzz_table --seeds CORPUS        writes the seeds, as files
//   build/fuzz/storage/fuzz_table CORPUS                libFuzzer goes on from there
//   build/dev/storage/fuzz_table 2000                   2000 mutations, the same ones each time
//   build/dev/storage/fuzz_table FILE…                  plays what was found
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace ringside {

// Good inputs, to mutate. The same ones each time.
std::vector<std::string> fuzz_seeds();

}  // namespace ringside
