#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "awaitscope/model/ids.hpp"

namespace awaitscope {

/// What a web framework calls the work that a request asks for. Nothing of the request itself, no path, query or header, unless
/// RequestDetails ask for it.
struct RequestRoute {
  std::string method; ///< "GET"
  std::string route;  ///< the pattern of its URL, or k_unresolved
  std::string view;   ///< the function that answers it, with its module; empty while that is not known
  bool resolved = false;
  std::string path{}; ///< without its query; empty unless wanted
  std::string id{};   ///< that somebody else has given the request; empty unless wanted, or if it has none
};

/// What of requests themselves is read.
struct RequestDetails {
  bool paths = false;
  std::string id_header; ///< the HTTP header whose value is the request's id; empty: it is not read
};

/// Stands for the route of a request whose URL has not been resolved (yet): it is in middleware, or nothing matches it.
inline constexpr std::string_view k_unresolved = "unresolved";

/// The request that frames work for, where the outermost of them that handles one keeps it.
struct RequestSight {
  Address object = 0;                        ///< the request; 0: there is none
  Address task = 0;                          ///< whose frame it is; 0: a thread's
  Address thread_state = 0;                  ///< of that thread
  std::uint64_t serial = 0;                  ///< another request has another one; 0: none is known
  std::size_t depth = 0;                     ///< index of that frame among those of its task or thread
  std::shared_ptr<const RequestRoute> route; ///< null until it is read
};

/// A request of a process.
struct SampledRequest {
  std::uint64_t id = 0; ///< another request has another one; 0: there is none
  bool in_task = false; ///< a task handles it: it may be suspended
  std::shared_ptr<const RequestRoute> route;
};

} // namespace awaitscope
