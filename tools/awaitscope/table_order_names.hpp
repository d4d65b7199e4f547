#pragma once

#include <string>

#include "awaitscope/report/table_order.hpp"
#include "view.hpp"

namespace awaitscope::tools {

/// The value of --sort: what a table of that format is ordered by. An empty name is the usual order; one that the format does not
/// have is wrong usage.
Result<TableOrder> parse_order(Format format, const std::string &name);

} // namespace awaitscope::tools
