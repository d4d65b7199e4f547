#pragma once

#include "awaitscope/recording/block.hpp"

/// The contents of each kind of section, beside the functions of block.hpp that write it.
namespace awaitscope::block {

bool take_texts(std::string_view contents, RecordingTables &tables);
bool take_codes(std::string_view contents, RecordingTables &tables);
bool take_stacks(std::string_view contents, RecordingTables &tables);
bool take_threads(std::string_view contents, RecordingTables &tables);
bool take_tasks(std::string_view contents, RecordingTables &tables);
bool take_samples(std::string_view contents, std::int64_t unit_ns, const RecordingTables &tables,
                  std::vector<SampleRun> &rows);
bool take_task_changes(std::string_view contents, std::int64_t unit_ns, const RecordingTables &tables,
                       std::vector<RecordedTaskChange> &rows);

} // namespace awaitscope::block
