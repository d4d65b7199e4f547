#pragma once

#include <optional>
#include <string>

#include "awaitscope/model/sample.hpp"
#include "awaitscope/process/perf_events.hpp"
#include "awaitscope/recording/info.hpp"

namespace awaitscope::tools {

/// What a recording counts besides samples.
struct EventPlan {
  std::optional<PerfEvent> counted; ///< to be counted in each thread; none if CPU times tell it
  std::string name;                 ///< empty: nothing is counted
  EventSource source = EventSource::counters;
};

/// What --event asks for. "auto": instructions where this machine counts them for the caller, else the task-clock by the CPU
/// times, which are read in any case; "none". Errors: those of parse_perf_event() and countable().
Result<EventPlan> plan_event(const std::string &wanted);

/// Whether it can be counted in this process; makes room for the descriptors that this takes.
Result<void> prepare_counting(const EventPlan &plan, ThreadId pid);

/// "; event page-faults, by perf_event_open: 1,234"
std::string event_summary(const EventPlan &plan, const SamplingTotals &totals);

} // namespace awaitscope::tools
