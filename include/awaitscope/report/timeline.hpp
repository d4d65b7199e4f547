#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "awaitscope/report/profile.hpp"

namespace awaitscope {

/// What ran under one root, in the order of time. Its memory grows with samples (16 bytes for each that differs from the one
/// before), unlike that of StackCosts.
struct Track {
  struct Entry {
    StackId stack = 0;
    std::uint32_t kind = 0; ///< of those that StackCosts tells apart: a number
    std::uint64_t weight = 0;
  };
  std::string root;    ///< as root_of()
  std::string process; ///< as process_of()
  std::vector<Entry> entries;
  std::uint64_t weight = 0; ///< of all
};

struct Timeline {
  std::vector<Track> tracks;   ///< the heaviest first
  std::uint64_t unsampled = 0; ///< as in StackCosts, of the metric; without a filter only
  std::uint64_t task_changes = 0;
};

/// Reads the recording to its end.
Result<Timeline> read_timeline(RecordingReader &reader, const TimeRange &range, const ProfileOptions &options);

} // namespace awaitscope
