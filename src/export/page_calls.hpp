#pragma once

#include <string>

#include "awaitscope/export/html.hpp"
#include "page_labels.hpp"

namespace awaitscope {

/// How long calls took: {resolution_ns, rows, calls, slowest}; "null" if that is not known.
std::string page_calls(const PageContents &contents, PageLabels &labels);

} // namespace awaitscope
