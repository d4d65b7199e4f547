#pragma once

#include <array>
#include <optional>

#include "awaitscope/export/snapshot_json.hpp"
#include "awaitscope/model/process_snapshot.hpp"
#include "awaitscope/report/task_tree.hpp"
#include "awaitscope/report/wait_kinds.hpp"

namespace awaitscope {

inline constexpr std::array k_task_states{TaskState::running, TaskState::ready, TaskState::waiting, TaskState::done};

/// By state.
inline std::array<std::size_t, k_task_states.size()> counts_of(const ProcessSnapshot &snapshot) {
  std::array<std::size_t, k_task_states.size()> counts{};
  for (const TaskSnapshot &task : snapshot.tasks) {
    ++counts.at(static_cast<std::size_t>(task.state));
  }
  return counts;
}

/// How long the task has been suspended, where its coroutine tells (TaskReader).
inline std::optional<double> suspended_seconds(const ProcessSnapshot &snapshot, const TaskSnapshot &task) {
  if (!task.suspended_since_ns || *task.suspended_since_ns > snapshot.taken_ns) {
    return std::nullopt;
  }
  return static_cast<double>(snapshot.taken_ns - *task.suspended_since_ns) / 1e9;
}

/// How many tasks of its own each task of the node awaits directly; those of a group that it has not come to wait for are none.
inline std::size_t awaited_below(const ProcessSnapshot &snapshot, const TaskNode &node) {
  std::size_t below = 0;
  for (const TaskNode &child : node.children) {
    below += snapshot.tasks[child.tasks.front()].owner_elsewhere ? 0 : child.tasks.size();
  }
  return below / node.tasks.size();
}

/// What the tasks of a node wait for; nothing if they do not wait.
inline std::optional<WaitKind> wait_of(const ProcessSnapshot &snapshot, const TaskNode &node, WaitKinds &kinds) {
  const TaskSnapshot &task = snapshot.tasks[node.tasks.front()];
  if (task.state != TaskState::waiting) {
    return std::nullopt;
  }
  if (hop_of(snapshot, task)) {
    return WaitKind::executor;
  }
  const bool for_tasks = node.closes_circle || !node.elsewhere.empty() || awaited_below(snapshot, node) > 0;
  return for_tasks ? WaitKind::task : kinds.kind_of(task.frames);
}

} // namespace awaitscope
