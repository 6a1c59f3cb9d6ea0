// The main of a fuzzer without libFuzzer; beside libFuzzer, the way to its seeds.

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>

#include "runtime/fuzz.h"
#include "runtime/random.h"

namespace ringside {
namespace {

int write_seeds(const std::string& directory) {
  std::size_t number = 0;
  for (const std::string& seed : fuzz_seeds()) {
    const std::string path = directory + "/seed" + std::to_string(number++);
    std::ofstream file(path, std::ios::binary);
    file.write(seed.data(), static_cast<std::streamsize>(seed.size()));
    if (!file.flush()) {
      std::fprintf(stderr, "%s: cannot be written\n", path.c_str());
      return 2;
    }
  }
  return 0;
}

}  // namespace
}  // namespace ringside

#ifdef RINGSIDE_FUZZ

extern "C" int LLVMFuzzerInitialize(int* count, char*** arguments) {
  if (*count == 3 && std::strcmp((*arguments)[1], "--seeds") == 0) {
    std::exit(ringside::write_seeds((*arguments)[2]));
  }
  return 0;
}

#else

namespace ringside {
namespace {

void play(const std::string& input) {
  // In a block of exactly this size, so that the sanitizer sees a read beyond it.
  const std::vector<uint8_t> exact(input.begin(), input.end());
  LLVMFuzzerTestOneInput(exact.data(), exact.size());
}

// A few changes of the kinds that find most: bits, bytes, telling numbers, runs that are cut out,
// doubled, or come from another seed.
std::string mutate(std::string bytes, const std::string& other, Random& random) {
  static constexpr uint64_t kTelling[] = {0, 1, 0x7f, 0x80, 0xff, 0xffff, 0x7fffffff, ~uint64_t{0}};
  for (uint64_t changes = 1 + random.below(6); changes > 0; --changes) {
    const std::size_t at = bytes.empty() ? 0 : random.below(bytes.size());
    const std::size_t left = bytes.size() - at;
    const std::size_t run = left == 0 ? 0 : 1 + random.below(left < 64 ? left : 64);
    switch (random.below(7)) {
      case 0:
        if (left > 0) bytes[at] = static_cast<char>(bytes[at] ^ (1 << random.below(8)));
        break;
      case 1:
        if (left > 0) bytes[at] = static_cast<char>(random.next());
        break;
      case 2: {
        const uint64_t telling = kTelling[random.below(std::size(kTelling))];
        const std::size_t size = std::size_t{1} << random.below(4);
        if (left >= size) std::memcpy(bytes.data() + at, &telling, size);
        break;
      }
      case 3: bytes.erase(at, run); break;
      case 4: bytes.insert(at, bytes.substr(at, run)); break;
      case 5: bytes.resize(at); break;
      default: {
        const std::size_t from = other.empty() ? 0 : random.below(other.size());
        bytes.replace(at, run, other, from, 1 + random.below(64));
      }
    }
  }
  return bytes;
}

int play_files(int count, char** names) {
  for (int i = 0; i < count; ++i) {
    std::ifstream file(names[i], std::ios::binary);
    if (!file) {
      std::fprintf(stderr, "%s: cannot be read\n", names[i]);
      return 2;
    }
    play(std::string(std::istreambuf_iterator<char>(file), {}));
  }
  return 0;
}

int play_mutations(uint64_t rounds) {
  const std::vector<std::string> seeds = fuzz_seeds();
  for (const std::string& seed : seeds) play(seed);
  for (uint64_t round = 0; round < rounds; ++round) {
    Random random(mix(round));
    const std::string& seed = seeds[random.below(seeds.size())];
    play(mutate(seed, seeds[random.below(seeds.size())], random));
  }
  std::printf("%llu mutations of %zu seeds\n", static_cast<unsigned long long>(rounds),
              seeds.size());
  return 0;
}

}  // namespace
}  // namespace ringside

int main(int count, char** arguments) {
  using namespace ringside;
  if (count == 3 && std::strcmp(arguments[1], "--seeds") == 0) return write_seeds(arguments[2]);
  char* end = nullptr;
  const uint64_t rounds = count == 2 ? std::strtoull(arguments[1], &end, 10) : 0;
  if (count == 2 && *end == '\0') return play_mutations(rounds);
  if (count >= 2) return play_files(count - 1, arguments + 1);
  std::fprintf(stderr, "usage: %s ROUNDS | FILE... | --seeds DIRECTORY\n", arguments[0]);
  return 2;
}

#endif
