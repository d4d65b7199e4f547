#include "awaitscope/sampler/thread_stats.hpp"

#include <algorithm>

namespace awaitscope {
namespace {

/// What the clock says beyond these threads: compared only, so that it may wrap around.
std::uint64_t beyond(std::uint64_t clock_ns, const std::vector<TargetThread> &threads) {
  for (const TargetThread &thread : threads) {
    clock_ns -= ThreadStats::leads(thread, threads) && thread.stat ? thread.stat->cpu_ns : 0;
  }
  return clock_ns;
}

} // namespace

bool ThreadStats::is_quiet(const TargetThread &thread) {
  return thread.stat && thread.stat->times_run != 0 && thread.stat->times_run == thread.blocked_at;
}

bool ThreadStats::leads(const TargetThread &thread, const std::vector<TargetThread> &threads) {
  return !thread.shared || &thread == &*std::find_if(threads.begin(), threads.end(), [&](const TargetThread &other) {
    return other.watch.tid() == thread.watch.tid();
  });
}

/// Asks those that were blocked until the clock is accounted for: first the one that was found to have run last, then its
/// neighbours, since idle workers take turns. Not all of them, as long as the sum is right.
void ThreadStats::search(std::vector<TargetThread> &threads, std::uint64_t missing_ns) {
  const std::size_t count = threads.size();
  const std::size_t begin = last_ran_;
  for (std::size_t step = 0; step < count && missing_ns != 0; ++step) {
    const std::size_t distance = (step + 1) / 2;
    const std::size_t place = (begin + (step % 2 == 1 ? distance : count - distance)) % count;
    TargetThread &thread = threads[place];
    if (!is_quiet(thread) || !leads(thread, threads)) {
      continue;
    }
    const std::uint64_t known_ns = thread.stat->cpu_ns;
    thread.stat = thread.watch.schedstat();
    if (thread.stat && thread.stat->cpu_ns != known_ns) {
      missing_ns -= thread.stat->cpu_ns - known_ns;
      last_ran_ = place;
    }
  }
}

void ThreadStats::refresh(std::vector<TargetThread> &threads) {
  // Before the threads are read: what one of them uses meanwhile is in the clock the next time, and not in `stat`.
  const bool any_quiet = std::any_of(threads.begin(), threads.end(), is_quiet);
  const std::uint64_t clock_ns = any_quiet ? clock_.now().value_or(0) : 0; // 0: not known
  for (TargetThread &thread : threads) {
    if (!is_quiet(thread) && leads(thread, threads)) {
      thread.stat = thread.watch.schedstat();
    }
  }
  // As long as nothing is known of the rest, no sum is right.
  search(threads, clock_ns != 0 && rest_ns_ ? beyond(clock_ns, threads) - *rest_ns_ : 1);
  rest_ns_.reset();
  if (clock_ns != 0) {
    rest_ns_ = beyond(clock_ns, threads);
  }
}

} // namespace awaitscope
