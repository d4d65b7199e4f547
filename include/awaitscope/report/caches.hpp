#pragma once

#include <optional>
#include <string>
#include <vector>

#include "awaitscope/model/function_cache.hpp"

namespace awaitscope {

/// A cache with what its counts mean.
struct JudgedCache {
  FunctionCache cache;
  std::optional<double> hit_rate;         ///< of 1, of all calls that its counts know; none: it was never called
  std::optional<double> calls_per_second; ///< between the two readings; none: there was one only
  std::string advice;                     ///< empty: it does well, or too little is known
};

/// First those with the most calls a second that miss: what is to be gained.
std::vector<JudgedCache> judge_caches(const CacheSurvey &survey);

/// "97 %", "0.4 %"
std::string percent_text(double rate);

} // namespace awaitscope
