#pragma once

#include <string>

#include "page_labels.hpp"

namespace awaitscope {

/// The tree of stacks: [its number less its parent's, label, …].
std::string page_nodes(const CostHistory &history, PageLabels &labels);

/// Samples in each part of the time by what the thread did: a list for each part, as long as there are states.
std::string page_states(const CostHistory &history);

/// What the nodes cost in each part of the time, by the metrics that have anything, and by samples in any case.
std::string page_metrics(const RecordingReader &reader, const CostHistory &history);

} // namespace awaitscope
