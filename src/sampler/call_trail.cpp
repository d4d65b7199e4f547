#include "awaitscope/sampler/call_trail.hpp"

#include <algorithm>

namespace awaitscope {

void CallTrail::end_from(std::size_t depth) {
  ended_.resize(k_remembered);
  for (std::size_t i = depth; i < calls_.size(); ++i) {
    ended_[calls_[i].place % k_remembered] = calls_[i];
  }
  calls_.resize(std::min(calls_.size(), depth));
}

SampledCalls CallTrail::follow(const std::vector<CallMark> &now, std::int64_t time_ns) {
  SampledCalls found;
  found.before_ns = seen_ns_;
  seen_ns_ = time_ns;
  found.known = !now.empty();
  if (!found.known) {
    return found;
  }
  const auto differs = std::mismatch(calls_.begin(), calls_.end(), now.begin(), now.end());
  const auto same = static_cast<std::size_t>(differs.second - now.begin());
  found.same = static_cast<std::uint32_t>(same);
  end_from(same);
  for (std::size_t i = same; i < now.size() && ended_[now[i].place % k_remembered] == now[i]; ++i) {
    ++found.alike;
  }
  calls_.insert(calls_.end(), differs.second, now.end());
  return found;
}

void CallTrail::leave(std::int64_t time_ns) {
  end_from(0);
  seen_ns_ = time_ns;
}

} // namespace awaitscope
