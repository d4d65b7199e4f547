#include "awaitscope/report/hit_estimate.hpp"

#include <algorithm>
#include <cmath>
#include <unordered_map>
#include <unordered_set>

namespace awaitscope {
namespace {

constexpr double k_one_sided = 1.645; // standard deviations: 95 %
constexpr double k_brief = 1.5;       // samples: fewer is one
constexpr double k_longest_brief = 2; // periods: a longer call is seen by two samples, nearly always

/// Sums over the positions in front of one (Fenwick 1994).
class Marks {
public:
  explicit Marks(std::size_t size) : sums_(size + 1) {}
  void add(std::size_t at, int value) {
    for (++at; at < sums_.size(); at += at & (0 - at)) {
      sums_[at] += value;
    }
  }
  [[nodiscard]] int below(std::size_t at) const {
    int sum = 0;
    for (; at > 0; at -= at & (0 - at)) {
      sum += sums_[at];
    }
    return sum;
  }

private:
  std::vector<int> sums_;
};

constexpr std::size_t k_first = SIZE_MAX;      // the call is the first one of its key
constexpr std::size_t k_raised = SIZE_MAX - 1; // the call left nothing to keep

/// Of each call, how many other keys came since its own did.
std::vector<std::size_t> reuse_distances(const std::vector<KeyedCall> &calls) {
  std::vector<std::size_t> distances;
  distances.reserve(calls.size());
  Marks last_ones(calls.size()); // at the last call of each key
  std::unordered_map<std::size_t, std::size_t> last;
  for (std::size_t i = 0; i < calls.size(); ++i) {
    if (calls[i].raised) {
      distances.push_back(k_raised);
      continue;
    }
    const auto [before, is_first] = last.try_emplace(calls[i].key, i);
    if (is_first) {
      distances.push_back(k_first);
    } else {
      distances.push_back(static_cast<std::size_t>(last_ones.below(i) - last_ones.below(before->second + 1)));
      last_ones.add(before->second, -1);
      before->second = i;
    }
    last_ones.add(i, 1);
  }
  return distances;
}

bool hits(std::size_t distance, std::size_t maxsize) {
  return distance < k_raised && (maxsize == 0 || distance < maxsize);
}

double part(double of, double whole) { return whole > 0 ? std::clamp(of / whole, 0.0, 1.0) : 0; }

/// Of the calls that one sample has seen, the length: for numbers of calls that one and two samples have seen.
double brief_length(double ones, double twos) {
  if (ones <= 0) {
    return k_longest_brief;
  }
  double low = 0;
  double high = k_longest_brief;
  constexpr int k_steps = 40;
  for (int i = 0; i < k_steps; ++i) {
    const double length = (low + high) / 2;
    const std::array<double, 3> seen = seen_by(length);
    (seen[2] * ones > twos * seen[1] ? high : low) = length;
  }
  return high;
}

/// The costs of all calls and of those that miss, if brief calls have one length.
struct Costs {
  double all = 0;
  double missed = 0;

  Costs(const std::vector<KeyedCall> &seen, const std::unordered_map<std::size_t, std::size_t> &keys, double length) {
    const double weight = 1 / std::max(1e-6, 1 - seen_by(length)[0]);
    for (const KeyedCall &call : seen) {
      const bool brief = call.seen < k_brief;
      const double more = brief ? weight - 1 : 0;
      const double each = brief ? call.cost * length : call.cost;
      const std::size_t of_key = keys.at(call.key);
      all += (1 + more) * each;
      missed += each / static_cast<double>(of_key); // the mean of its calls, in all
      missed += of_key == 1 ? more * each : 0;
    }
  }
};

/// Of the time in calls, the part that hits at least.
double least_hit_rate(const std::vector<KeyedCall> &calls) {
  double samples = 0;
  double in_first = 0;
  double variance = 0;
  std::unordered_set<std::size_t> before;
  for (const KeyedCall &call : calls) {
    samples += call.seen;
    if (before.insert(call.key).second) {
      in_first += call.seen;
      variance += call.seen < k_brief ? 1 : 0.5;
    }
  }
  const double misses = in_first + k_one_sided * std::sqrt(variance + 1) + 1;
  return part(samples - misses, samples);
}

} // namespace

std::array<double, 3> seen_by(double length) {
  // The call begins anywhere in a period. The sample of each period that it touches sees it with the probability that is the part of
  // the period that it covers.
  constexpr int k_places = 32;
  std::array<double, 3> all{};
  for (int i = 0; i < k_places; ++i) {
    const double begin = (i + 0.5) / k_places;
    std::array<double, 3> now{1, 0, 0};
    for (int period = 0; period < begin + length; ++period) {
      const double covered = std::min(begin + length, period + 1.0) - std::max<double>(begin, period);
      if (covered > 0) {
        now = {now[0] * (1 - covered), now[1] * (1 - covered) + now[0] * covered,
               now[2] * (1 - covered) + now[1] * covered};
      }
    }
    for (std::size_t m = 0; m < all.size(); ++m) {
      all[m] += now[m] / k_places;
    }
  }
  return all;
}

HitEstimate measure_hits(const std::vector<KeyedCall> &calls) {
  HitEstimate estimate;
  const std::vector<std::size_t> distances = reuse_distances(calls);
  double cost = 0;
  for (const KeyedCall &call : calls) {
    cost += call.cost;
  }
  estimate.distinct = static_cast<std::size_t>(std::count(distances.begin(), distances.end(), k_first));
  for (CacheEffect &effect : estimate.by_maxsize) {
    double count = 0;
    double saved = 0;
    for (std::size_t i = 0; i < calls.size(); ++i) {
      if (hits(distances[i], effect.maxsize)) {
        ++count;
        saved += calls[i].cost;
      }
    }
    effect.hit_rate = part(count, static_cast<double>(calls.size()));
    effect.saved = part(saved, cost);
  }
  return estimate;
}

HitEstimate estimate_hits(const std::vector<KeyedCall> &calls) {
  HitEstimate estimate = measure_hits(calls); // as if there were no others
  if (calls.empty()) {
    return estimate;
  }
  std::unordered_map<std::size_t, std::size_t> keys; // how many calls each has
  double ones = 0;
  double twos = 0;
  for (const KeyedCall &call : calls) {
    ++keys[call.key];
    ones += call.seen < k_brief ? 1 : 0;
    twos += call.seen >= k_brief && call.seen < k_brief + 1 ? 1 : 0;
  }
  const Costs costs(calls, keys, brief_length(ones, std::max(twos, 0.1)));
  for (CacheEffect &effect : estimate.by_maxsize) {
    effect.known = effect.maxsize == 0;
  }
  estimate.by_maxsize.back().hit_rate = least_hit_rate(calls);
  estimate.by_maxsize.back().saved = part(costs.all - costs.missed, costs.all);
  return estimate;
}

} // namespace awaitscope
