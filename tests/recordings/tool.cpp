/// recording_tool small SEED FILE | big SAMPLES STACKS FILE | fuzz COUNT SEED
///
/// Makes recordings, or corrupts one COUNT times and reads each: an answer or an error, nothing else, in memory of twice the
/// contents at most, beside buffers of a fixed size. Prints what it found; status 1 if that was not so.
#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <new>
#include <string>
#include <vector>

#include <malloc.h>

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

// What C++ has allocated, in bytes.
std::size_t allocated = 0;      // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)
std::size_t most_allocated = 0; // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

/// Reads to the end; the most memory that this took beside the bytes themselves, and what a reader may take.
std::pair<std::size_t, std::size_t> memory_of_reading(const std::string &bytes) {
  auto source = std::make_unique<MemorySource>(bytes);
  const std::size_t before = most_allocated = allocated;
  std::uint64_t content = 0;
  if (Result<RecordingReader> reader = RecordingReader::open(std::move(source))) {
    for (Result<bool> more = reader->next(); more && *more; more = reader->next()) {
    }
    content = reader->content();
  }
  constexpr std::size_t k_buffers = std::size_t{192} << 10U; // one step of reading, one block, the empty tables
  return {most_allocated - before, 2 * content + k_buffers};
}

int fuzz(std::uint64_t count, std::uint64_t seed) {
  MemoryRecorder recorder(invented_info());
  record_small(recorder, seed);
  const Outcome whole = read_through(recorder.bytes());
  std::mt19937_64 random(seed);
  std::map<std::string, std::uint64_t> outcomes;
  std::size_t most = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    const bool inside = i % 2 == 1;
    const std::string bytes =
        inside ? recording_of(corrupt_blocks(recorder.blocks(), random)) : corrupt(recorder.bytes(), random);
    const auto [taken, allowed] = memory_of_reading(bytes);
    most = std::max(most, taken);
    if (taken > allowed) {
      std::cerr << "corruption " << i << " of seed " << seed << " took " << taken << " bytes, allowed: " << allowed
                << '\n';
      return 1;
    }
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
  std::cout << recorder.bytes().size() << " bytes; a reader took " << most << " at most\n";
  return 0;
}

} // namespace

// Not inlined: gcc would see malloc's memory given to delete, and warn. The form that does not throw is std::stable_sort's.
[[gnu::noinline]] void *operator new(std::size_t size, const std::nothrow_t & /*tag*/) noexcept {
  void *memory = std::malloc(size);          // NOLINT(cppcoreguidelines-no-malloc)
  allocated += ::malloc_usable_size(memory); // 0 of none
  most_allocated = std::max(most_allocated, allocated);
  return memory;
}

[[gnu::noinline]] void *operator new(std::size_t size) {
  void *memory = operator new(size, std::nothrow);
  if (memory == nullptr) {
    throw std::bad_alloc();
  }
  return memory;
}

[[gnu::noinline]] void operator delete(void *memory) noexcept {
  allocated -= ::malloc_usable_size(memory);
  std::free(memory); // NOLINT(cppcoreguidelines-no-malloc)
}

void operator delete(void *memory, std::size_t /*size*/) noexcept { operator delete(memory); }

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
