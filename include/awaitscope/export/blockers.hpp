#pragma once

#include <string>

#include "awaitscope/export/names.hpp"
#include "awaitscope/export/text_table.hpp"
#include "awaitscope/recording/tables.hpp"
#include "awaitscope/report/blockers.hpp"

namespace awaitscope {

/// A table for people of the longest holds.
std::string blockers_text(const LoopHolds &holds, const RecordingTables &tables, const TableLayout &layout,
                          const FrameNames &names);

/// One JSON object, schema 1, with every hold in the order of time.
std::string blockers_json(const LoopHolds &holds, const RecordingTables &tables);

} // namespace awaitscope
