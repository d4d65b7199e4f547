#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "awaitscope/report/profile.hpp"

namespace awaitscope {

/// Samples in which one thread waited for the GIL while another one held it. Threads of a pool count as one, as in stacks.
struct GilWait {
  std::string process; ///< as process_of()
  std::string
      holder; ///< empty: none held it at that moment (it was on its way to the waiter), or one that is not known
  std::string waiter;
  std::uint64_t samples = 0;
  /// What the holder was in: of its own sample before (of the same tick, mostly, as threads that can run are read first) the innermost
  /// function of the project, or else the innermost of all. The most samples first.
  std::vector<std::pair<CodeId, std::uint64_t>> held_in;
};

struct GilWaits {
  std::vector<GilWait> waits; ///< the most samples first
  std::uint64_t samples = 0;  ///< that wait for the GIL, within the range and the filter
  std::uint64_t all = 0;      ///< of threads that are not idle, likewise
  std::int64_t period_ns = 0; ///< for which each stands
};

/// Who held the GIL while others waited for it, from samples (ThreadState::gil, Sample::gil_holder): each stands for a period, and the
/// share of n samples is as exact as that of any stack. The filter's threads are those that wait. Reads the recording to its end.
Result<GilWaits> read_gil_waits(RecordingReader &reader, const TimeRange &range, const Filter &filter);

} // namespace awaitscope
