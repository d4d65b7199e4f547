#pragma once

#include <string>

#include "awaitscope/export/names.hpp"
#include "awaitscope/export/text_table.hpp"
#include "awaitscope/report/latency.hpp"

namespace awaitscope {

/// Which functions have a row. Where none is the project's own, all have.
enum class LatencyRows : std::uint8_t { project, all };

/// A table for people of the first functions: entry points of the project's code first. Percentiles have "-" where too few calls are
/// known: p95 takes 20, p99 takes 100.
std::string latency_text(const Latencies &latencies, LatencyRows rows, const TableLayout &layout,
                         const FrameNames &names);

/// One JSON object, schema 1, with every function.
std::string latency_json(const Latencies &latencies, const CodeTable &codes);

} // namespace awaitscope
