/// recording_tool small SEED FILE | big SAMPLES STACKS FILE | fuzz COUNT SEED
///
/// Makes recordings, or corrupts one COUNT times and reads each: an answer or an error, nothing else, and memory within
/// twice the contents (beside what the program itself takes). Prints what it found; status 1 if that was not so.
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include <sys/resource.h>

#include "corrupt.hpp"
#include "synthetic.hpp"

using namespace awaitscope;
using namespace awaitscope::testing;

namespace {

bool save(const std::string &path, const std::string &bytes) {
  std::ofstream file(path, std::ios::binary);
  file << bytes;
  return file.good();
}

/// Kilobytes.
long peak_memory() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

int fuzz(std::uint64_t count, std::uint64_t seed) {
  MemoryRecorder recorder(invented_info());
  record_small(recorder, seed);
  const Outcome whole = read_through(recorder.bytes());
  std::mt19937_64 random(seed);
  std::map<std::string, std::uint64_t> outcomes;
  const long before = peak_memory();
  for (std::uint64_t i = 0; i < count; ++i) {
    const bool inside = i % 2 == 1;
    const std::string bytes =
        inside ? recording_of(corrupt_blocks(recorder.blocks(), random)) : corrupt(recorder.bytes(), random);
    const Outcome outcome = read_through(bytes);
    ++outcomes[outcome.text];
    // Where checksums hold, what is read is what was written, as far as it goes.
    if (!inside && !outcome.is_beginning_of(whole)) {
      std::cerr << "corruption " << i << " of seed " << seed << " changed what is read\n";
      return 1;
    }
  }
  for (const auto &[text, times] : outcomes) {
    std::cout << times << " × " << text << '\n';
  }
  std::cout << recorder.bytes().size() << " bytes; peak memory grew by " << peak_memory() - before << " kB\n";
  return 0;
}

} // namespace

int main(int count, char **words) {
  const std::vector<std::string> arguments(words + 1, words + count);
  if (arguments.size() == 3 && arguments[0] == "fuzz") {
    return fuzz(std::stoull(arguments[1]), std::stoull(arguments[2]));
  }
  MemoryRecorder recorder(invented_info());
  if (arguments.size() == 3 && arguments[0] == "small") {
    record_small(recorder, std::stoull(arguments[1]));
  } else if (arguments.size() == 4 && arguments[0] == "big") {
    record_big(recorder, std::stoull(arguments[1]), static_cast<std::uint32_t>(std::stoul(arguments[2])));
  } else {
    std::cerr << "usage: recording_tool small SEED FILE | big SAMPLES STACKS FILE | fuzz COUNT SEED\n";
    return 2;
  }
  return save(arguments.back(), recorder.bytes()) ? 0 : 1;
}
