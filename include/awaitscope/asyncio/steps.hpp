#pragma once

#include <optional>
#include <unordered_map>

#include "awaitscope/asyncio/task_reader.hpp"

namespace awaitscope {

/// What lies below a task's coroutine on the stack of the thread that runs it. A step that a loop runs stands on the loop's
/// machinery. But a task may begin inside the call that makes it (eager tasks, 3.12+), and a loop may be run inside a task
/// (nest_asyncio): then the frames below are the callers.
class StepReader {
public:
  StepReader(ObjectReader &objects, TaskReader &tasks) : objects_(objects), tasks_(tasks), roles_(tasks.roles()) {}

  /// Did a call begin the task whose coroutine is at this index, and not a loop? Where a loop has frames, one that runs each
  /// callback is right below every step of its own; of another loop (uvloop), only asyncio's functions are known to begin tasks.
  bool begins_in_call(const PythonStack &stack, std::size_t index);

  struct Entry {
    Address task = 0; ///< 0: one that has just begun in the call below, which nobody can await yet
    Address coroutine = 0;
  };
  /// The task whose coroutine is at this index, if it is one, of a thread that may be in several: only the innermost counts as
  /// its current one.
  std::optional<Entry> entry(const PythonStack &stack, std::size_t index);

  /// Where the call that runs a loop until this task is done begins, below the index, if it is itself in a task: what is
  /// below are the task's callers. 0 if there are none.
  std::size_t callers_of_loop(const PythonStack &stack, std::size_t index, Address task);

private:
  std::size_t below_step(const PythonStack &stack, std::size_t index);
  Address task_of_step(const PythonStack &stack, std::size_t index, std::size_t below);
  Address task_of_callback(Address callback);
  Address task_of_coroutine(Address frame);
  FunctionRole role(const PythonStack &stack, std::size_t index) { return roles_.role(stack.frames[index].frame); }

  ObjectReader &objects_;
  TaskReader &tasks_;
  FunctionRoles &roles_;
  std::unordered_map<Address, Address> found_; ///< the task of a coroutine's frame; checked at each use
};

} // namespace awaitscope
