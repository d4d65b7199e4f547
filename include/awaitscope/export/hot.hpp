#pragma once

#include <string>

#include "awaitscope/export/names.hpp"
#include "awaitscope/recording/info.hpp"
#include "awaitscope/report/hot.hpp"

namespace awaitscope {

/// A table for people of the first functions. Events are called by their name.
std::string hot_text(const HotFunctions &hot, Metric metric, const RecordingInfo &info, FrameNames &names);

/// One JSON object, schema 1, with every function.
std::string hot_json(const HotFunctions &hot, Metric metric, const RecordingInfo &info, const CodeTable &codes);

} // namespace awaitscope
