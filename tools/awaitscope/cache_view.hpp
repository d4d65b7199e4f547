#pragma once

#include "awaitscope/recording/reader.hpp"
#include "view.hpp"

namespace awaitscope::tools {

/// The table of functions of which every call was counted.
Result<View> traced_view(RecordingReader &reader, const ViewPlan &plan);

/// What caches would save.
Result<View> cache_view(RecordingReader &reader, const ViewPlan &plan);

} // namespace awaitscope::tools
