#pragma once

#include <string>
#include <vector>

#include "awaitscope/export/names.hpp"
#include "awaitscope/report/traced.hpp"

namespace awaitscope {

/// The table of traced functions, for people.
std::string traced_text(const std::vector<TracedFunction> &functions, FrameNames &names);

/// {"schema": 1, "traced": true, "functions": […]}
std::string traced_json(const std::vector<TracedFunction> &functions, const CodeTable &codes);

} // namespace awaitscope
