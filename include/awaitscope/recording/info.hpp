#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "awaitscope/model/ids.hpp"

namespace awaitscope {

/// Where the events of a recording come from.
enum class EventSource : std::uint8_t {
  counters, ///< perf_event_open(2), in each thread
  cpu_time, ///< the event is task-clock, and told by CPU times: it takes no room of its own
};

/// Of which calls the arguments are known.
enum class Arguments : std::uint8_t {
  none,
  sampled, ///< of calls that samples have seen, of chosen functions
  traced,  ///< of every call of chosen functions, seen by code in the process
};

/// What a recording says of where it comes from. Text is as the system gave it, and not trusted to be UTF-8.
struct RecordingInfo {
  std::string tool_version;
  std::vector<std::string> tool_command; ///< how awaitscope was called
  std::string host;
  ThreadId pid = 0;
  std::string executable;
  std::vector<std::string> command; ///< of the process
  std::string python;
  std::string engine; ///< at the start; of a recording that is read: the last that was in use
  std::uint64_t rate_millihertz = 0;
  std::int64_t unit_ns = 0; ///< of the times in the file; the writer's choice
  std::string event;        ///< what Sample::events counts; empty: nothing was counted
  EventSource event_source = EventSource::counters;
  bool events_as_time = false; ///< there are about as many as nanoseconds: they are written in units, as times are
  std::int64_t start_ns = 0;   ///< CLOCK_MONOTONIC at the start; every other time is told from here
  std::int64_t start_realtime_ns = 0;    ///< the same moment by CLOCK_REALTIME
  bool idle_threads = false;             ///< threads that wait were sampled too
  bool task_names = false;               ///< the names that the program gave its root tasks were read
  std::vector<std::string> import_paths; ///< the process's sys.path and working directory, to shorten file names by
  bool python_presumed = false;          ///< its Python is newer than those that the recorder knew
  Arguments arguments = Arguments::none;
  bool shows_arguments = false; ///< with their values

  /// Between two ticks of the rate that was asked for, in nanoseconds.
  [[nodiscard]] std::int64_t period_ns() const {
    return 1'000'000'000'000 / static_cast<std::int64_t>(std::max<std::uint64_t>(1, rate_millihertz));
  }
};

} // namespace awaitscope
