#pragma once

#include <optional>

#include <nlohmann/json.hpp>

#include "awaitscope/model/code_table.hpp"
#include "awaitscope/model/process_snapshot.hpp"

namespace awaitscope {

/// What dump and tasks both say, in the same words.
nlohmann::ordered_json process_json(const ProcessDescription &process);
nlohmann::ordered_json task_json(const ProcessSnapshot &snapshot, const TaskSnapshot &task, const CodeTable &codes);

std::string_view name_of(TaskState state);
std::string id_text(Address id);

/// The thread whose loop runs the task.
std::optional<ThreadId> thread_of(const ProcessSnapshot &snapshot, const TaskSnapshot &task);

/// The thread that works for a task which is suspended until it is done.
std::optional<ThreadId> hop_of(const ProcessSnapshot &snapshot, const TaskSnapshot &task);

} // namespace awaitscope
