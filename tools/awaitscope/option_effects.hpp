#pragma once

#include "view.hpp"

namespace awaitscope::tools {

/// Refuses, as wrong usage, an option of views that has no effect on the output in this format.
Result<void> check_effects(Format format, const ViewOptions &options);

/// Refuses --interpreter-frames without --native.
Result<void> check_native(bool native, bool interpreter_frames);

} // namespace awaitscope::tools
