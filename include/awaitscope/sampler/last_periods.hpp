#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

#include "awaitscope/process/perf_counter.hpp"
#include "awaitscope/process/thread_watch.hpp"
#include "awaitscope/sampler/sample_sink.hpp"

namespace awaitscope {

/// What threads use between their last sample and their end: half a period on average, which of a thread that lives for ten
/// periods is a twentieth of all. Once a thread has ended, /proc says nothing of it. So threads that are met are followed by a
/// clock that outlives them, for a second from their first sample: of one that lives on, half a period is next to nothing.
/// Without the right to such clocks that time stays in no sample.
class LastPeriods {
public:
  /// A sample was taken, up to which the thread's CPU time is told; by the scheduler's account it was `cpu_ns` then. Call it
  /// while the thread stands still.
  void sampled(const Sample &sample, const std::string &thread_name, std::uint64_t cpu_ns, ThreadWatch &watch);

  /// The thread has ended, or is no Python thread any more: what it used since its last sample goes to that sample's stack, as a
  /// sample of weight 0.
  void ended(ThreadId tid, SampleSink &sink);

private:
  struct Life {
    std::optional<PerfCounter> clock; ///< none: it has lived for long
    std::uint64_t clock_ns = 0;       ///< of the clock, at the last sample
    std::uint64_t untold_ns =
        0; ///< used before that moment: what the scheduler tells of a running thread is a little old
    std::int64_t first_ns = 0;
    Sample last;
    std::string thread_name;
  };

  const PerfEvent event_ = task_clock_event();
  std::unordered_map<ThreadId, Life> lives_;
  bool permitted_ = true;
};

} // namespace awaitscope
