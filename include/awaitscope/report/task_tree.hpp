#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "awaitscope/model/code_table.hpp"
#include "awaitscope/model/process_snapshot.hpp"

namespace awaitscope {

/// A task, or several of equal shape, with the tasks below it that it awaits and that stand under no other: of a node of
/// several, those of all of them, folded likewise. However deep: its end does not recurse.
struct TaskNode {
  TaskNode() = default;
  TaskNode(TaskNode &&) noexcept = default;
  TaskNode &operator=(TaskNode &&) noexcept = default;
  ~TaskNode();

  std::vector<std::size_t> tasks; ///< indexes into ProcessSnapshot::tasks; the first stands for all
  std::vector<TaskNode> children;
  std::vector<Address> elsewhere;        ///< it awaits these too, but they stand below another task
  TaskState liveliest = TaskState::done; ///< of its tasks and all below: running before ready, waiting and done
  bool closes_circle = false;            ///< it is awaited by a task below it
};

enum class EqualTasks : std::uint8_t { fold, keep };

/// Who awaits whom, from the roots (tasks that no task awaits) to the leaves. Each task is in it once: of the tasks that await
/// it, below the one whose callback was added first (as in a recording). Tasks that await each other in a circle hang from the one with the lowest address.
/// Siblings are of equal shape if their coroutines, states and frames are equal and their children's shapes are; names that
/// the program gave do not count. First the trees with a task that runs, then those with one that is ready, waits, is done; the largest
/// groups first, then in the order of names.
///
/// With `text` only those remain that have it in a name, a function or a file, with all that they stand under and that stands
/// below them.
std::vector<TaskNode> task_tree(const ProcessSnapshot &snapshot, const CodeTable &codes, EqualTasks equal,
                                const std::string &text);

} // namespace awaitscope
