#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "awaitscope/model/sample.hpp"
#include "record_plan.hpp"
#include "shared_recording.hpp"

namespace awaitscope::tools {

/// The part of the samples that were due and are not there, in percent.
double lost_percent(const SamplingTotals &totals, std::uint64_t samples);

/// How much longer the processes took for what they did, in percent: the time for which threads were held, of the time that they
/// had. An estimate: a thread that was held may have had nothing to do, or another one may have run instead.
double slowdown_percent(const SamplingTotals &totals);

/// "late 3, moved 1"; "none".
std::string losses(const SamplingTotals &totals);

/// Up to three lines, each of up to 80 columns as long as the name of the output is short: figures; what was written; what to do with it.
std::vector<std::string> short_summary(const RecordPlan &plan, const Sampled &sampled, const View &view);

/// For --verbose, one line: ticks, engine, losses by reason, what the sampling took.
std::string detailed_summary(const RecordPlan &plan, const Sampled &sampled);

/// Prints warnings of the sampling and of the view, and the summary.
void say_outcome(const RecordOptions &options, const RecordPlan &plan, const Sampled &sampled, const View &view);

} // namespace awaitscope::tools
