#pragma once

#include <string>
#include <vector>

#include "awaitscope/report/task_tree.hpp"

namespace awaitscope {

/// For people: the tree of who awaits whom, each task with its state and where it is.
std::string tasks_text(const ProcessSnapshot &snapshot, const std::vector<TaskNode> &tree, const CodeTable &codes);

/// One JSON object, schema 1: process, counts by state, and the tree. A node is a task as in dump --json, with `count`,
/// `also` (the ids of the others of equal shape), `awaits_elsewhere`, `closes_circle` and `children`.
std::string tasks_json(const ProcessSnapshot &snapshot, const std::vector<TaskNode> &tree, const CodeTable &codes);

} // namespace awaitscope
