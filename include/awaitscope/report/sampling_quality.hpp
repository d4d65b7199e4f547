#pragma once

#include <cstdint>
#include <string>

#include "awaitscope/model/sample.hpp"

// What a recording lacks, and what it cost the processes: the same figures in every message and view.
namespace awaitscope {

/// The part of the samples that were due and are not there, in percent.
double lost_percent(const SamplingTotals &totals, std::uint64_t samples);

/// How much longer the processes took for what they did, in percent: the time for which threads were held, of the time that they
/// had. An estimate: a thread that was held may have had nothing to do, or another one may have run instead.
double slowdown_percent(const SamplingTotals &totals);

/// slowdown_percent() in words: "about 0.2 %", "under 0.1 %", "none".
std::string slowdown_text(const SamplingTotals &totals);

/// "3 late, 1 moved": those that there are. "none".
std::string losses(const SamplingTotals &totals);

/// "0.2 %"; "under 0.1 %": nothing and next to nothing are not the same.
std::string rounded_percent(double percent);

} // namespace awaitscope
