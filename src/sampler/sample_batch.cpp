#include "awaitscope/sampler/sample_batch.hpp"

#include <algorithm>
#include <span>
#include <utility>

namespace awaitscope {

namespace {

bool has_any(const std::vector<Frame> &frames, const std::vector<CodeId> &codes) {
  return std::any_of(frames.begin(), frames.end(), [&](const Frame &frame) {
    return is_named(frame.kind) && std::find(codes.begin(), codes.end(), frame.code) != codes.end();
  });
}

} // namespace

void SampleBatch::added() {
  if (++count_ == held_.size()) {
    flush();
  }
}

void SampleBatch::consume(const Sample &sample, const std::string &thread_name) {
  Held &held = held_[count_];
  held.is_change = false;
  held.sample = sample;
  held.thread_name = thread_name;
  added();
}

void SampleBatch::consume(const TaskChange &change) {
  Held &held = held_[count_];
  held.is_change = true;
  held.change = change;
  added();
}

void SampleBatch::meet(const MetProcess &process) {
  flush(); // in order: those that it holds may be of the program before
  sink_.meet(process);
}

std::size_t SampleBatch::drop(ThreadId process, const std::vector<CodeId> &codes) {
  const auto end = held_.begin() + static_cast<std::ptrdiff_t>(count_);
  for (Held &held : std::span(held_).first(count_)) {
    if (held.is_change && held.change.process == process && has_any(held.change.frames, codes)) {
      held.change.frames.assign(1, k_unreadable_frame);
      held.change.new_from = 0;
    }
  }
  const auto kept = std::stable_partition(held_.begin(), end, [&](const Held &held) {
    return held.is_change || held.sample.process != process || !has_any(held.sample.stack.frames, codes);
  });
  count_ = static_cast<std::size_t>(kept - held_.begin());
  return static_cast<std::size_t>(end - kept);
}

void SampleBatch::flush() {
  if (count_ > 0 && check_) {
    check_();
  }
  for (std::size_t i = 0; i < count_; ++i) {
    if (held_[i].is_change) {
      sink_.consume(held_[i].change);
    } else {
      sink_.consume(held_[i].sample, held_[i].thread_name);
    }
    if (pause_) {
      pause_();
    }
  }
  count_ = 0;
}

} // namespace awaitscope
