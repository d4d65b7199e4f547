#pragma once

#include <cstdint>
#include <optional>

#include "awaitscope/model/event_count.hpp"
#include "awaitscope/model/ids.hpp"
#include "awaitscope/process/perf_events.hpp"
#include "awaitscope/support/unique_fd.hpp"

namespace awaitscope {

enum class Inherit : std::uint8_t {
  nothing,
  threads, ///< the threads that the thread starts from now on, and theirs, are counted with it; Linux 5.13
};

/// Counts an event in a thread, wherever that runs, from now on. It goes on to tell the count after the thread has ended. The
/// thread is not interrupted: nothing is sampled. A read takes 0.3 µs of a thread that is off its CPU; of one that runs, the
/// kernel asks that CPU, and of an inherited counter each that runs one of the threads.
class PerfCounter {
public:
  /// `tid` 0 is the calling thread. The error is errno's.
  static tl::expected<PerfCounter, int> open(const PerfEvent &event, ThreadId tid, Inherit inherit);

  [[nodiscard]] std::optional<EventCount> read() const;

  /// What perf_event_open(2) has returned; stays this object's.
  [[nodiscard]] int descriptor() const { return fd_.get(); }

private:
  explicit PerfCounter(UniqueFd fd) : fd_(std::move(fd)) {}

  UniqueFd fd_;
};

} // namespace awaitscope
