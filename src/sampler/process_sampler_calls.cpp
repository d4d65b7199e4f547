// ProcessSampler's third part: what else a sample has of its reading: which calls go on from sample to sample, their arguments, events.

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
  sample_.calls.other_context = thread.context_version != reading_.context_version;
  thread.context_version = reading_.context_version;
  const std::vector<PythonFrame> &frames = reading_.stack.frames;
  std::size_t first = frames.size() - std::min(frames.size(), reading_.lineage.segments.front().frames.size());
  while (first < frames.size() && frames[first].of_generator) {
    ++first;
  }
  sample_.calls.outer = static_cast<std::uint32_t>(first);
  sample_.calls.count = static_cast<std::uint32_t>(frames.size() - first);
}

/// The request that the accepted reading has found; after take_calls().
void ProcessSampler::take_request() {
  const RequestSight &sight = reading_.lineage.request;
  const bool own_call = sight.task == 0 && reading_.subject && sight.thread_state == reading_.subject->state;
  const bool is_new = own_call && sample_.calls.known && sight.depth >= sample_.calls.same;
  sample_.request = target_->request_ids().of(sight, is_new ? RequestIds::Call::is_new : RequestIds::Call::may_go_on);
}

/// Of calls whose frames are in the sample's stack: what is not belongs to what runs the task.
void ProcessSampler::take_arguments(SampleSink &sink) {
  sample_.arguments.clear();
  if (!options_.arguments || reading_.lineage.segments.empty()) {
    return;
  }
  for (const FunctionFact &fact : target_->arguments().take_facts()) {
    sink.learn(fact);
  }
  const std::size_t depth = reading_.lineage.segments.front().frames.size();
  for (const SeenCall &call : reading_.arguments) {
    if (call.from_leaf < depth) {
      sample_.arguments.push_back(call);
    }
  }
}

/// What the accepted reading has counted.
void ProcessSampler::take_events(TargetThread &thread, ThreadState state, const SchedStat &stat) {
  sample_.events = 0;
  if (!reading_.count) {
    return;
  }
  const EventCount since = reading_.count->since(thread.count_told);
  if (static_cast<std::int64_t>(since.counted) < 0) {
    return; // a clock that was read on two CPUs: what it is ahead is not reported twice
  }
  sample_.events = since.scaled();
  thread.count_told = *reading_.count;
  const bool waits = is_wait(state);
  thread.count_told_at = waits ? stat.times_run : 0;
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
