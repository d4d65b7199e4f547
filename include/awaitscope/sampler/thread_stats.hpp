#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "awaitscope/process/process_clock.hpp"
#include "awaitscope/sampler/target.hpp"

namespace awaitscope {

/// Reads what the scheduler says of the threads of a process, and of those that were blocked only if they may have run since.
///
/// The process's clock tells the CPU time of all threads in one call. What it says beyond the sum of what is known of each
/// thread (the time of threads that ended, or that run no Python) stays the same as long as no thread has run but those that
/// are asked for at each tick. A server's idle workers are many, and each read takes 1 µs, or 3 on cold caches.
class ThreadStats {
public:
  explicit ThreadStats(ThreadId pid) : clock_(pid) {}

  /// Brings `stat` of each thread up to date: none of one that has ended. Of one that has several thread states, that of the
  /// first.
  void refresh(std::vector<TargetThread> &threads);

  /// Was it blocked when it was last seen, and is not known to have run since?
  static bool is_quiet(const TargetThread &thread);

  /// Of a thread that has several thread states, is this the first in the list? Its entry stands for the thread.
  static bool leads(const TargetThread &thread, const std::vector<TargetThread> &threads);

private:
  void search(std::vector<TargetThread> &threads, std::uint64_t missing_ns);

  ProcessClock clock_;
  std::size_t last_ran_ = 0;             ///< place of the last thread that was found to have run though it was blocked
  std::optional<std::uint64_t> rest_ns_; ///< of the clock, beyond the known threads; none before the first tick
};

} // namespace awaitscope
