#pragma once

#include <string>

#include "awaitscope/export/names.hpp"
#include "awaitscope/export/text_table.hpp"
#include "awaitscope/report/queries.hpp"

namespace awaitscope {

/// A table for people of the first statements.
std::string queries_text(const QueryCosts &costs, const TableLayout &layout, const FrameNames &names);

/// One JSON object, schema 1, with every statement.
std::string queries_json(const QueryCosts &costs, const CodeTable &codes);

} // namespace awaitscope
