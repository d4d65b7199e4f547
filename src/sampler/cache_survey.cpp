#include "awaitscope/sampler/cache_survey.hpp"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "awaitscope/cpython/lru_caches.hpp"
#include "awaitscope/cpython/module_walk.hpp"
#include "awaitscope/support/clock.hpp"

namespace awaitscope {
namespace {

constexpr std::int64_t k_search_ns = 60 * k_ns_per_second; // it takes one, unless others want the CPU

void find_caches(Target &target, LruCacheReader &reader, const std::function<bool()> &stop, CacheSurvey &survey) {
  ModuleWalk walk(target.objects(), target.interpreters());
  ModuleWalk::Limits limits;
  limits.deadline_ns = monotonic_ns() + k_search_ns;
  limits.stop = stop;
  const ModuleWalk::Outcome outcome = walk.run(limits, [&](Address object, std::int64_t interpreter) {
    target.code_cache().begin(0);
    if (std::optional<FunctionCache> cache = reader.describe(object)) {
      cache->interpreter = interpreter;
      survey.caches.push_back(std::move(*cache));
    } else {
      ++survey.unreadable;
    }
  });
  survey.modules = outcome.modules;
  survey.left_out = outcome.left_out;
  survey.out_of_time = outcome.cut_short;
}

void wait(std::int64_t duration_ns, const std::function<bool()> &stop) {
  constexpr std::int64_t k_poll_ns = 20'000'000;
  const std::int64_t end = monotonic_ns() + duration_ns;
  for (std::int64_t left = duration_ns; left > 0 && !stop(); left = end - monotonic_ns()) {
    ::usleep(static_cast<useconds_t>(std::min(left, k_poll_ns) / 1000 + 1));
  }
}

/// Gives each cache what was read of it, and drops those of which nothing was.
void take_over(CacheSurvey &survey, const std::vector<std::optional<CacheCounts>> &earlier,
               const std::vector<std::optional<CacheCounts>> &counts) {
  std::vector<FunctionCache> read;
  for (std::size_t i = 0; i < survey.caches.size(); ++i) {
    if (counts[i]) {
      read.push_back(std::move(survey.caches[i]));
      read.back().counts = *counts[i];
      read.back().earlier = earlier.empty() ? std::nullopt : earlier[i];
    } else {
      ++survey.unreadable;
    }
  }
  survey.caches = std::move(read);
}

} // namespace

Result<CacheSurvey> survey_caches(Target &target, std::int64_t between_ns, const std::function<bool()> &stop) {
  CacheSurvey survey;
  survey.process = target.description();
  survey.import_paths = target.import_paths();
  LruCacheReader reader(target.objects(), target.code_cache());
  find_caches(target, reader, stop, survey);
  std::vector<std::optional<CacheCounts>> earlier;
  const std::int64_t began = monotonic_ns();
  std::vector<std::optional<CacheCounts>> counts = reader.counts(survey.caches);
  if (between_ns > 0) {
    wait(between_ns, stop);
    earlier = std::move(counts);
    survey.between_ns = monotonic_ns() - began;
    counts = reader.counts(survey.caches);
  }
  if (const Result<void> readable = target.process().check_readable(); !readable) {
    return readable.error().status != ExitStatus::no_target
               ? tl::unexpected(readable.error())
               : fail(ExitStatus::no_target, fmt::format("process {} ended while it was read", survey.process.pid),
                      "start it again and give its new PID");
  }
  take_over(survey, earlier, counts);
  return survey;
}

} // namespace awaitscope
