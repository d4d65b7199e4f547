#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "awaitscope/report/requests.hpp"

namespace awaitscope {

/// What a request did for a while, in one thread or, suspended, in one task.
struct RequestStep {
  std::int64_t from_ns = 0; ///< since the recording's start
  std::int64_t to_ns = 0;
  ThreadState state = ThreadState::running;
  bool suspended = false;
  std::uint32_t thread = 0; ///< not of one that is suspended
  std::uint32_t task = 0;   ///< that is
  RequestPart part = RequestPart::view;
  std::optional<CodeId> own;  ///< the innermost function of the project's own code
  std::optional<CodeId> leaf; ///< the innermost function
  std::uint64_t samples = 0;
};

/// One request, and its steps in the order of their beginnings. Successive samples of one thread in the same function are one step.
struct RequestHistory {
  RequestSpan span;
  std::string method;
  std::string route;
  std::string view;
  std::string path; ///< empty: not recorded
  std::string id;   ///< that somebody else has given it; empty: not recorded, or none
  std::vector<RequestStep> steps;
};

/// Reads the recording to its end. `span`: as read_requests() has it.
Result<RequestHistory> read_request_history(RecordingReader &reader, const RequestSpan &span);

} // namespace awaitscope
