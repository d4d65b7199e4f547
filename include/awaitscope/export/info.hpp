#pragma once

#include <string>

#include "awaitscope/report/costs.hpp"

namespace awaitscope {

/// What a recording says of itself, for people, in lines of at most `width` columns. The reader has read to the end.
std::string info_text(const RecordingReader &reader, const StackCosts &costs, std::size_t width);

/// One JSON object, schema 1.
std::string info_json(const RecordingReader &reader, const StackCosts &costs);

} // namespace awaitscope
