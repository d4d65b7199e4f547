#pragma once

#include <string>
#include <vector>

#include "awaitscope/export/names.hpp"
#include "awaitscope/report/profile.hpp"

namespace awaitscope {

/// Folded stacks, the input of flame-graph tools: `frame;frame;…;frame COUNT`, root first, sorted, one line for each
/// distinct stack. ';' and control characters inside a name are replaced, so that a line always parses.
std::string folded_text(const std::vector<WeightedStack> &profile, FrameNames &names);

} // namespace awaitscope
