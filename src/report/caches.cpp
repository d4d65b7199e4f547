#include "awaitscope/report/caches.hpp"

#include <algorithm>
#include <tuple>

#include <fmt/format.h>

namespace awaitscope {
namespace {

constexpr std::uint64_t k_enough_to_judge = 100; ///< to judge a cache by
constexpr double k_poor_rate = 0.10;             ///< making and looking up the keys costs more than so few hits save
constexpr double k_many_misses = 0.10;           ///< of calls
constexpr std::uint64_t k_large = 10'000;        ///< entries

std::uint64_t calls_of(const CacheCounts &counts) { return counts.hits + counts.misses; }

std::optional<double> hit_rate_of(const CacheCounts &counts) {
  const std::uint64_t calls = calls_of(counts);
  return calls == 0 ? std::nullopt : std::optional(static_cast<double>(counts.hits) / static_cast<double>(calls));
}

/// A cache that was cleared between the readings counts from there: it was called at least so often.
std::optional<double> rate_of(const FunctionCache &cache, std::int64_t between_ns) {
  if (!cache.earlier || between_ns <= 0) {
    return std::nullopt;
  }
  const std::uint64_t before = calls_of(*cache.earlier);
  const std::uint64_t now = calls_of(cache.counts);
  return static_cast<double>(now >= before ? now - before : now) * 1e9 / static_cast<double>(between_ns);
}

std::string advice_for(const FunctionCache &cache, double hit_rate) {
  const CacheCounts &counts = cache.counts;
  if (calls_of(counts) == 0) {
    return "never called";
  }
  if (cache.maxsize == 0) {
    return "maxsize=0 keeps nothing: remove it";
  }
  if (calls_of(counts) < k_enough_to_judge) {
    return "";
  }
  const bool full = cache.maxsize && counts.currsize >= *cache.maxsize;
  const std::uint64_t evicted = counts.misses > counts.currsize ? counts.misses - counts.currsize : 0;
  const bool missing = static_cast<double>(evicted) >= k_many_misses * static_cast<double>(calls_of(counts));
  const bool poor = hit_rate < k_poor_rate;
  if (full && missing) {
    return poor ? fmt::format("full, hit rate {}: enlarge or remove it", percent_text(hit_rate))
                : "full and missing: raise maxsize";
  }
  if (poor) {
    return fmt::format("hit rate {}: remove it", percent_text(hit_rate));
  }
  const bool growing = cache.earlier && counts.currsize > cache.earlier->currsize;
  return !cache.maxsize && growing && counts.currsize >= k_large ? "unbounded and growing: give it a maxsize" : "";
}

/// Calls that a better cache could have saved: a second, or where that is not known, in all.
double potential(const JudgedCache &judged) {
  const double miss_rate = 1 - judged.hit_rate.value_or(1);
  return judged.calls_per_second ? *judged.calls_per_second * miss_rate
                                 : static_cast<double>(judged.cache.counts.misses);
}

} // namespace

std::string percent_text(double rate) {
  constexpr double k_hundred = 100;
  const bool small = rate > 0 && rate < 1 / k_hundred;
  return small ? fmt::format("{:.1f} %", rate * k_hundred) : fmt::format("{:.0f} %", rate * k_hundred);
}

std::vector<JudgedCache> judge_caches(const CacheSurvey &survey) {
  std::vector<JudgedCache> judged;
  for (const FunctionCache &cache : survey.caches) {
    JudgedCache row{cache, hit_rate_of(cache.counts), rate_of(cache, survey.between_ns), ""};
    row.advice = advice_for(cache, row.hit_rate.value_or(0));
    judged.push_back(std::move(row));
  }
  const auto key = [](const JudgedCache &row) {
    return std::tuple(-potential(row), -row.calls_per_second.value_or(0),
                      -static_cast<double>(calls_of(row.cache.counts)), std::tie(row.cache.module, row.cache.function),
                      row.cache.id);
  };
  std::sort(judged.begin(), judged.end(), [&](const JudgedCache &a, const JudgedCache &b) { return key(a) < key(b); });
  return judged;
}

} // namespace awaitscope
