#pragma once

#include <string>
#include <vector>

#include "awaitscope/model/ids.hpp"
#include "awaitscope/model/stack.hpp"

namespace awaitscope {

/// One asyncio task on the way from the running task up to its root.
struct TaskLink {
  Address task = 0;
  CodeId coroutine = 0;          ///< names the task's coroutine
  Address coroutine_frame = 0;   ///< where the coroutine's own frame lies; 0 if it has none
  std::vector<Frame> frames;     ///< suspended frames, outermost first; empty for the running task
  bool unreadable_above = false; ///< who awaits this task could not be read
};

/// The running task first, then the task that awaits it, up to the root.
struct TaskChain {
  std::vector<TaskLink> links;
  std::string root_name; ///< the name that the program gave the root task; empty if it gave none
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
  Address worker_future = 0; ///< the concurrent.futures.Future that a worker thread computes for it; 0: none
};

} // namespace awaitscope
