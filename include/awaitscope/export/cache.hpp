#pragma once

#include <string>

#include "awaitscope/export/names.hpp"
#include "awaitscope/report/cache_opportunities.hpp"

namespace awaitscope {

/// What caches would save, for people: those that are recommended, and why others are not. At most 80 columns wide but for names.
std::string cache_text(const CacheOpportunities &opportunities, FrameNames &names);

/// The same for programs, complete.
std::string cache_json(const CacheOpportunities &opportunities, const CodeTable &codes);

} // namespace awaitscope
