#pragma once

#include <string>

#include "awaitscope/export/html.hpp"
#include "page_labels.hpp"

namespace awaitscope {

/// The source files: {files: [{name, lines, differs}], nodes: [node less the one before, file, line, …]}; "null" without any.
std::string page_sources(const RecordingReader &reader, const PageContents &contents, const NameOptions &names);

} // namespace awaitscope
