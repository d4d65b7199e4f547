#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "awaitscope/report/task_tree.hpp"

namespace awaitscope {

enum class DoneTasks : std::uint8_t { hide, show };

struct TasksLayout {
  std::size_t width = 80; ///< columns of the terminal
  DoneTasks done = DoneTasks::hide;
};

/// For people: the tree of who awaits whom, one line each that fits the width: name, state, where it is (stretches of libraries as one),
/// and what it waits for. Done tasks that are hidden are counted in the first line.
std::string tasks_text(const ProcessSnapshot &snapshot, const std::vector<TaskNode> &tree, const CodeTable &codes,
                       const TasksLayout &layout = {});

/// One JSON object, schema 1: process, counts by state, and the tree. A node is a task as in dump --json, with `count`,
/// `also` (the ids of the others of equal shape), `awaits_elsewhere`, `closes_circle` and `children`.
std::string tasks_json(const ProcessSnapshot &snapshot, const std::vector<TaskNode> &tree, const CodeTable &codes);

} // namespace awaitscope
