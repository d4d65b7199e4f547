#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "awaitscope/recording/writer.hpp"
#include "awaitscope/sampler/process_follower.hpp"
#include "awaitscope/sampler/sample_sink.hpp"

namespace awaitscope::tools {

/// What came of the sampling.
struct Sampled {
  SamplingTotals totals;
  std::uint64_t samples = 0;    ///< as Recorded
  std::string pace_note;        ///< as PaceNotes::finish()
  std::string engine;           ///< that was in use at the end
  std::uint64_t copied = 0;     ///< as Engine::copied()
  std::optional<Error> failure; ///< what ended it, or kept it empty
};

/// A recording that is written by the thread that samples, and can be finished without it by the thread that watches over that:
/// one that never comes back from a read. Should it come back after all, it stays in its next call of any of these.
class SharedRecording {
public:
  /// Before everything else. While `full` says so nothing is recorded, and counted as lost.
  void begin(RecordingInfo info, const CodeTable &codes, RecordingWriter::PutBlock put, std::function<bool()> full);

  void meet(const MetProcess &process);
  void add(const Sample &sample, const std::string &thread_name);
  void add(const TaskChange &change);
  void add(const FunctionFact &fact);
  /// As RecordingWriter::keep_up(). Returns how many samples there are.
  std::uint64_t keep_up(const std::string &engine, const SamplingTotals &totals);
  /// `sampled` without its number of samples.
  void finish(Sampled sampled);

  /// For the other thread: finishes it with what it was given by the last keep_up(), and later samples.
  void finish_without();

  /// Once it is finished.
  [[nodiscard]] const Sampled &sampled() const { return sampled_; }

private:
  /// Held by whoever uses the writer.
  std::unique_lock<std::mutex> lock();
  /// With what was not recorded.
  [[nodiscard]] SamplingTotals all_of(SamplingTotals totals) const;

  std::mutex mutex_;
  bool taken_ = false; ///< by finish_without()
  std::optional<RecordingWriter> writer_;
  std::function<bool()> full_;
  std::uint64_t unwritten_samples_ = 0;
  std::uint64_t unwritten_changes_ = 0;
  Sampled sampled_;
};

class RecordingSink final : public SampleSink {
public:
  RecordingSink(SharedRecording &recording, Children children) : recording_(recording), children_(children) {}
  void meet(const MetProcess &process) override {
    if (children_ == Children::follow) {
      recording_.meet(process);
    }
  }
  void consume(const Sample &sample, const std::string &thread_name) override { recording_.add(sample, thread_name); }
  void consume(const TaskChange &change) override { recording_.add(change); }
  void learn(const FunctionFact &fact) override { recording_.add(fact); }

private:
  SharedRecording &recording_;
  Children children_;
};

} // namespace awaitscope::tools
