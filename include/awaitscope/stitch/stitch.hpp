#pragma once

#include "awaitscope/model/stack.hpp"
#include "awaitscope/model/task.hpp"

namespace awaitscope {

/// Joins a thread's own stack with the tasks that await the one it runs: root task → … → leaf. The frames below the running
/// task's coroutine are the loop's. Without a chain, or if its coroutine is not on the stack, the stack is the thread's.
LogicalStack stitch(const PythonStack &stack, const TaskChain *chain);

/// The same, into memory that is there already.
void stitch(const PythonStack &stack, const TaskChain *chain, LogicalStack &logical);

} // namespace awaitscope
