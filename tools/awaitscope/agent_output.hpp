#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "awaitscope/support/unique_fd.hpp"

namespace awaitscope::tools {

/// A line of PID.notes, as one JSON object; what it has not is 0 or empty. Text is valid UTF-8.
struct AgentNote {
  std::string event; ///< start, ready, refused, missing, function, callee, thread, lost, paths, end
  std::string what, hint;
  std::string module, name, file;
  std::string python, executable;
  std::string why, failure; ///< of the end; the first failure of the agent's own
  std::uint64_t number = 0, line = 0, tid = 0;
  std::uint64_t lost = 0, failed = 0; ///< calls without a record; failures in callbacks
  std::uint64_t cpu = 0;              ///< that the process has used, in nanoseconds
  // Of a function, its code object: numbers and, a line each, names of it; in hexadecimal digits its instructions.
  std::uint64_t flags = 0, positional = 0, keyword_only = 0;
  std::string names, locals, derefs, free, bytecode;
  std::string resolved, contains; ///< of a callee: callees.py, Reach; the labels of functions inside
};

/// Parses a line; one that is no such object has no event.
AgentNote parse_note(std::string_view line);

/// A record of PID.calls: prelude.py, RECORD. Little-endian, 72 bytes.
struct AgentCall {
  enum Flag : std::uint32_t {
    k_argument_identity = 1,
    k_argument_unhashable = 2,
    k_argument_unread = 4,
    k_argument_model = 8,
    k_result_identity = 16,
    k_result_unhashable = 32,
    k_result_unread = 64,
    k_raised = 128,
    k_unfinished = 256, ///< it was going on at the end, or its end was not seen
    k_suspends = 512,
    k_argument_may_equal = 1024,
  };
  std::uint32_t function = 0; ///< its number
  std::uint32_t tid = 0;
  std::uint64_t begin_ns = 0; ///< CLOCK_MONOTONIC
  std::uint64_t duration_ns = 0;
  std::uint64_t inner_ns = 0;                       ///< of that in other traced calls
  std::uint64_t cpu_ns = 0;                         ///< of its thread
  std::uint64_t self = 0, others = 0, returned = 0; ///< keyed hashes
  std::uint32_t flags = 0;

  [[nodiscard]] bool is(Flag flag) const { return (flags & flag) != 0; }
};

inline constexpr std::size_t k_agent_call_size = 72;

AgentCall parse_call(std::string_view record);

/// What the agent of one process writes, read as it grows. Nothing in it is trusted.
class AgentOutput {
public:
  /// Either may be invalid: then it has nothing.
  AgentOutput(UniqueFd notes, UniqueFd calls) : notes_(std::move(notes)), calls_(std::move(calls)) {}

  [[nodiscard]] bool has_calls_file() const { return calls_.valid(); }
  void set_calls_file(UniqueFd calls) { calls_ = std::move(calls); }

  /// What came since the last time. At most some megabytes: call it until there is nothing.
  std::vector<AgentNote> take_notes();
  std::vector<AgentCall> take_calls();

private:
  UniqueFd notes_;
  UniqueFd calls_;
  off_t notes_at_ = 0;
  off_t calls_at_ = 0;
  std::string line_; ///< of the notes, not whole yet
};

} // namespace awaitscope::tools
