#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "awaitscope/report/caches.hpp"

namespace awaitscope {

/// A table for people of the first `limit` caches, of 80 columns.
std::string caches_text(const CacheSurvey &survey, const std::vector<JudgedCache> &caches, std::size_t limit);

/// One JSON object, schema 1, with every cache.
std::string caches_json(const CacheSurvey &survey, const std::vector<JudgedCache> &caches);

} // namespace awaitscope
