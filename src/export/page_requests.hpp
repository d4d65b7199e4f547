#pragma once

#include <string>

#include "awaitscope/export/html.hpp"

namespace awaitscope {

/// Requests by route: {least, rows, requests}; "null" if the recording has none. `requests` is, for each of known length by its end, [row, end less
/// that of the one before, length, what is known of that, whether it had begun before the recording, …]; null if they are too many. `least`: how many p50, p95 and p99 take.
std::string page_requests(const PageContents &contents);

} // namespace awaitscope
