#pragma once

#include <string>

#include "awaitscope/export/names.hpp"
#include "awaitscope/report/timeline.hpp"

namespace awaitscope {

/// A file of speedscope (its file-format-schema.json): a sampled profile for each thread and each kind of task, in the order of
/// time; weights in the metric's own unit. `source` names the recording to people.
Result<std::string> speedscope_json(const RecordingReader &reader, const Timeline &timeline,
                                    const ProfileOptions &options, const NameOptions &names, const std::string &source);

} // namespace awaitscope
