#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "awaitscope/recording/tables.hpp"
#include "awaitscope/report/latency.hpp"

namespace awaitscope {

/// Turns the samples of threads into calls of plain functions. A call begins and ends half-way between the samples that saw it
/// and those around that did not. It is the same call in successive samples if the recording says so (RecordedCalls); coroutines,
/// and what runs the loop or a pool's work, are not among these.
class PlainCallSpans {
public:
  struct Call {
    CallSpan span;
    std::uint32_t thread = 0;
    std::uint32_t task = 0;     ///< on whose behalf it began; 0: none
    bool left_out = false;      ///< as of the SampleRun that saw it first
    bool alike = false;         ///< nothing tells it from the call that ended in its place last
    std::uint64_t samples = 0;  ///< that saw it, each for the ticks that it stands for
    std::uint64_t running = 0;  ///< of these, with its thread on a CPU
    std::uint64_t queued = 0;   ///< of these, with its thread waiting for one
    std::optional<KeyId> key{}; ///< of its arguments; none: they were not read
  };
  using Visit = std::function<void(const Call &call)>;

  /// `period_ns`: of the samples.
  PlainCallSpans(const RecordingTables &tables, std::int64_t period_ns, Visit visit)
      : tables_(tables), origins_(tables.codes), period_ns_(period_ns), visit_(std::move(visit)) {}

  /// Of each thread in the order of time. `seen`: those that the row has of calls.
  void add(const SampleRun &run, std::span<const RecordedSeenCall> seen = {});

  /// The recording's end. Calls of a thread that was sampled until then are cut.
  void finish(std::int64_t end_ns);

  /// Did any sample know of calls?
  [[nodiscard]] bool any() const { return any_; }

private:
  struct Thread {
    std::vector<Call> calls; ///< outermost first; those of no interest have no beginning
    std::int64_t last_ns = 0;
  };
  void end(Thread &thread, std::size_t from, std::int64_t unseen_ns, bool ended);

  const RecordingTables &tables_;
  CodeOrigins origins_;
  std::int64_t period_ns_;
  Visit visit_;
  /// By TID: what a recording calls a thread goes by whom it works for.
  std::unordered_map<ThreadId, Thread> threads_;
  bool any_ = false;
};

} // namespace awaitscope
