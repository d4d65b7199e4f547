#pragma once

#include <string>

#include "awaitscope/model/ids.hpp"

namespace awaitscope::tools {

/// What a recording that nobody named is called: awaitscope-PID-YYYYmmdd-HHMMSS.ascope, in local time.
std::string recording_name(ThreadId pid);

} // namespace awaitscope::tools
