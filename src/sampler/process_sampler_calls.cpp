// ProcessSampler's third part: which calls go on from sample to sample.

#include <algorithm>
#include <vector>

#include "awaitscope/sampler/process_sampler.hpp"
#include "awaitscope/support/clock.hpp"

namespace awaitscope {

/// Which calls the accepted reading shares with the thread's sample before. Those of plain functions are what its own frames end
/// with, behind the coroutines that a task runs.
void ProcessSampler::take_calls(TargetThread &thread, std::int64_t time_ns) {
  sample_.calls = {};
  if (options_.plain_calls == PlainCalls::skip || reading_.lineage.segments.empty()) {
    return;
  }
  sample_.calls = thread.calls.follow(reading_.calls, time_ns);
  const std::vector<PythonFrame> &frames = reading_.stack.frames;
  std::size_t first = frames.size() - std::min(frames.size(), reading_.lineage.segments.front().frames.size());
  while (first < frames.size() && frames[first].of_generator) {
    ++first;
  }
  sample_.calls.outer = static_cast<std::uint32_t>(first);
  sample_.calls.count = static_cast<std::uint32_t>(frames.size() - first);
}

/// Of calls whose frames are in the sample's stack: what is not belongs to what runs the task.
void ProcessSampler::take_arguments() {
  sample_.arguments.clear();
  if (reading_.lineage.segments.empty()) {
    return;
  }
  const std::size_t depth = reading_.lineage.segments.front().frames.size();
  for (const SeenCall &call : reading_.arguments) {
    if (call.from_leaf < depth) {
      sample_.arguments.push_back(call);
    }
  }
}

/// The thread waits for work, and has no sample.
void ProcessSampler::leave_calls(TargetThread &thread) {
  constexpr std::size_t k_innermost = 3;
  if (options_.plain_calls == PlainCalls::skip) {
    return;
  }
  std::vector<std::uint64_t> places;
  if (thread.wait) {
    for (const RawFrame &frame : thread.wait->place) {
      places.push_back(CallMarkReader::place_of(frame.address, frame.code));
    }
  } else { // it was read otherwise
    for (auto call = reading_.calls.rbegin(); call != reading_.calls.rend() && places.size() < k_innermost; ++call) {
      places.push_back(call->place);
    }
  }
  thread.calls.leave(places, monotonic_ns());
}

} // namespace awaitscope
