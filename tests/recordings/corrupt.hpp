#pragma once

#include <random>
#include <string>
#include <vector>

#include "awaitscope/recording/reader.hpp"

namespace awaitscope::testing {

/// What came of reading some bytes as a recording, to the end and through every view.
struct Outcome {
  std::string text; ///< how it ended, or the error
  std::vector<SampleRun> samples;

  /// Whether what was read is what `whole` begins with.
  [[nodiscard]] bool is_beginning_of(const Outcome &whole) const;
};

/// Reads to the end.
Outcome read_samples(const std::string &bytes);

/// The same, and makes every view of it.
Outcome read_through(const std::string &bytes);

/// A few bytes changed, inserted, removed, repeated or cut off.
std::string corrupt(std::string bytes, std::mt19937_64 &random);

/// One block corrupted inside, as if its checksum and compression were right.
std::vector<std::string> corrupt_blocks(std::vector<std::string> blocks, std::mt19937_64 &random);

} // namespace awaitscope::testing
