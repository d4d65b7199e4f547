#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "awaitscope/sampler/pacer.hpp"
#include "awaitscope/sampler/process_follower.hpp"
#include "awaitscope/sampler/process_sampler.hpp"
#include "awaitscope/sampler/rate_control.hpp"

namespace awaitscope {

/// The sampling loop: paces, and has every process that is followed sampled at each tick.
class Sampler {
public:
  Sampler(Engine &engine, SamplerOptions options, ProcessFollower &follower)
      : engine_(engine), options_(std::move(options)), follower_(follower), rate_(options_.rate_hz, options_.limit()) {}

  /// Samples `first` and what the follower brings until the duration has passed, `stop` is set, or every process has ended;
  /// each is success.
  SamplingTotals run(std::unique_ptr<Target> first, SampleSink &sink, const std::atomic<bool> &stop);

  /// After run(): why a process that still runs is not sampled any more; none if each ended by itself.
  [[nodiscard]] const std::optional<Error> &failure() const { return failure_; }

  /// Called about four times a second with what was counted so far.
  void on_progress(std::function<void(const SamplingTotals &)> progress) { progress_ = std::move(progress); }

private:
  bool tick(SampleSink &sink, std::uint64_t weight, std::optional<std::uint64_t> others_weight = std::nullopt);
  void plan(std::int64_t due_ns, std::int64_t end_ns, Pacer &pacer);
  bool run_ticks(SampleSink &sink, const std::atomic<bool> &stop);
  bool drain_ticks(ProcessSampler &process, SampleSink &sink, const std::atomic<bool> &stop);
  void take_events(SampleSink &sink);
  void close(ProcessSampler &process);
  bool is_over(const ProcessSampler &process);
  void count_events();
  void count_cpu();
  void add(std::unique_ptr<Target> target, SampleSink &sink);
  [[nodiscard]] std::int64_t cost_ns() const;
  void control_rate(std::int64_t now, Pacer &pacer);
  void note_busy();
  bool sleep_until(std::int64_t due_ns, const std::atomic<bool> &stop);

  Engine &engine_;
  SamplerOptions options_;
  ProcessFollower &follower_;
  RateControl rate_;
  SamplingTotals totals_;
  std::set<std::pair<ThreadId, std::uint64_t>> met_; ///< processes: PID and start time
  std::int64_t slept_at_cpu_ns_ = 0;                 ///< of its thread
  std::int64_t cpu_before_ns_ = 0;                   ///< of the tool, before it sampled
  std::uint64_t start_time_ = 0;                     ///< of a process that would start as the recording does
  EventCount closed_events_;                         ///< of processes that are over
  std::vector<ProcessCpu> closed_cpu_;               ///< of these
  std::uint64_t closed_uncounted_ = 0;               ///< as SamplingTotals::uncounted_threads, of these
  bool events_known_ = true;                         ///< of all of them
  std::optional<Error> failure_;                     ///< the first
  std::int64_t start_ns_ = 0;
  std::vector<std::int64_t> due_; ///< the ticks of the plan
  std::vector<std::unique_ptr<ProcessSampler>> processes_;
  std::vector<Target *> targets_; ///< of these, in a tick
  std::function<void(const SamplingTotals &)> progress_;
  std::int64_t next_progress_ns_ = 0;
};

} // namespace awaitscope
