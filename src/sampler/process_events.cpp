#include "awaitscope/sampler/process_events.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "awaitscope/process/own_thread.hpp"

namespace awaitscope {
namespace {

/// What the kernel has counted of this event in a thread from its birth on, besides perf's counters; 0 if it does not.
std::uint64_t since_birth(const PerfEvent &event, ThreadWatch &thread) {
  if (event.attributes.type != PERF_TYPE_SOFTWARE || event.attributes.exclude_user == 1) {
    return 0;
  }
  const bool is_clock =
      event.attributes.config == PERF_COUNT_SW_TASK_CLOCK || event.attributes.config == PERF_COUNT_SW_CPU_CLOCK;
  if (is_clock) {
    const std::optional<SchedStat> stat = thread.schedstat();
    return stat ? stat->cpu_ns : 0;
  }
  if (event.attributes.exclude_kernel == 1) { // these are told of both modes together
    return 0;
  }
  const TaskStat stat = thread.stat().value_or(TaskStat{});
  switch (event.attributes.config) {
  case PERF_COUNT_SW_PAGE_FAULTS:
    return stat.minor_faults + stat.major_faults;
  case PERF_COUNT_SW_PAGE_FAULTS_MIN:
    return stat.minor_faults;
  case PERF_COUNT_SW_PAGE_FAULTS_MAJ:
    return stat.major_faults;
  default:
    return 0;
  }
}

} // namespace

ProcessEvents::ProcessEvents(Target &target, PerfEvent event)
    : event_(std::move(event)), first_(target.process().threads()) {
  // The threads themselves take up to three more descriptors each: two of /proc, and a counter.
  constexpr std::size_t k_descriptors_each = 4;
  complete_ = leaves_descriptors(static_cast<int>(k_descriptors_each * first_.size()), KeptFor::counter);
  for (const ThreadId tid : complete_ ? first_ : std::vector<ThreadId>{}) {
    tl::expected<PerfCounter, int> family = PerfCounter::open(event_, tid, Inherit::threads);
    if (family) {
      families_.push_back(std::move(*family));
    } else if (family.error() != ESRCH) { // it has ended since
      complete_ = false;
    }
  }
  for (TargetThread &thread : target.threads()) {
    watch(thread);
  }
}

void ProcessEvents::watch(TargetThread &thread) {
  tl::expected<PerfCounter, int> counter = PerfCounter::open(event_, thread.watch.tid(), Inherit::nothing);
  const int error = counter ? 0 : counter.error();
  if (error == EMFILE || error == ENFILE || (counter && !leaves_descriptors(counter->descriptor(), KeptFor::counter))) {
    ++uncounted_; // what it does is in the total, if there is one
    thread.uncounted = true;
    return;
  }
  if (!counter) {
    return; // it has ended
  }
  thread.counter.emplace(std::move(*counter));
  if (!std::binary_search(first_.begin(), first_.end(), thread.watch.tid())) {
    // What is told is that much behind from the beginning; the difference is right though it be less than nothing.
    const std::uint64_t before = since_birth(event_, thread.watch);
    thread.count_told = thread.counter->read().value_or(EventCount{});
    thread.count_told.counted -= before;
  }
}

std::optional<EventCount> ProcessEvents::total() const {
  EventCount total;
  for (const PerfCounter &family : families_) {
    const std::optional<EventCount> count = family.read();
    if (!count) {
      return std::nullopt;
    }
    total += *count;
  }
  return complete_ ? std::optional(total) : std::nullopt;
}

} // namespace awaitscope
