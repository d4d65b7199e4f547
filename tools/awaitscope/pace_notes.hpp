#pragma once

#include <string>
#include <utility>
#include <vector>

#include "awaitscope/sampler/process_sampler.hpp"
#include "awaitscope/sampler/rate_control.hpp"

namespace awaitscope::tools {

/// What to warn of about the rate, each thing once: while a recording runs, that the rate was lowered or cannot be kept, and at
/// its end how much was missed. Only the end has numbers, those of the summary and of the recording.
class PaceNotes {
public:
  explicit PaceNotes(SamplerOptions options) : options_(std::move(options)) {}

  /// To be called a few times a second.
  std::vector<std::string> take(const SamplingTotals &totals);

  /// At the end; empty if the rate was kept.
  [[nodiscard]] std::string finish(const SamplingTotals &totals) const;

private:
  SamplerOptions options_;
  LateTicks late_;
  bool lowered_noted_ = false;
  bool missed_noted_ = false;
};

} // namespace awaitscope::tools
