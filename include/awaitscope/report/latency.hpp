#pragma once

#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "awaitscope/report/profile.hpp"
#include "awaitscope/report/waits.hpp"

namespace awaitscope {

/// One call of a coroutine (or of what it awaits): from when it was first in its task's stack to when it was last.
struct CallSpan {
  CodeId code = 0;
  std::int64_t from_ns = 0;
  std::int64_t to_ns = 0;
  std::uint64_t await_ns = 0;                             ///< its task was suspended
  bool begun = true;                                      ///< its beginning was seen
  bool ended = true;                                      ///< its end was seen
  std::vector<std::pair<CodeId, std::uint64_t>> await_on; ///< the innermost awaitable, nanoseconds
};

/// What the calls of one function took.
///
/// The rule for calls that the recording cuts. A call that still ran at the recording's end took longer than what was seen of
/// it. Left out, long calls would be missing more often than short ones, and percentiles would be too low; taken at the length
/// seen, likewise. So it counts as censored: percentiles are those of the Kaplan-Meier estimate, which asks at each length, of
/// the calls known to have lasted so long, what part ended just here. A call that ran already at the first look is left out of
/// percentiles: such calls are the long ones more often than not (of those that last a minute, one is always running), and how
/// long they had lasted is not known. What remains is every call that began while it was watched: a fair sample.
/// Where the estimate does not come down to a percentile, because most calls were cut, the longest length that was seen stands
/// in its place: a lower bound. The mean is that of whole calls, CPU time and await are of all that was seen.
struct FunctionLatency {
  CodeId code = 0;
  std::uint64_t calls = 0; ///< with those that are cut
  std::uint64_t cut = 0;   ///< at either end
  std::int64_t mean_ns = 0;
  std::int64_t p50_ns = 0;
  std::int64_t p95_ns = 0;
  std::int64_t p99_ns = 0;
  std::int64_t max_ns = 0;
  std::uint64_t cpu_ns = 0; ///< of the samples inside the range in whose task's own frames it was
  std::uint64_t await_ns = 0;
  std::vector<std::pair<CodeId, std::uint64_t>> await_on; ///< the longest first
};

struct Latencies {
  /// Calls shorter than this are mostly not seen: the sampling period, the mean one if the rate was lowered.
  std::int64_t resolution_ns = 0;
  std::vector<FunctionLatency> functions;
  std::uint64_t task_changes = 0;
};

/// Turns the spans of tasks into those of calls. A frame goes on as the same call while its task's stack is the same up to and
/// with it (executing lines aside), unless a change says that it is a new call.
class CallSpans {
public:
  /// `task` is its number.
  using Visit = std::function<void(std::uint32_t task, const CallSpan &call)>;

  CallSpans(const RecordingTables &tables, Visit visit) : tables_(tables), visit_(std::move(visit)) {}

  /// Spans of one task in the order of time; of several tasks mixed as they come.
  void add(const TaskSpan &span);

  /// The recording's end, behind that of TaskSpans.
  void finish();

private:
  using Calls = std::vector<CallSpan>; // of one task, outermost first

  void close(Calls &calls, std::size_t from, bool ended);

  const RecordingTables &tables_;
  Visit visit_;
  std::vector<Calls> tasks_; ///< by number
};

/// The p-quantiles of lengths of which some are only known to be longer: (length, whether it is the whole).
class LengthEstimate {
public:
  void add(std::int64_t length_ns, bool whole) { lengths_.emplace_back(length_ns, whole); }

  /// Quantiles ascending in 0..1, by Kaplan-Meier.
  std::vector<std::int64_t> quantiles(const std::vector<double> &wanted);

private:
  std::vector<std::pair<std::int64_t, bool>> lengths_;
};

/// Reads the recording to its end. Calls that do not touch the range are left out; those that reach beyond it are whole.
Result<Latencies> read_latencies(RecordingReader &reader, const TimeRange &range, const Filter &filter);

} // namespace awaitscope
