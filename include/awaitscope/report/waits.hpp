#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "awaitscope/recording/tables.hpp"

namespace awaitscope {

/// Turns the changes of tasks into spans of time in which a task was in one state with one stack.
///
/// A change is known to lie between two readings: it counts as in the middle, so that lengths are neither too long nor too short
/// on average. Where there was no reading before (the start of the recording, a task that was there already) it counts as at
/// the reading itself, and the span is cut: it had lasted longer. What has not changed again lasts to the recording's end, and
/// is cut.
struct TaskSpan {
  std::uint32_t task = 0;
  StackId stack = 0;
  TaskState state = TaskState::waiting;
  std::int64_t from_ns = 0; ///< since the recording's start
  std::int64_t to_ns = 0;
  std::int64_t first_seen_ns = 0; ///< the reading that found it
  std::int64_t last_seen_ns = 0;  ///< until then it was so for certain; before first_seen_ns if that alone saw it
  std::uint32_t new_from = 0;     ///< of the change that began it
  std::uint32_t root = 0;         ///< likewise; as RecordedTaskChange
  std::uint32_t root_thread = 0;
  bool begun = true;       ///< the beginning was seen
  bool ended = true;       ///< the end was seen
  bool task_ended = false; ///< with the span
};

class TaskSpans {
public:
  using Visit = std::function<void(const TaskSpan &)>;

  explicit TaskSpans(Visit visit) : visit_(std::move(visit)) {}

  /// In the order of the recording. A `done` task begins no span.
  void add(const RecordedTaskChange &change);

  /// The recording's end.
  void finish(std::int64_t end_ns);

private:
  struct Open {
    TaskSpan span;
    bool active = false;
    bool left_out = false;
  };
  void visit(const Open &open) {
    if (!open.left_out) {
      visit_(open.span);
    }
  }

  Visit visit_;
  std::vector<Open> open_; ///< by task
};

} // namespace awaitscope
