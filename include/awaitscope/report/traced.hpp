#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "awaitscope/recording/reader.hpp"
#include "awaitscope/report/latency.hpp"

namespace awaitscope {

/// A function of which every call was counted.
struct TracedFunction {
  CodeId code = 0;
  std::uint64_t calls = 0;
  std::uint64_t raised = 0;     ///< of these, by an exception
  std::uint64_t unfinished = 0; ///< going on at the end, or not seen to end
  std::uint64_t lost = 0;       ///< counted, and not in the recording: not among the calls
  std::uint64_t self_ns = 0;    ///< without what other traced functions took
  std::uint64_t total_ns = 0;   ///< a call inside of a call of the same function counts once
  std::uint64_t cpu_ns = 0;     ///< as total_ns; of coroutines and generators it is not known
  std::optional<Length> p50, p95, p99;
};

/// Those of a traced recording, the longest total first, unless the order is another. Reads it to its end. Calls that do not touch the
/// range are left out.
Result<std::vector<TracedFunction>> read_traced(RecordingReader &reader, const TimeRange &range, const Filter &filter,
                                                TableOrder order = TableOrder::usual);

/// Of calls of one function in one thread that come in the order of their ends: what they took together, in which a call inside of
/// another is not counted again.
class OuterCalls {
public:
  struct Call {
    std::int64_t begin_ns = 0;
    std::uint64_t duration_ns = 0;
    std::uint64_t cpu_ns = 0;
  };

  void add(const Call &call);
  [[nodiscard]] std::uint64_t duration_ns() const { return duration_ns_; }
  [[nodiscard]] std::uint64_t cpu_ns() const { return cpu_ns_; }

private:
  std::vector<Call> recent_; ///< that may turn out to be inside of one that ends later
  std::uint64_t duration_ns_ = 0;
  std::uint64_t cpu_ns_ = 0;
};

} // namespace awaitscope
