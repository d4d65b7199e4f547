#pragma once

#include <string>

#include "awaitscope/export/html.hpp"
#include "page_labels.hpp"

namespace awaitscope {

/// What held event loops: {longer_ns, count, rows: [{label, from, to, begun, ended, state, task, route, thread}]}, the rows being
/// the longest of them. Times are nanoseconds
/// since the recording's start; the label is null if no function is known.
std::string page_holds(const RecordingReader &reader, const PageContents &contents, PageLabels &labels);

} // namespace awaitscope
