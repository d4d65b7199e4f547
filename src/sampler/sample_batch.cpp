#include "awaitscope/sampler/sample_batch.hpp"

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

void SampleBatch::flush() {
  for (std::size_t i = 0; i < count_; ++i) {
    sink_.consume(held_[i].sample, held_[i].thread_name);
  }
  count_ = 0;
}

} // namespace awaitscope
