#include "awaitscope/sampler/thread_reader.hpp"

#include <algorithm>

#include "awaitscope/support/clock.hpp"

namespace awaitscope {

/// The thread state that a thread runs in: of those with a call in them the one that is attached, or, while the thread waits or is
/// in C code without the GIL, the one that it was last seen to run in, or else that of the newest interpreter: one interpreter
/// runs inside another's call.
void ThreadReader::choose_state(const TargetThread &thread, ThreadReading &reading) {
  reading.dead_states.clear();
  reading.subject.reset();
  InterpreterReader &interpreters = target_.interpreters();
  const auto is_other = [&](const ThreadEntry &entry) { return entry.native_id == thread.entry.native_id; };
  const auto &fresh = reading.new_threads;
  const bool alone = !thread.shared && (!fresh || std::none_of(fresh->begin(), fresh->end(), is_other));
  int best_rank = -1;
  const auto consider = [&](const ThreadEntry &entry, bool entered) {
    if (!interpreters.same_thread(entry)) {
      reading.dead_states.push_back(entry.state);
      return;
    }
    const bool inside = !alone && target_.stacks().has_frames(entry.state);
    const int rank = !inside ? 0 : interpreters.attached(entry) ? 3 : entered ? 2 : 1;
    if (rank > best_rank || (rank == best_rank && entry.interpreter_id > reading.subject->interpreter_id)) {
      reading.subject = entry;
      best_rank = rank;
    }
  };
  if (alone) {
    consider(thread.entry, true);
    return;
  }
  for (const TargetThread *state : target_.states_of(thread.watch.tid())) {
    consider(state->entry, state->entered);
  }
  for (const ThreadEntry &entry : fresh ? *fresh : std::vector<ThreadEntry>{}) {
    if (is_other(entry)) {
      consider(entry, false);
    }
  }
}

void ThreadReader::begin_codes(const ThreadEntry &subject) {
  // All that is reported of it goes through the sink, which asks confirm() first.
  target_.code_cache().begin(subject.interpreter_id == 0 ? subject.interpreter : 0, monotonic_ns());
}

void ThreadReader::read(TargetThread &thread, const Wanted &wanted, std::uint64_t generation, ThreadReading &reading) {
  reading.generation = target_.interpreters().thread_generation();
  reading.new_threads.reset();
  reading.asyncio_unknown = false;
  if (reading.generation != generation) {
    reading.new_threads =
        target_.interpreters().threads([this](const ThreadEntry &entry) { return target_.knows(entry); });
  }
  reading.gil_holder.reset();
  if (wanted.gil_holder) {
    reading.gil_holder = target_.interpreters().gil_holder(thread.entry.interpreter);
  }
  choose_state(thread, reading);
  if (!reading.subject) {
    return;
  }
  const ThreadEntry &subject = *reading.subject;
  target_.read_name(thread);
  begin_codes(subject);
  target_.stacks().read(subject.state, reading.stack);
  if (wanted.native != nullptr) {
    wanted.native->copy(thread, subject.state, reading.native);
  }
  reading.calls.clear();
  const bool whole = reading.stack.frames.empty() || reading.stack.frames.front().frame.kind != FrameKind::unreadable;
  if (wanted.calls && whole) {
    target_.call_marks().read(target_.stacks(), reading.calls);
  }
  reading.arguments.clear();
  if (wanted.arguments && !reading.calls.empty()) {
    target_.arguments().read(target_.stacks(), thread.calls.same(reading.calls), reading.arguments);
  }
  reading.context_version.reset();
  if (wanted.calls) {
    const Layout &layout = target_.runtime().layout;
    reading.context_version = target_.memory().get<std::uint64_t>(subject.state + layout.ts_context_version);
  }
  reading.statement = target_.tasks().statements().read(reading.stack);
  reading.templates.clear();
  if (wanted.templates) {
    target_.tasks().templates().read(reading.stack, reading.templates);
  }
  target_.lineages().trace(subject.state, reading.stack, names_, reading.lineage);
  reading.asyncio_unknown = !target_.tasks().located_in(subject.interpreter) &&
                            std::any_of(reading.stack.frames.begin(), reading.stack.frames.end(),
                                        [](const PythonFrame &frame) { return frame.of_generator; });
  // In here, so that it is the count at the time of the stack; and the kernel need not ask another CPU for it, since the thread
  // is on none.
  reading.count = wanted.count ? thread.counter->read() : std::nullopt;
}

std::vector<RawFrame> ThreadReader::innermost(TargetThread &thread, std::size_t count, ThreadReading &reading) {
  choose_state(thread, reading);
  if (!reading.subject) {
    return {};
  }
  begin_codes(*reading.subject);
  return target_.stacks().innermost(reading.subject->state, count);
}

void ThreadReader::settle(TargetThread &thread, const ThreadReading &reading) {
  if (!thread.shared) {
    thread.left = !reading.subject;
    return;
  }
  for (TargetThread *state : target_.states_of(thread.watch.tid())) {
    state->left = std::find(reading.dead_states.begin(), reading.dead_states.end(), state->entry.state) !=
                  reading.dead_states.end();
    state->entered = reading.subject && state->entry.state == reading.subject->state;
  }
}

} // namespace awaitscope
