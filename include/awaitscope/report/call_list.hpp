#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "awaitscope/report/latency.hpp"

namespace awaitscope {

/// The calls of a recording one by one, as far as there are not too many, and the slowest ones with what they awaited when. Of the
/// project's functions; of all where no call is of those.
struct CallList {
  struct Call {
    CodeId code = 0;
    std::int64_t to_ns = 0;
    Length length;
    bool begun = true; ///< as of CallSpan
    bool ended = true;
    std::uint64_t await_ns = 0;
  };
  struct Part {
    CodeId code = 0;
    std::int64_t from_ns = 0;
    std::int64_t to_ns = 0;
    std::uint64_t await_ns = 0;
    std::uint32_t depth = 0; ///< below the call
  };
  struct Slow {
    CodeId code = 0;
    std::int64_t from_ns = 0;
    std::int64_t to_ns = 0;
    std::uint64_t await_ns = 0;
    bool ended = true;
    std::vector<Part> parts; ///< by when they began, callers first
    bool more = false;       ///< there were others, shorter or longer ago
  };

  std::vector<Call> calls;
  bool complete = true;      ///< else there are none, for they are too many
  std::vector<Slow> slowest; ///< CallSpan::entry
};

class CallCollector {
public:
  static constexpr std::size_t k_most_calls = 50'000;
  static constexpr std::size_t k_slowest = 10;
  static constexpr std::size_t k_most_parts = 60; ///< of one slow call

  explicit CallCollector(const CodeTable &codes) : origins_(codes) {}

  void add(const MeasuredCall &call);
  CallList finish();

private:
  struct Task {
    std::vector<CallList::Part> parts; ///< in the order of their ends
    std::int64_t dropped_to_ns = -1;   ///< the last end of those that are not kept
  };

  void add_part(Task &task, const CallSpan &span);
  void add_slow(const Task &task, const CallSpan &span);

  CodeOrigins origins_;
  CallList of_project_;
  CallList of_others_;
  std::unordered_map<std::uint32_t, Task> tasks_; ///< by number
};

} // namespace awaitscope
