#pragma once

#include <string>
#include <vector>

#include "awaitscope/export/text_table.hpp"
#include "awaitscope/report/caches.hpp"

namespace awaitscope {

/// A table for people of the first caches.
std::string caches_text(const CacheSurvey &survey, const std::vector<JudgedCache> &caches, const TableLayout &layout);

/// One JSON object, schema 1, with every cache.
std::string caches_json(const CacheSurvey &survey, const std::vector<JudgedCache> &caches);

} // namespace awaitscope
