#pragma once

#include <optional>
#include <vector>

#include "awaitscope/process/perf_counter.hpp"
#include "awaitscope/sampler/target.hpp"

namespace awaitscope {

/// Counts one event in a process, twice: what each known thread does, to be told by its samples, and what all do.
///
/// A thread is known only after its birth, and a counter that is opened then has missed what was before. So each thread that
/// the process has at the start gets a second counter, which the threads that it starts inherit, and theirs, from their first
/// instruction to their last: the sum of these is what the kernel counts for the process, whoever came and went meanwhile, and
/// seen by a sample or not. Less the samples' own, it is what no stack is known of, and is shown as that. Inherited counters
/// alone would not do: they tell a family, never a single thread.
///
/// Of page faults and of the clocks the kernel keeps another count, from the thread's birth: a thread that was born meanwhile
/// begins with that, so that its first sample carries what was before it.
///
/// A thread that another one starts in the very instant between the listing of the threads and the opening of its parent's
/// counter has none of the second kind. Where threads alone cannot inherit (before Linux 5.13; children would as well) there
/// is no sum.
class ProcessEvents {
public:
  ProcessEvents(Target &target, PerfEvent event);

  /// Counts in this thread from now on, if there is room for another descriptor.
  void watch(TargetThread &thread);

  /// How many threads have no counter of their own, as there was no room for it.
  [[nodiscard]] std::uint64_t uncounted() const { return uncounted_; }

  /// What the kernel has counted in all threads since this was made, those that ended included, also once the process is gone.
  [[nodiscard]] std::optional<EventCount> total() const;

private:
  PerfEvent event_;
  std::vector<ThreadId> first_; ///< the threads that were there at the start
  std::vector<PerfCounter> families_;
  std::uint64_t uncounted_ = 0;
  bool complete_ = true; ///< families_ has every thread that was there
};

} // namespace awaitscope
