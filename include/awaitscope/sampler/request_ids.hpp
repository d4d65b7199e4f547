#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>

#include "awaitscope/model/request.hpp"

namespace awaitscope {

/// Tells the requests of a process apart, from one reading to the next.
///
/// The next request often lies where the last one did. It is the same if its serial is (RequestSight). Where none is known (a server
/// that keeps neither a task nor a time for each request), it is if it has got no further than to the same route, and the call that
/// handles it may still be the one of the reading before. Two requests in succession that nothing distinguishes count as one then.
class RequestIds {
public:
  enum class Call : std::uint8_t {
    may_go_on, ///< from the reading before
    is_new,    ///< which has not been read before
  };

  /// None of no request.
  SampledRequest of(const RequestSight &sight, Call call = Call::may_go_on);

private:
  static constexpr std::size_t k_most = 16384; ///< that are remembered

  struct Known {
    std::uint64_t id = 0;
    Address handler = 0; ///< its task, or its thread's state
    std::uint64_t serial = 0;
    std::shared_ptr<const RequestRoute> route;
  };
  std::unordered_map<Address, Known> known_; ///< by the request's object
  std::uint64_t last_ = 0;
};

} // namespace awaitscope
