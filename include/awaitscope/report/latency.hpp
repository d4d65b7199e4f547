#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "awaitscope/report/call_spans.hpp"
#include "awaitscope/report/length_estimate.hpp"
#include "awaitscope/report/profile.hpp"
#include "awaitscope/report/table_order.hpp"

namespace awaitscope {

/// What the calls of one function took.
///
/// The rule for calls that the recording cuts. A call that still ran at the recording's end took longer than what was seen of
/// it. Left out, long calls would be missing more often than short ones, and percentiles would be too low; taken at the length
/// seen, likewise. So it counts as censored: percentiles are those of the Kaplan-Meier estimate, which asks at each length, of
/// the calls known to have lasted so long, what part ended just here. A call that ran already at the first look is left out of
/// percentiles: such calls are the long ones more often than not (of those that last a minute, one is always running), and how
/// long they had lasted is not known. What remains is every call that began while it was watched: a fair sample.
/// Where the estimate does not come down to a percentile, because most calls were cut, the longest length that was seen stands
/// in its place: a lower bound (Length::Is::longer). Without any call that began while it was watched there is no percentile.
///
/// Calls that are shorter than the time between two readings are mostly not seen; one that is, is seen by one reading alone.
/// Its length counts as the time to the reading before or to the next one, whichever is shorter, and is marked as an upper
/// bound (Length::Is::shorter). It is not a strict one: the call lies between those two readings, and may be up to the sum of
/// both; but the longer it is than one, the more likely two see it. Of shorter calls, the longer are seen more often.
/// The mean is that of whole calls, CPU time and await are of all that was seen.
struct FunctionLatency {
  CodeId code = 0;
  std::uint64_t calls = 0; ///< with those that are cut
  std::uint64_t cut = 0;   ///< at either end
  std::uint64_t begun = 0; ///< while it was watched: those that percentiles are of
  bool project = false;    ///< it is the project's own code
  bool entry = false;      ///< most of its calls are CallSpan::entry
  std::uint64_t brief = 0; ///< seen by one reading alone
  bool merged = false; ///< calls that nothing tells apart: several may count as one, and percentiles are upper bounds
  std::optional<std::int64_t> mean_ns; ///< none without whole calls
  std::optional<Length> p50;           ///< none without calls that began inside the recording; so too the others
  std::optional<Length> p95;
  std::optional<Length> p99;
  std::int64_t max_ns = 0; ///< of all, those that are cut at the length that was seen
  Length::Is max_is = Length::Is::measured;
  std::uint64_t cpu_ns = 0; ///< of the samples inside the range in whose task's own frames it was
  /// By samples, as CPU time, at the sampling period each: its thread could run and had no CPU; waited for the GIL; or was blocked,
  /// in a call or for a lock.
  std::uint64_t runnable_ns = 0;
  std::uint64_t gil_ns = 0;
  std::uint64_t blocked_ns = 0;
  std::vector<std::pair<CodeId, std::uint64_t>> blocked_in; ///< functions below it that were blocked, the longest first
  std::uint64_t await_ns = 0;
  /// What it awaited, the longest first: the innermost coroutine below it; where it was that itself, the task that it waited
  /// for, if that is known (TaskChange has the stacks of such tasks under its own). Never itself.
  std::vector<AwaitedTime> await_on;
};

struct Latencies {
  /// Calls shorter than this are mostly not seen: the time between two readings that nine of ten changes were found within, at
  /// least the sampling period (the mean one if the rate was lowered).
  std::int64_t resolution_ns = 0;
  std::vector<FunctionLatency> functions;
  std::uint64_t task_changes = 0;
  bool plain_calls = false; ///< the recording knows of calls of plain functions
  bool traced = false;      ///< every call was counted, and no sample was taken
};

/// A call that counts, its length as it counts, and the number of its task, if it is a coroutine's.
struct MeasuredCall {
  const CallSpan &span;
  Length length;
  std::optional<std::uint32_t> task;
};

/// For views that read more than this while they go through a recording.
class LatencyBuilder {
public:
  /// Calls come in the order of their ends in each task and thread, those of a call before it.
  using Visit = std::function<void(const MeasuredCall &call)>;

  /// Calls that do not touch the range are left out; those that reach beyond it are whole.
  LatencyBuilder(const RecordingReader &reader, const TimeRange &range, const Filter &filter, Visit visit);
  LatencyBuilder(const LatencyBuilder &) = delete;
  LatencyBuilder &operator=(const LatencyBuilder &) = delete;
  ~LatencyBuilder();

  /// The block that the reader is at. Errors: it becomes too large (RowBudget).
  Result<void> add_block();

  /// After the last block. The functions whose calls took most time together come first, unless the order is another.
  Latencies finish(TableOrder order = TableOrder::usual);

private:
  class Reading;
  std::unique_ptr<Reading> reading_;
};

/// Reads the recording to its end. Calls that do not touch the range are left out; those that reach beyond it are whole.
/// The functions whose calls took most time together come first, unless the order is another.
Result<Latencies> read_latencies(RecordingReader &reader, const TimeRange &range, const Filter &filter,
                                 TableOrder order = TableOrder::usual);

} // namespace awaitscope
