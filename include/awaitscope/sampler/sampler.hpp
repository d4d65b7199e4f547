#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "awaitscope/model/sample.hpp"
#include "awaitscope/sampler/engine.hpp"
#include "awaitscope/sampler/target.hpp"

namespace awaitscope {

enum class IdleThreads : std::uint8_t { skip, sample };

struct SamplerOptions {
  double rate_hz = 100;
  std::optional<std::int64_t> duration_ns; ///< none: until stopped, or the target ends
  IdleThreads idle = IdleThreads::skip;
  RootNames root_names = RootNames::skip;
};

/// Takes the samples, some time after they were taken and several at once. Must not throw and is called while the target's
/// thread may be waiting for its CPU: be brief.
class SampleSink {
public:
  SampleSink() = default;
  SampleSink(const SampleSink &) = delete;
  SampleSink &operator=(const SampleSink &) = delete;
  virtual ~SampleSink() = default;

  /// `thread_name` is what the program calls the thread, else its TID.
  virtual void consume(const Sample &sample, const std::string &thread_name) = 0;
};

/// The sampling loop: paces, decides which threads have run, has the engine read those, stitches and hands on.
class Sampler {
public:
  Sampler(Target &target, Engine &engine, const SamplerOptions &options)
      : target_(target), engine_(engine), options_(options) {}

  /// Samples until the duration has passed, `stop` is set, or the target has ended; each is success.
  SamplingTotals run(SampleSink &sink, const std::atomic<bool> &stop);

  /// Called about four times a second with what was counted so far.
  void on_progress(std::function<void(const SamplingTotals &)> progress) { progress_ = std::move(progress); }

private:
  enum class Health : std::uint8_t { running, ended };

  Health tick(SampleSink &sink);
  Health sample(TargetThread &thread, ThreadState state, const SchedStat &stat, SampleSink &sink);
  void look(TargetThread &thread);
  void housekeep();
  bool sleep_until(std::int64_t due_ns, const std::atomic<bool> &stop) const;
  void lose(Loss loss, std::uint64_t count = 1);

  Target &target_;
  Engine &engine_;
  SamplerOptions options_;
  SamplingTotals totals_;
  std::function<void(const SamplingTotals &)> progress_;

  // What the last look found; void until the engine has accepted it.
  PythonStack stack_;
  std::optional<TaskChain> chain_;
  bool thread_valid_ = false;
  std::uint64_t seen_generation_ = 0;
  std::optional<std::vector<ThreadEntry>> seen_threads_; ///< the new ones, if the generation is another one

  std::uint64_t generation_ = 0;         ///< of the thread list in use
  std::vector<ThreadEntry> new_threads_; ///< to be taken over after the tick
  bool coroutines_seen_ = false;
  std::uint64_t checked_generation_ = 0;
  std::int64_t next_housekeeping_ns_ = 0;
  std::int64_t next_progress_ns_ = 0;
  Sample sample_;
};

} // namespace awaitscope
