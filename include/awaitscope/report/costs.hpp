#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <string_view>
#include <unordered_map>

#include "awaitscope/recording/reader.hpp"
#include "awaitscope/report/cpu_estimate.hpp"
#include "awaitscope/report/waits.hpp"

namespace awaitscope {

/// What something cost, by every metric of a recording.
struct Cost {
  std::uint64_t samples = 0;
  std::uint64_t cpu_ns = 0; ///< by CpuEstimate
  std::uint64_t events = 0;
  std::uint64_t await_ns = 0; ///< that tasks spent suspended

  Cost &operator+=(const Cost &other);
};

enum class Metric : std::uint8_t { wall, cpu, events, await };

std::uint64_t value_of(const Cost &cost, Metric metric);

/// As --metric calls it.
std::string_view name_of(Metric metric);

/// A part of a recording, in nanoseconds since its start; both ends belong to it.
struct TimeRange {
  std::int64_t since_ns = 0;
  std::int64_t until_ns = std::numeric_limits<std::int64_t>::max();

  [[nodiscard]] bool everything() const {
    return since_ns <= 0 && until_ns == std::numeric_limits<std::int64_t>::max();
  }
  /// How much of a span lies inside.
  [[nodiscard]] std::int64_t overlap(std::int64_t from_ns, std::int64_t to_ns) const;
};

/// The costs of a run of samples inside a range, without CPU time; none of one that is left out. The times of a run's samples are not kept, but the first and
/// the last: those between count as evenly spread, and events as spread over them.
Cost cost_within(const SampleRun &run, const TimeRange &range);

/// The costs of each stack, in memory that grows with distinct stacks and not with samples.
class StackCosts {
public:
  /// What stacks are told apart by, besides their frames.
  struct Key {
    std::uint32_t thread = 0; ///< index into the tables; 0 also for a suspended task under no thread
    TextId task_name = 0;     ///< the root's
    StackId stack = 0;
    ThreadState state = ThreadState::running;
    bool in_task = false;
    bool suspended = false; ///< a task's stack while it waited
    CodeId coroutine = 0;   ///< of a suspended task; and its process
    TextId process = 0;
    bool operator==(const Key &) const = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key &key) const;
  };
  using Map = std::unordered_map<Key, Cost, KeyHash>;

  void add(const RecordingTables &tables, const SampleRun &run, const TimeRange &range);
  /// After the last row: shares the CPU time.
  void finish(const RecordingReader &reader, const TimeRange &range);
  void add_wait(const RecordingTables &tables, const TaskSpan &span, std::uint64_t waited_ns);

  [[nodiscard]] const Map &stacks() const { return stacks_; }
  [[nodiscard]] const Cost &sum() const { return sum_; }

  /// CPU time (see CpuEstimate) and events that no sample stands for. 0 unless the whole recording was read.
  Cost unsampled;
  std::array<std::uint64_t, k_thread_states> samples_in{}; ///< by what the thread did
  std::int64_t last_ns = 0;                                ///< when the last sample was taken, since the start
  std::uint64_t task_changes = 0;

private:
  Map stacks_;
  Cost sum_;
  CpuEstimate cpu_;
};

StackCosts::Key key_of(const RecordingTables &tables, const SampleRun &run);
StackCosts::Key key_of_wait(const RecordingTables &tables, const TaskSpan &span);

/// Events that the kernel counted in all, less those that samples carry.
std::uint64_t unsampled_events(const SamplingTotals &totals, std::uint64_t sampled);

/// Reads the recording to its end.
Result<StackCosts> read_costs(RecordingReader &reader, const TimeRange &range);

} // namespace awaitscope
