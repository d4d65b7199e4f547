/// recording_tool small|site|processes SEED FILE | loop FILE | big SAMPLES STACKS FILE | crafted FOLDER | fuzz COUNT SEED
///
/// Makes recordings, or corrupts two COUNT times and reads each: an answer or an error, nothing else, in memory of twice the
/// contents at most, beside buffers of a fixed size; and every view of it in a second of CPU time and 200 MB. Prints what it
/// found; status 1 if that was not so.
#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iostream>
#include <map>
#include <new>
#include <string>
#include <vector>

#include <malloc.h>

#include "corrupt.hpp"
#include "crafted.hpp"
#include "loop_site.hpp"
#include "site.hpp"
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

struct Views {
  Outcome outcome;
  std::size_t taken = 0; ///< bytes
  double seconds = 0;    ///< of CPU time
};

Views views_of(const std::string &bytes) {
  Views views;
  const std::size_t before = most_allocated = allocated;
  const std::clock_t start = std::clock();
  views.outcome = read_through(bytes);
  views.seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  views.taken = most_allocated - before;
  return views;
}

int fuzz(const MemoryRecorder &recorder, std::uint64_t count, std::uint64_t seed) {
  constexpr std::size_t k_most_of_views = std::size_t{200} << 20U;
  constexpr double k_longest_of_views = 1;
  const Outcome whole = read_through(recorder.bytes());
  std::mt19937_64 random(seed);
  std::map<std::string, std::uint64_t> outcomes;
  std::size_t most = 0;
  Views worst;
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
    const Views views = views_of(bytes);
    const Outcome &outcome = views.outcome;
    worst.taken = std::max(worst.taken, views.taken);
    worst.seconds = std::max(worst.seconds, views.seconds);
    if (views.taken > k_most_of_views || views.seconds > k_longest_of_views) {
      std::cerr << "the views of corruption " << i << " of seed " << seed << " took " << views.taken << " bytes and "
                << views.seconds << " s\n";
      return 1;
    }
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
  std::cout << recorder.bytes().size() << " bytes; a reader took " << most << " at most, all views " << worst.taken
            << " and " << worst.seconds << " s\n";
  return 0;
}

int fuzz_each(std::uint64_t count, std::uint64_t seed) {
  MemoryRecorder one(invented_info());
  record_small(one, seed);
  MemoryRecorder several(invented_info());
  record_processes(several, seed);
  MemoryRecorder arguments(invented_info());
  record_arguments(arguments, seed);
  MemoryRecorder loop(loop_site_info());
  record_loop_site(loop);
  for (const MemoryRecorder *recorder : {&one, &several, &arguments, &loop}) {
    if (const int failed = fuzz(*recorder, count / 4 + 1, seed); failed != 0) {
      return failed;
    }
  }
  return 0;
}

bool save_crafted(const std::string &folder) {
  const auto &all = crafted_recordings();
  return std::all_of(all.begin(), all.end(),
                     [&](const auto &entry) { return save(folder + "/" + entry.first + ".ascope", entry.second()); });
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
    return fuzz_each(std::stoull(arguments[1]), std::stoull(arguments[2]));
  }
  if (arguments.size() == 2 && arguments[0] == "crafted") {
    return save_crafted(arguments[1]) ? 0 : 1;
  }
  if (arguments.size() == 2 && arguments[0] == "loop") {
    MemoryRecorder loop(loop_site_info());
    record_loop_site(loop);
    return save(arguments.back(), loop.bytes()) ? 0 : 1;
  }
  MemoryRecorder recorder(invented_info());
  if (arguments.size() == 3 && arguments[0] == "small") {
    record_small(recorder, std::stoull(arguments[1]));
  } else if (arguments.size() == 3 && arguments[0] == "processes") {
    record_processes(recorder, std::stoull(arguments[1]));
  } else if (arguments.size() == 3 && arguments[0] == "site") {
    MemoryRecorder site(site_info());
    record_site(site, std::stoull(arguments[1]));
    return save(arguments.back(), site.bytes()) ? 0 : 1;
  } else if (arguments.size() == 4 && arguments[0] == "big") {
    record_big(recorder, std::stoull(arguments[1]), static_cast<std::uint32_t>(std::stoul(arguments[2])));
  } else {
    std::cerr << "usage: recording_tool small|site|processes SEED FILE | loop FILE | big SAMPLES STACKS FILE | crafted "
                 "FOLDER | fuzz "
                 "COUNT SEED\n";
    return 2;
  }
  return save(arguments.back(), recorder.bytes()) ? 0 : 1;
}
