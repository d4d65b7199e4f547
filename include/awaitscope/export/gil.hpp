#pragma once

#include <string>

#include "awaitscope/export/names.hpp"
#include "awaitscope/export/text_table.hpp"
#include "awaitscope/report/gil_waits.hpp"

namespace awaitscope {

/// A table for people: who held the GIL while who waited for it, and in what.
std::string gil_text(const GilWaits &waits, const TableLayout &layout, const FrameNames &names);

/// One JSON object, schema 1.
std::string gil_json(const GilWaits &waits, const CodeTable &codes);

} // namespace awaitscope
