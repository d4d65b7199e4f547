#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "awaitscope/model/code_table.hpp"
#include "awaitscope/report/cost_history.hpp"

namespace awaitscope {

/// The source files (.py) in which most was spent outside of calls, by CPU time, or by samples where there is none.
std::vector<std::string> hottest_files(const CostHistory &history, const CodeTable &codes, std::size_t most);

/// Whether the text defines the functions that a recording has of this file where that has them: it is the version that ran, as far as
/// they tell.
bool defines_functions(const std::vector<std::string> &lines, const std::string &file, const CodeTable &codes);

} // namespace awaitscope
