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

/// How many of the first `marked` calls, which have the same marks, go on: as far as their functions can have got from where they were
/// to where they are. Asked of the innermost of them, and of its caller where that cannot have called it twice.
std::size_t CallTrail::going_on(const std::vector<CallMark> &now, std::size_t marked) const {
  std::size_t same = marked;
  for (; same > 0; --same) {
    const CallMark &before = calls_[same - 1];
    const CallMark &after = now[same - 1];
    const bool both_call = same < calls_.size() && same < now.size() && !now[same].from_c;
    const bool another = after.stretch < before.stretch ||
                         (after.stretch == before.stretch && (after.kept != before.kept || (after.once && both_call)));
    if (!another) {
      break;
    }
  }
  return same;
}

std::size_t CallTrail::same(const std::vector<CallMark> &now) const {
  const auto is_same = [](const CallMark &before, const CallMark &after) { return before.same(after); };
  const auto differs = std::mismatch(calls_.begin(), calls_.end(), now.begin(), now.end(), is_same);
  return going_on(now, static_cast<std::size_t>(differs.second - now.begin()));
}

SampledCalls CallTrail::follow(const std::vector<CallMark> &now, std::int64_t time_ns) {
  SampledCalls found;
  found.before_ns = seen_ns_;
  seen_ns_ = time_ns;
  found.known = !now.empty();
  if (!found.known) {
    return found;
  }
  const std::size_t same = this->same(now);
  found.same = static_cast<std::uint32_t>(same);
  end_from(same);
  const auto is_alike = [&](const CallMark &call) {
    const CallMark &before = ended_[call.place % k_remembered];
    return before.same(call) && (before.stretch != call.stretch || before.kept == call.kept);
  };
  for (std::size_t i = same; i < now.size() && is_alike(now[i]); ++i) {
    ++found.alike;
  }
  calls_.insert(calls_.end(), now.begin() + static_cast<std::ptrdiff_t>(same), now.end());
  for (std::size_t i = 0; i < same; ++i) {
    calls_[i] = now[i];
  }
  return found;
}

void CallTrail::leave(std::span<const std::uint64_t> places, std::int64_t time_ns) {
  std::size_t depth = calls_.size();
  while (depth > 0 && std::find(places.begin(), places.end(), calls_[depth - 1].place) == places.end()) {
    --depth;
  }
  end_from(depth);
  stay(time_ns); // before the first reading of its calls it may have been in some of those all the time
}

} // namespace awaitscope
