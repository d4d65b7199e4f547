#pragma once

#include <string>
#include <vector>

#include "awaitscope/export/names.hpp"
#include "awaitscope/report/profile.hpp"

namespace awaitscope {

/// Of weights: times are nanoseconds, and shown in the unit that reads best.
struct SvgUnit {
  std::string text; ///< "samples", "on the CPU"
  bool is_time = false;
};

/// A flame graph as one static picture, root at the top: for wikis and mail. No script, no font of its own; each frame's title says
/// its cost. `unit` is that of the weights, `title` names the recording to people.
std::string svg_flame_graph(const std::vector<WeightedStack> &profile, FrameNames &names, const CodeTable &codes,
                            const std::string &title, const SvgUnit &unit);

} // namespace awaitscope
