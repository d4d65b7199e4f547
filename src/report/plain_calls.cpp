#include "awaitscope/report/plain_calls.hpp"

#include <algorithm>

namespace awaitscope {
namespace {

constexpr std::int64_t k_not_seen = -1; // of an outer call

} // namespace

/// Ends those from that depth on. `unseen_ns`: when the thread was read without them.
void PlainCallSpans::end(Thread &thread, std::size_t from, std::int64_t unseen_ns, bool ended) {
  for (std::size_t i = thread.calls.size(); i > from; --i) { // innermost first, as they return
    Call &call = thread.calls[i - 1];
    if (call.span.first_seen_ns != k_not_seen && !call.left_out) {
      call.span.last_seen_ns = thread.last_ns;
      call.span.to_ns = thread.last_ns + (unseen_ns - thread.last_ns) / 2;
      call.span.ended = ended;
      visit_(call);
    }
  }
  thread.calls.resize(std::min(thread.calls.size(), from));
}

void PlainCallSpans::add(const SampleRun &run, std::span<const RecordedSeenCall> seen) {
  const RecordedCalls &now = run.calls;
  if (!now.known) {
    return;
  }
  any_ = true;
  Thread &thread = threads_[tables_.threads[run.thread].tid];
  const std::size_t depth = std::size_t{now.outer} + now.count;
  // It may have been read in between, in no call: when first is not known, but mostly at the next tick.
  const bool left = now.before_ns > thread.last_ns + period_ns_;
  end(thread, now.same, left ? thread.last_ns + period_ns_ : run.first_ns, true);
  if (thread.calls.size() < depth) {
    std::vector<Frame> frames = tables_.stacks.frames(run.stack);
    std::erase_if(frames, [](const Frame &frame) { return is_inserted(frame.kind); });
    const std::size_t count = std::min<std::size_t>(now.count, frames.size());
    const std::size_t above = frames.size() - count;
    const std::size_t entry = origins_.outermost_of_project(frames);
    frames.erase(frames.begin(), frames.end() - static_cast<std::ptrdiff_t>(count));
    for (std::size_t i = thread.calls.size(); i < depth; ++i) {
      Call call;
      call.span.first_seen_ns = k_not_seen;
      const std::size_t place = i - std::min<std::size_t>(i, now.outer);
      if (i >= now.outer && place < frames.size() && frames[place].kind == FrameKind::python) {
        call.span.code = frames[place].code;
        call.span.entry = above + place == entry;
        call.span.first_seen_ns = run.first_ns;
        call.span.begun = now.before_ns >= 0;
        call.span.from_ns = call.span.begun ? run.first_ns - (run.first_ns - now.before_ns) / 2 : run.first_ns;
        call.left_out = run.left_out;
        call.thread = run.thread;
        call.task = run.task;
        call.alike = i < std::size_t{now.same} + now.alike;
      }
      thread.calls.push_back(std::move(call));
    }
  }
  for (const RecordedSeenCall &call : seen) {
    const std::size_t place = depth - std::min<std::size_t>(depth, std::size_t{call.from_leaf} + 1);
    if (place >= now.outer && place < depth) {
      thread.calls[place].key = call.key;
    }
  }
  for (std::size_t i = now.outer; i < depth; ++i) {
    thread.calls[i].samples += run.count;
    thread.calls[i].running += run.state == ThreadState::running ? run.count : 0;
    thread.calls[i].queued += run.state == ThreadState::runnable ? run.count : 0;
  }
  thread.last_ns = run.last_ns;
}

void PlainCallSpans::finish(std::int64_t end_ns) {
  for (auto &[tid, thread] : threads_) {
    const bool left = end_ns - thread.last_ns > 2 * period_ns_;
    end(thread, 0, left ? thread.last_ns + period_ns_ : end_ns + (end_ns - thread.last_ns), left);
  }
}

} // namespace awaitscope
