#pragma once

#include <string>

#include "awaitscope/recording/reader.hpp"
#include "view.hpp"

namespace awaitscope::tools {

/// Why a view of a recording, which has been read to its end, shows nothing: one warning, with the names that the recording has
/// where a filter matches none of them.
std::string why_empty(const RecordingReader &reader, const ViewPlan &plan);

} // namespace awaitscope::tools
