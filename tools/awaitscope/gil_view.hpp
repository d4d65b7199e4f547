#pragma once

#include "awaitscope/recording/reader.hpp"
#include "view.hpp"

namespace awaitscope::tools {

/// Who held the GIL while others waited for it.
Result<View> gil_view(RecordingReader &reader, const ViewPlan &plan);

} // namespace awaitscope::tools
