#pragma once

#include <cstdint>
#include <functional>

#include "awaitscope/model/function_cache.hpp"
#include "awaitscope/sampler/target.hpp"
#include "awaitscope/support/error.hpp"

namespace awaitscope {

/// Finds the functools.lru_caches of a process and reads their counts; with `between_ns` above 0 twice, so long apart. The process
/// is not stopped. `stop` ends the search, and the time between the readings, early. Fails with no_target if the process ends.
Result<CacheSurvey> survey_caches(Target &target, std::int64_t between_ns, const std::function<bool()> &stop);

} // namespace awaitscope
