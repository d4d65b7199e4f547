#pragma once

#include <string>

#include "awaitscope/recording/reader.hpp"
#include "view.hpp"

namespace awaitscope::tools {

/// "gunicorn 4711"
std::string subject_of(const RecordingInfo &info);

/// What functions are ranked by.
std::string quantity_of(Metric metric, const RecordingInfo &info);

/// The table of functions, as text or as JSON. The reader has read to the end.
Result<View> hot_view(const RecordingReader &reader, const ViewPlan &plan, const StackCosts &costs,
                      const FrameNames &names);

} // namespace awaitscope::tools
