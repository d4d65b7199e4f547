#include "awaitscope/sampler/process_events.hpp"

#include <cerrno>

namespace awaitscope {

ProcessEvents::ProcessEvents(Target &target, const PerfEvent &event) : event_(event) {
  for (const ThreadId tid : target.process().threads()) {
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

void ProcessEvents::watch(TargetThread &thread) const {
  tl::expected<PerfCounter, int> counter = PerfCounter::open(event_, thread.watch.tid(), Inherit::nothing);
  if (counter) {
    thread.counter.emplace(std::move(*counter));
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
