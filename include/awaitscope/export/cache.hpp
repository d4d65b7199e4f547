#pragma once

#include <string>

#include "awaitscope/export/names.hpp"
#include "awaitscope/export/text_table.hpp"
#include "awaitscope/report/cache_opportunities.hpp"

namespace awaitscope {

/// What caches would save, for people: those that are recommended, and why others are not. The layout's limit is
/// of each kind.
std::string cache_text(const CacheOpportunities &opportunities, const TableLayout &layout, const FrameNames &names);

/// The same for programs, complete.
std::string cache_json(const CacheOpportunities &opportunities, const CodeTable &codes);

} // namespace awaitscope
