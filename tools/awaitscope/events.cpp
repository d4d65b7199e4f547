#include "events.hpp"

#include <cerrno>

#include <fmt/format.h>

#include "awaitscope/process/perf_counter.hpp"
#include "awaitscope/support/units.hpp"

namespace awaitscope::tools {

Result<EventPlan> plan_event(const std::string &wanted) {
  if (wanted == "none") {
    return EventPlan{};
  }
  const bool by_itself = wanted == "auto";
  const Result<PerfEvent> event = by_itself ? instructions_event() : parse_perf_event(wanted);
  if (!event) {
    return tl::unexpected(event.error());
  }
  Result<PerfEvent> found = countable(*event);
  if (found) {
    return EventPlan{*found, found->name, EventSource::counters};
  }
  return by_itself ? Result<EventPlan>(EventPlan{std::nullopt, "task-clock", EventSource::cpu_time})
                   : tl::unexpected(found.error());
}

Result<void> prepare_counting(const EventPlan &plan, ThreadId pid) {
  if (!plan.counted) {
    return {};
  }
  const tl::expected<PerfCounter, int> counter = PerfCounter::open(*plan.counted, pid, Inherit::nothing);
  const bool counts = counter || counter.error() == ESRCH; // it has just ended, which is no failure
  return counts ? Result<void>() : tl::unexpected(cannot_count(*plan.counted, counter.error()));
}

std::string event_summary(const EventPlan &plan, const SamplingTotals &totals) {
  if (plan.name.empty()) {
    return {};
  }
  if (!plan.counted) {
    return fmt::format("; event {}, by schedstat", plan.name);
  }
  return fmt::format("; event {}, by perf_event_open: {}", plan.name,
                     totals.process_events ? with_thousands(totals.process_events->scaled()) : "in all not known");
}

} // namespace awaitscope::tools
