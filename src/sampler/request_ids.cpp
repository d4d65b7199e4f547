#include "awaitscope/sampler/request_ids.hpp"

namespace awaitscope {

SampledRequest RequestIds::of(const RequestSight &sight, Call call) {
  if (sight.object == 0 || sight.route == nullptr) {
    return {};
  }
  if (known_.size() >= k_most && !known_.contains(sight.object)) {
    known_.clear();
  }
  Known &known = known_[sight.object];
  const Address handler = sight.task != 0 ? sight.task : sight.thread_state;
  const bool same_place = known.id != 0 && known.handler == handler && known.serial == sight.serial;
  const bool gets_on = known.route == sight.route || (known.route != nullptr && !known.route->resolved);
  const bool same =
      sight.serial != 0 ? same_place && gets_on : same_place && known.route == sight.route && call == Call::may_go_on;
  known = {same ? known.id : ++last_, handler, sight.serial, sight.route};
  return {known.id, sight.task != 0, sight.route};
}

} // namespace awaitscope
