#pragma once

#include <string>
#include <utility>
#include <vector>

#include "awaitscope/sampler/process_sampler.hpp"
#include "awaitscope/sampler/rate_control.hpp"

namespace awaitscope::tools {

/// What is told of the rate while a recording runs, each thing once: that it was lowered, that the machine cannot hold it.
class PaceNotes {
public:
  explicit PaceNotes(SamplerOptions options) : options_(std::move(options)) {}

  /// To be called a few times a second.
  std::vector<std::string> take(const SamplingTotals &totals);

private:
  SamplerOptions options_;
  LateTicks late_;
  bool lowered_told_ = false;
};

} // namespace awaitscope::tools
