#pragma once

#include <string>
#include <vector>

#include "awaitscope/export/html.hpp"

namespace awaitscope::tools {

/// The text of the files in which most was spent. With a folder, from there: a file is where the longest end of its path is found. Else
/// from where the recording names them, on the machine where it was made, and only if they are what ran. What cannot be read is left out.
std::vector<SourceFile> read_sources(const RecordingReader &reader, const CostHistory &history,
                                     const std::string &folder);

} // namespace awaitscope::tools
