#pragma once

#include <string>

#include <linux/perf_event.h>

#include "awaitscope/support/error.hpp"

namespace awaitscope {

/// What perf_event_open(2) is to count, and what the output calls it.
struct PerfEvent {
  std::string name; ///< as it was asked for; with ":u" behind it if no more than that is permitted
  perf_event_attr attributes{};
};

/// The event of that name, as perf-list(1) has them: the kernel's own (page-faults, instructions, L1-dcache-load-misses), a raw
/// one (r01c2), one of this machine's processor (by libpfm4's tables), a tracepoint (sched:sched_switch); `:u` or `:k` behind
/// it counts in user or in kernel mode only. Whether it can be counted is another question. Fails with usage.
Result<PerfEvent> parse_perf_event(const std::string &name);

/// Instructions, by the processor's own counter.
PerfEvent instructions_event();

/// The CPU time of a thread, in nanoseconds. While one is open, each context switch of the thread costs some 0.3 µs more. The
/// first counter of the machine takes the kernel some 20 ms (kernel/events/core.c, account_event() waits for every CPU):
/// whoever cannot wait has another one opened before.
PerfEvent task_clock_event();

/// Whether it happens about once in a nanosecond: instructions, cycles, the clocks.
bool is_as_frequent_as_time(const PerfEvent &event);

/// `event` as it can be counted here, tried out on the calling thread: all of it, or if only that is permitted and makes sense,
/// what happens in user mode. Fails with denied where more rights would help, else with failed.
Result<PerfEvent> countable(PerfEvent event);

/// Why perf_event_open() failed with this errno, and what helps.
Error cannot_count(const PerfEvent &event, int error);

} // namespace awaitscope
