#pragma once

#include <array>
#include <optional>

#include "awaitscope/model/process_snapshot.hpp"

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

} // namespace awaitscope
