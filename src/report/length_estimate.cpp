#include "awaitscope/report/length_estimate.hpp"

#include <algorithm>
#include <utility>

namespace awaitscope {

std::vector<Length> LengthEstimate::quantiles(const std::vector<double> &wanted) {
  const auto ended = [](const Length &length) { return length.is != Length::Is::longer; };
  // Of equal numbers, what took less comes first, and what was cut there last.
  const auto rank = [](const Length &length) {
    const bool shorter = length.is == Length::Is::shorter;
    return std::pair(length.ns, shorter ? 0 : length.is == Length::Is::measured ? 1 : 2);
  };
  std::sort(lengths_.begin(), lengths_.end(), [&](const Length &a, const Length &b) { return rank(a) < rank(b); });
  std::vector<Length> found;
  if (lengths_.empty()) {
    return found;
  }
  constexpr double k_rounding = 1e-9;
  double lasting = 1; // the part of calls that lasts longer than those before
  auto next = wanted.begin();
  for (std::size_t i = 0; i < lengths_.size() && next != wanted.end(); ++i) {
    if (ended(lengths_[i])) {
      lasting *= 1 - 1 / static_cast<double>(lengths_.size() - i);
    }
    for (; next != wanted.end() && lasting <= 1 - *next + k_rounding; ++next) {
      found.push_back(lengths_[i]);
    }
  }
  found.resize(wanted.size(), {lengths_.back().ns, Length::Is::longer});
  return found;
}

} // namespace awaitscope
