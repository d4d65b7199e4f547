#pragma once

#include <cstddef>

namespace awaitscope::tools {

/// The width in columns that text on stdout may take: $COLUMNS, else the terminal's, else 80. At least 40.
std::size_t output_width();

} // namespace awaitscope::tools
