#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "awaitscope/report/profile.hpp"
#include "awaitscope/report/time_grid.hpp"

namespace awaitscope {

/// What each stack cost, by every metric, in each part of the recorded time: for a view in which people choose metric and time
/// themselves. The stacks are a tree of process (if there are several), thread, task and frames.
///
/// Its size is bounded, whatever the recording's length, by the number of different stacks: the parts of time grow until there are few
/// enough of them.
struct CostHistory {
  static constexpr std::size_t k_metrics = 4;
  static constexpr std::size_t k_most_bins = 400;
  static constexpr std::size_t k_most_cells =
      200'000; ///< a cell: what one stack of one thread cost in one bin; or two a stack

  enum class Level : std::uint8_t { root, process, thread, task, frame };
  struct Node {
    std::uint32_t parent = 0; ///< comes before it
    Level level = Level::root;
    std::uint32_t name = 0; ///< index into `names`, but for a frame
    Frame frame{};
  };
  struct Entry {
    std::uint32_t node = 0;
    std::uint64_t value = 0;
  };
  using Bin = std::vector<Entry>; ///< by node, each once

  std::vector<Node> nodes; ///< the first is the root
  std::vector<std::string> names;
  std::int64_t bin_ns = 0;                      ///< the first bin begins with the recording
  std::array<std::vector<Bin>, k_metrics> bins; ///< by Metric; as many for each
  std::vector<std::array<std::uint64_t, k_thread_states>>
      states; ///< samples of Metric::wall in each bin, by what the thread did
  TimeGrid grid;
  std::array<std::uint64_t, k_metrics>
      unsampled{}; ///< as StackCosts::unsampled; only of a whole recording without a filter
  std::uint64_t task_changes = 0;
  bool empty = true;
};

/// Whether stacks differ by the lines that their outer frames are at, or by that of the innermost one alone.
enum class CallerLines : std::uint8_t { kept, dropped };

/// For views that read more than this while they go through a recording.
class CostHistoryBuilder {
public:
  /// The metric of the options has no effect.
  CostHistoryBuilder(const RecordingReader &reader, const TimeRange &range, const ProfileOptions &options,
                     CallerLines lines);
  CostHistoryBuilder(const CostHistoryBuilder &) = delete;
  CostHistoryBuilder &operator=(const CostHistoryBuilder &) = delete;
  ~CostHistoryBuilder();

  /// The block that the reader is at.
  void add_block();

  /// After the last block.
  CostHistory finish();

private:
  class Reading;
  std::unique_ptr<Reading> reading_;
};

/// Reads the recording to its end. The metric of the options has no effect. Errors: those of reading.
Result<CostHistory> read_cost_history(RecordingReader &reader, const TimeRange &range, const ProfileOptions &options);

} // namespace awaitscope
