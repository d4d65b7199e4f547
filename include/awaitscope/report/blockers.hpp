#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "awaitscope/integrations/loop_callbacks.hpp"
#include "awaitscope/report/file_origin.hpp"
#include "awaitscope/report/profile.hpp"
#include "awaitscope/report/waits.hpp"

namespace awaitscope {

/// A callback, or a step of a task, in which a thread kept its event loop from running anything else.
///
/// Successive samples of a thread are of one callback if it runs the same task for the same request, the outermost call inside the
/// callback may still be the same one (RecordedCalls), no context was entered or left in between, as each callback of asyncio's and
/// uvloop's does, and the thread was not found waiting for work. So two callbacks in succession are never taken for one, but in recordings
/// that do not know of contexts; and a callback that runs others in contexts of their own (Context.run) is several holds, each of
/// which may be too short to count.
///
/// It begins and ends half-way between the samples that saw it and those around that did not.
struct LoopHold {
  std::int64_t from_ns = 0; ///< since the recording's start
  std::int64_t to_ns = 0;
  bool begun = true; ///< its beginning was seen
  bool ended = true; ///< its end was seen
  std::uint32_t thread = 0;
  std::uint32_t task = 0; ///< that the thread ran; 0: none
  std::uint32_t request = 0;
  std::array<std::uint64_t, k_thread_states> samples_in{}; ///< by what the thread did
  StackId stack = 0;                                       ///< the most frequent one of those that `own` was in most
  std::optional<CodeId> own;                               ///< the innermost function of the project's own code there
  std::int32_t own_line = 0;                               ///< that it executed; 0: not known
  std::uint64_t ready = 0;    ///< tasks of the process that were ready to run meanwhile, as far as changes of tasks say
  std::optional<CodeId> leaf; ///< the innermost function there

  [[nodiscard]] std::int64_t length_ns() const { return to_ns - from_ns; }
  [[nodiscard]] ThreadState state() const; ///< that most samples had
};

/// From when on a hold is shown, unless people say otherwise.
inline constexpr std::int64_t k_long_hold_ns = 50'000'000;

struct LoopHolds {
  std::vector<LoopHold> holds; ///< the longest first
  std::int64_t longer_ns = 0;  ///< than this
  std::int64_t elapsed_ns = 0;
  std::int64_t period_ns = 0;
  std::uint64_t callbacks = 0; ///< samples in callbacks of loops
  bool knows_calls = false;    ///< some samples say which calls go on
  bool knows_tasks = false;    ///< there are changes of tasks
};

/// Finds holds in the samples of a recording.
class HoldFinder {
public:
  /// Only those that are longer, pass the filter, and reach into the range.
  HoldFinder(const RecordingReader &reader, const TimeRange &range, ProfileOptions options, std::int64_t longer_ns)
      : reader_(reader), tables_(reader.tables()), range_(range), options_(std::move(options)),
        callbacks_(tables_.codes), origins_(tables_.codes), tasks_([this](const TaskSpan &span) { add_ready(span); }) {
    found_.longer_ns = longer_ns;
    found_.period_ns = reader.info().period_ns();
  }

  /// The block that the reader is at.
  void add_block();

  /// After the last block.
  LoopHolds finish();

private:
  struct Open {
    LoopHold hold;
    std::map<std::pair<StackId, ThreadState>, SampleRun> runs; ///< one for each, with all its samples
    std::uint64_t sightings = 0;                               ///< ticks that saw it
    std::int64_t last_ns = 0;
    bool active = false;
  };
  void add(const SampleRun &run);
  [[nodiscard]] bool goes_on(const Open &open, const SampleRun &run, std::size_t inside) const;
  void end(Open &open, std::int64_t unseen_ns, bool ended);
  void keep(Open &open);
  std::optional<std::size_t> inside(StackId stack);
  void add_ready(const TaskSpan &span);
  void count_ready();

  const RecordingReader &reader_;
  const RecordingTables &tables_;
  TimeRange range_;
  ProfileOptions options_;
  LoopCallbacks callbacks_;
  CodeOrigins origins_;
  std::unordered_map<ThreadId, Open> threads_; ///< by TID: what a recording calls a thread goes by whom it works for
  std::unordered_map<StackId, std::optional<std::size_t>> inside_; ///< as LoopCallbacks::inside(), by stack
  bool knows_contexts_ = false; ///< the recording says when they are entered and left
  TaskSpans tasks_;
  std::int64_t last_ns_ = 0; ///< of the samples
  /// By process, when tasks became ready and when they were no longer.
  std::map<TextId, std::pair<std::vector<std::int64_t>, std::vector<std::int64_t>>> ready_;
  LoopHolds found_;
};

/// Reads the recording to its end.
Result<LoopHolds> read_loop_holds(RecordingReader &reader, const TimeRange &range, const ProfileOptions &options,
                                  std::int64_t longer_ns);

} // namespace awaitscope
