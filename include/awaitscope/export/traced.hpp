#pragma once

#include <string>
#include <vector>

#include "awaitscope/export/names.hpp"
#include "awaitscope/export/text_table.hpp"
#include "awaitscope/report/traced.hpp"

namespace awaitscope {

/// The table of the first traced functions, for people.
std::string traced_text(const std::vector<TracedFunction> &functions, const TableLayout &layout,
                        const FrameNames &names);

/// {"schema": 1, "traced": true, "functions": […]}
std::string traced_json(const std::vector<TracedFunction> &functions, const CodeTable &codes);

} // namespace awaitscope
