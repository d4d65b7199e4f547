#include "awaitscope/report/call_spans.hpp"

#include <algorithm>

#include "task_frames.hpp"

namespace awaitscope {

std::size_t begin_of_own(const std::vector<Frame> &frames) {
  const auto border = std::find_if(frames.rbegin(), frames.rend(),
                                   [](const Frame &frame) { return frame.kind == FrameKind::task_border; });
  return static_cast<std::size_t>(frames.rend() - border);
}

std::vector<Frame> own_frames(std::vector<Frame> frames) {
  frames.erase(frames.begin(), frames.begin() + static_cast<std::ptrdiff_t>(begin_of_own(frames)));
  frames.erase(
      std::remove_if(frames.begin(), frames.end(), [](const Frame &frame) { return frame.kind != FrameKind::python; }),
      frames.end());
  return frames;
}

void add_wait(std::vector<AwaitedTime> &waits, const AwaitedTime &time) {
  const auto known = std::find_if(waits.begin(), waits.end(), [&](const AwaitedTime &wait) {
    return wait.code == time.code && wait.kind == time.kind;
  });
  if (known == waits.end()) {
    waits.push_back(time);
  } else {
    known->ns += time.ns;
  }
}

void CallSpans::close(Calls &calls, std::size_t from, bool ended) {
  for (std::size_t i = calls.size(); i > from; --i) { // innermost first, as they return
    calls[i - 1].ended = ended;
    const auto task = static_cast<std::uint32_t>(&calls - tasks_.data());
    visit_(task, calls[i - 1]);
  }
  calls.resize(std::min(calls.size(), from));
}

void CallSpans::add(const TaskSpan &span) {
  if (span.task >= tasks_.size()) {
    tasks_.resize(span.task + std::size_t{1});
  }
  Calls &calls = tasks_[span.task];
  const std::vector<Frame> stack = tables_.stacks.frames(span.stack);
  const std::vector<Frame> frames = own_frames(stack);
  std::size_t same = 0;
  const std::size_t most = std::min({calls.size(), frames.size(), static_cast<std::size_t>(span.new_from)});
  while (same < most && calls[same].code == frames[same].code) {
    ++same;
  }
  close(calls, same, true); // each reached to this span's beginning
  const bool in_other_task = origins_.outermost_of_project(stack) < begin_of_own(stack);
  const std::size_t entry = in_other_task ? frames.size() : origins_.outermost_of_project(frames);
  for (std::size_t i = same; i < frames.size(); ++i) {
    CallSpan call;
    call.entry = i == entry;
    call.code = frames[i].code;
    call.from_ns = span.from_ns;
    call.first_seen_ns = span.first_seen_ns;
    call.begun = span.begun;
    calls.push_back(std::move(call));
  }
  const auto waited = static_cast<std::uint64_t>(span.state == TaskState::waiting ? span.to_ns - span.from_ns : 0);
  const WaitKind kind = waited > 0 ? kinds_.kind_of(frames) : WaitKind::unknown;
  for (CallSpan &call : calls) {
    call.to_ns = span.to_ns;
    call.last_seen_ns = span.last_seen_ns;
    call.await_ns += waited;
    if (waited > 0 && &call != &calls.back()) {
      add_wait(call.await_on, {frames.back().code, kind, waited});
    }
  }
  if (span.task_ended) {
    close(calls, 0, true);
  }
}

void CallSpans::finish() {
  for (Calls &calls : tasks_) {
    close(calls, 0, false);
  }
}

} // namespace awaitscope
