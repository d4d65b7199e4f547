#pragma once

#include <string>
#include <vector>

#include "awaitscope/model/ids.hpp"

namespace awaitscope {

/// Which process was read.
struct ProcessDescription {
  ThreadId pid = 0;
  std::string python; ///< "3.13.0"
  bool free_threaded = false;
  std::string warning; ///< what people should know of how it was read; empty: nothing
  std::string executable;
  std::vector<std::string> command;
};

} // namespace awaitscope
