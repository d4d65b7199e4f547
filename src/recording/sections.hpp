#pragma once

#include "awaitscope/recording/block.hpp"

/// The contents of each kind of section, beside the functions of block.hpp that write it.
namespace awaitscope::block {

bool take_texts(std::string_view contents, RecordingTables &tables);
bool take_codes(std::string_view contents, RecordingTables &tables);
bool take_stacks(std::string_view contents, RecordingTables &tables);
bool take_threads(std::string_view contents, RecordingTables &tables);
bool take_tasks(std::string_view contents, RecordingTables &tables);
bool take_requests(std::string_view contents, RecordingTables &tables);
bool take_keys(std::string_view contents, RecordingTables &tables);
bool take_facts(std::string_view contents, RecordingTables &tables);
bool take_seen_calls(std::string_view contents, const RecordingTables &tables, std::size_t samples,
                     std::vector<RecordedSeenCall> &rows);
bool take_traced_calls(std::string_view contents, std::int64_t unit_ns, const RecordingTables &tables,
                       std::vector<RecordedTracedCall> &rows);
bool take_lost_calls(std::string_view contents, const RecordingTables &tables, std::vector<RecordedLostCalls> &rows);
bool take_samples(std::string_view contents, std::int64_t unit_ns, const RecordingTables &tables,
                  std::vector<SampleRun> &rows);
bool take_task_changes(std::string_view contents, std::int64_t unit_ns, const RecordingTables &tables,
                       std::vector<RecordedTaskChange> &rows);

} // namespace awaitscope::block
