#pragma once

#include <string>
#include <vector>

#include "awaitscope/model/sample.hpp"
#include "record_plan.hpp"
#include "shared_recording.hpp"

namespace awaitscope::tools {

/// Up to three lines, each of up to 80 columns as long as the name of the output is short: figures; what was written; what to do with it.
std::vector<std::string> short_summary(const RecordPlan &plan, const Sampled &sampled, const View &view);

/// For --verbose, one line: ticks, engine, losses by reason, what the sampling took.
std::string detailed_summary(const RecordPlan &plan, const Sampled &sampled);

/// Prints warnings of the sampling and of the view, and the summary.
void say_outcome(const RecordOptions &options, const RecordPlan &plan, const Sampled &sampled, const View &view);

} // namespace awaitscope::tools
