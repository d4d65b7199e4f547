#pragma once

#include <string>

#include "awaitscope/export/names.hpp"
#include "awaitscope/report/latency.hpp"

namespace awaitscope {

/// A table for people of the first functions.
std::string latency_text(const Latencies &latencies, FrameNames &names, const CodeTable &codes);

/// One JSON object, schema 1, with every function.
std::string latency_json(const Latencies &latencies, const CodeTable &codes);

} // namespace awaitscope
