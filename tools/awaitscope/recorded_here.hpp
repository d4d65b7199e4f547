#pragma once

#include <string>
#include <vector>

#include "awaitscope/recording/info.hpp"

namespace awaitscope::tools {

/// What a recording says of its recorder: the version, the command line `words`, and the host (empty if the kernel does not name it).
RecordingInfo recorded_here(const std::vector<std::string> &words);

} // namespace awaitscope::tools
