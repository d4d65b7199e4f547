#include "shared_recording.hpp"

#include <utility>

#include <fmt/format.h>
#include <unistd.h>

#include "awaitscope/support/clock.hpp"
#include "awaitscope/support/text.hpp"

namespace awaitscope::tools {

std::unique_lock<std::mutex> SharedRecording::lock() {
  std::unique_lock lock(mutex_);
  while (taken_) { // the process is about to end
    lock.unlock();
    ::pause();
    lock.lock();
  }
  return lock;
}

SamplingTotals SharedRecording::all_of(SamplingTotals totals) const {
  totals.lost[static_cast<std::size_t>(Loss::unwritten)] += unwritten_samples_;
  totals.tasks_left_out += unwritten_changes_;
  return totals;
}

void SharedRecording::begin(RecordingInfo info, const CodeTable &codes, RecordingWriter::PutBlock put,
                            std::function<bool()> full) {
  const auto held = lock();
  full_ = std::move(full);
  sampled_.engine = info.engine;
  writer_.emplace(std::move(info), codes, std::move(put));
}

/// "process 4711 gunicorn: worker [app]", where there can be several.
void SharedRecording::meet(const MetProcess &process) {
  const auto held = lock();
  writer_->name_process(process.pid, fmt::format("process {} {}", process.pid, one_line(valid_utf8(process.name))));
  writer_->add_import_paths(process.import_paths);
}

void SharedRecording::add(const Sample &sample, const std::string &thread_name) {
  const auto held = lock();
  if (full_() && sample.weight != 0) { // accounts are few, and come once
    unwritten_samples_ += sample.weight;
    return;
  }
  writer_->add(sample, thread_name);
}

void SharedRecording::add(const TaskChange &change) {
  const auto held = lock();
  if (full_()) {
    ++unwritten_changes_;
    return;
  }
  writer_->add(change);
}

void SharedRecording::add(const FunctionFact &fact) {
  const auto held = lock();
  writer_->add(fact);
}

std::uint64_t SharedRecording::keep_up(const std::string &engine, const SamplingTotals &totals) {
  const auto held = lock();
  sampled_.totals = all_of(totals);
  sampled_.engine = engine;
  writer_->name_engine(engine);
  writer_->keep_up(monotonic_ns(), sampled_.totals);
  return writer_->samples();
}

void SharedRecording::finish(Sampled sampled) {
  const auto held = lock();
  sampled_ = std::move(sampled);
  sampled_.totals = all_of(std::move(sampled_.totals));
  writer_->name_engine(sampled_.engine);
  writer_->finish(sampled_.totals);
  sampled_.samples = writer_->samples();
}

void SharedRecording::finish_without() {
  const std::lock_guard held(mutex_);
  taken_ = true;
  if (writer_) {
    writer_->finish(sampled_.totals);
    sampled_.samples = writer_->samples();
  }
}

} // namespace awaitscope::tools
