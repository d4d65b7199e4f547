#pragma once

#include <string>

#include "awaitscope/export/names.hpp"
#include "awaitscope/recording/reader.hpp"
#include "awaitscope/report/cost_history.hpp"

namespace awaitscope {

/// One self-contained page: flame graph, functions and time, by every metric that the recording has. It loads nothing, and its
/// Content-Security-Policy allows its own script and style alone. `first` is the metric that it begins with; `subject` names what was
/// recorded to people, `source` the recording. The reader has read to the end.
std::string html_page(const RecordingReader &reader, const CostHistory &history, Metric first, const NameOptions &names,
                      const std::string &subject, const std::string &source);

} // namespace awaitscope
