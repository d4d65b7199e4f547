#pragma once

#include <string>

#include "awaitscope/export/names.hpp"
#include "awaitscope/export/text_table.hpp"
#include "awaitscope/recording/tables.hpp"
#include "awaitscope/report/request_steps.hpp"

namespace awaitscope {

/// A waterfall for people: each step with a bar that shows when it was.
std::string request_text(const RequestHistory &history, const RecordingTables &tables, const TableLayout &layout,
                         const FrameNames &names);

/// One JSON object, schema 1, with every step.
std::string request_json(const RequestHistory &history, const RecordingTables &tables);

} // namespace awaitscope
