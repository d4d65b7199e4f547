#pragma once

#include <string>

#include "awaitscope/model/code_table.hpp"
#include "awaitscope/model/process_snapshot.hpp"

namespace awaitscope {

/// For people: each thread and each task with its stack, root first.
std::string dump_text(const ProcessSnapshot &snapshot, const CodeTable &codes);

/// One JSON object, schema 1.
std::string dump_json(const ProcessSnapshot &snapshot, const CodeTable &codes);

} // namespace awaitscope
