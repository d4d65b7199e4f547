#include "awaitscope/sampler/sample_batch.hpp"

#include <algorithm>
#include <utility>

namespace awaitscope {

void SampleBatch::consume(const Sample &sample, const std::string &thread_name) {
  Held &held = held_[count_++];
  held.sample = sample;
  held.thread_name = thread_name;
  if (count_ == held_.size()) {
    flush();
  }
}

void SampleBatch::meet(ThreadId process, const std::string &command) {
  flush(); // in order: those that it holds may be of the program before
  sink_.meet(process, command);
}

void SampleBatch::consume(const TaskChange &change) {
  flush(); // in order
  sink_.consume(change);
}

std::size_t SampleBatch::drop(ThreadId process, const std::vector<CodeId> &codes) {
  const auto end = held_.begin() + static_cast<std::ptrdiff_t>(count_);
  const auto kept = std::stable_partition(held_.begin(), end, [&](const Held &held) {
    return held.sample.process != process ||
           std::none_of(held.sample.stack.frames.begin(), held.sample.stack.frames.end(), [&](const Frame &frame) {
             return frame.kind != FrameKind::unreadable &&
                    std::find(codes.begin(), codes.end(), frame.code) != codes.end();
           });
  });
  count_ = static_cast<std::size_t>(kept - held_.begin());
  return static_cast<std::size_t>(end - kept);
}

void SampleBatch::flush() {
  if (count_ > 0 && check_) {
    check_();
  }
  for (std::size_t i = 0; i < count_; ++i) {
    sink_.consume(held_[i].sample, held_[i].thread_name);
  }
  count_ = 0;
}

} // namespace awaitscope
