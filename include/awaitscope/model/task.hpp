#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "awaitscope/model/ids.hpp"
#include "awaitscope/model/request.hpp"
#include "awaitscope/model/stack.hpp"

namespace awaitscope {

/// Frames of the sampled thread's own stack, in a segment.
struct OwnFrames {
  std::size_t at = 0;    ///< index of the first one in the segment
  std::size_t first = 0; ///< index of the same one in the thread's stack
  std::size_t count = 0;
};

/// One stretch of a logical stack: the frames of a task, or of a thread.
struct StackSegment {
  std::vector<Frame> frames;    ///< root first; those of machinery are of kind loop
  bool begins_task = false;     ///< a task begins here, with `coroutine`
  CodeId coroutine = 0;         ///< names the task's coroutine
  bool missing_above = false;   ///< what it stands under could not be read
  RequestSight request;         ///< that these frames work for
  std::vector<OwnFrames> own{}; ///< in order
};

/// Where what a thread does comes from: through the tasks that await each other, and from thread to thread.
struct Lineage {
  std::vector<StackSegment> segments; ///< leaf first
  Address running_task = 0;           ///< that the thread runs; 0 if it runs none
  Address root_thread = 0;            ///< the thread state at the root; 0 if a task is
  Address root_task = 0;              ///< the task at the root; 0 if a thread is
  std::string root_name;              ///< the name that the program gave the root task; empty if it gave none
  RequestSight request;               ///< of the outermost segment that has one

  /// Keeps the memory of the segments' list.
  void clear() {
    segments.clear();
    running_task = root_thread = root_task = 0;
    root_name.clear();
    request = {};
  }
};

enum class TaskState : std::uint8_t { running, ready, waiting, done };

/// One task of a snapshot.
struct TaskSnapshot {
  Address id = 0;
  std::string name;
  CodeId coroutine = 0;
  Address coroutine_frame = 0;
  Address loop = 0;
  TaskState state = TaskState::waiting;
  std::vector<Frame> frames; ///< outermost first, to the innermost awaitable
  std::vector<Address> awaited_by;
  bool owner_elsewhere =
      false; ///< the first of awaited_by owns a group that this task is in, and does not wait for it yet
  std::optional<std::int64_t> suspended_since_ns; ///< CLOCK_MONOTONIC; none: not known
};

} // namespace awaitscope
