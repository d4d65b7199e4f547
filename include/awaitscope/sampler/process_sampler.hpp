#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "awaitscope/sampler/engine.hpp"
#include "awaitscope/sampler/last_periods.hpp"
#include "awaitscope/sampler/process_events.hpp"
#include "awaitscope/sampler/sample_batch.hpp"
#include "awaitscope/sampler/sample_sink.hpp"
#include "awaitscope/sampler/steady_thread.hpp"
#include "awaitscope/sampler/target.hpp"
#include "awaitscope/sampler/task_watcher.hpp"
#include "awaitscope/sampler/thread_stats.hpp"
#include "awaitscope/sampler/thread_turns.hpp"

namespace awaitscope {

enum class IdleThreads : std::uint8_t { skip, sample };

/// Whether tasks are looked at that do not run.
enum class AllTasks : std::uint8_t { skip, watch };

struct SamplerOptions {
  double rate_hz = 100;
  std::optional<double> most_share;        ///< of a CPU: what sampling may cost (RateControl)
  std::optional<std::int64_t> duration_ns; ///< none: until stopped, or the target ends
  IdleThreads idle = IdleThreads::skip;
  RootNames root_names = RootNames::skip;
  AllTasks all_tasks = AllTasks::skip;
  std::optional<PerfEvent> event; ///< counted in each thread, besides its CPU time
};

/// Samples the threads of one process: decides which have run, has the engine read those, and hands on what they were in.
class ProcessSampler {
public:
  /// `start_ns`: when the recording began. Counts into `totals`.
  ProcessSampler(std::unique_ptr<Target> target, Engine &engine, SamplerOptions options, std::int64_t start_ns,
                 SamplingTotals &totals)
      : target_(std::move(target)), engine_(engine), options_(std::move(options)), start_ns_(start_ns), totals_(totals),
        thread_stats_(target_->process().pid()), watcher_(*target_, engine, options_.root_names, totals) {
    if (options_.event) {
      events_.emplace(*target_, *options_.event);
    }
  }

  enum class Health : std::uint8_t { running, ended };
  /// `weight`: of the samples, for how many ticks of the rate that was asked for they stand. `others_weight`: another one for all
  /// threads but the one that the engine goes ahead with; 0: these are not looked at.
  Health tick(SampleSink &sink, std::uint64_t weight, std::optional<std::uint64_t> others_weight = std::nullopt);

  /// How many of the coming ticks the engine may take without the sampler: only if nearly all is seen of late that there was to
  /// see.
  [[nodiscard]] std::size_t may_go_ahead(double rate_hz) const;
  /// Has it take these. To be called last, as prepare(). False if it cannot.
  bool go_ahead(std::span<const std::int64_t> due_ns);
  enum class Passed : std::uint8_t {
    none,  ///< yet
    taken, ///< its sample is told, or counted as lost
    asks,  ///< it has to be taken now, by tick()
  };
  /// The next one of those ticks, if it has passed.
  Passed take_passed(SampleSink &sink, std::uint64_t weight);
  void stop_ahead();

  /// To be called after each tick: looks for threads that no sample has shown, if it is time to.
  Health housekeep(std::int64_t now);

  /// To be called last in each tick.
  void prepare() { engine_.prepare(*target_, !turns_.apply() || turns_.now()); }

  /// Drops what the batch holds of this process and proves to be named wrongly. How many samples.
  std::size_t drop_unconfirmed(SampleBatch &batch);

  /// What the kernel has counted of the event in the whole process; none if no event is counted, or that is not known.
  [[nodiscard]] std::optional<EventCount> event_count() const { return events_ ? events_->total() : std::nullopt; }

  [[nodiscard]] ThreadId pid() const { return target_->process().pid(); }

private:
  enum class CountEvents : std::uint8_t { skip, read };
  Health sample(TargetThread &thread, ThreadState state, const SchedStat &stat, SampleSink &sink);
  Health visit(TargetThread &thread, SampleSink &sink);
  Health visit_all(SampleSink &sink, std::uint64_t weight);
  Health visit_if(SampleSink &sink, const std::function<bool(std::size_t)> &wanted);
  Health visit_apart(SampleSink &sink, std::uint64_t weight, std::uint64_t others_weight);
  void tell(TargetThread &thread, ThreadState state, const SchedStat &stat, std::int64_t time_ns, SampleSink &sink);
  [[nodiscard]] bool can_go_ahead(const TargetThread &thread, ThreadState state);
  TargetThread *followed();
  Health ask_and_visit(TargetThread &thread, SampleSink &sink);
  TargetThread *taken_from();
  TargetThread *gil_holder(const TargetThread *taken_from);
  void look(TargetThread &thread, CountEvents count);
  void tell_events(TargetThread &thread, ThreadState state, const SchedStat &stat);
  std::optional<ThreadEntry> choose_state(const TargetThread &thread);
  void settle_states(TargetThread &thread);
  void lose(Loss loss);
  void begin_cpu(TargetThread &thread, const SchedStat &stat) const;
  Health take_over(const std::vector<ThreadEntry> &entries);

  std::unique_ptr<Target> target_;
  Engine &engine_;
  SamplerOptions options_;
  std::int64_t start_ns_;
  SamplingTotals &totals_;
  ThreadStats thread_stats_;
  ThreadTurns turns_;
  SteadyThread steady_;
  TaskWatcher watcher_;
  LastPeriods last_periods_;
  std::optional<ProcessEvents> events_;
  std::size_t ahead_count_ = 0; ///< ticks that the engine takes
  std::size_t ahead_asked_ = 0; ///< of these, that it could not

  // What the last look found; void until the engine has accepted it.
  PythonStack stack_;
  Lineage lineage_;
  std::optional<ThreadEntry> subject_; ///< the thread state that the thread runs in; none if it has none any more
  std::vector<Address> dead_states_;   ///< those that the thread had
  std::optional<EventCount> seen_count_;
  std::uint64_t seen_generation_ = 0;
  std::optional<std::vector<ThreadEntry>> seen_threads_; ///< the new ones, if the generation is another one

  std::uint64_t generation_ = 0;         ///< of the thread list in use
  std::vector<ThreadEntry> new_threads_; ///< to be taken over after the tick
  bool coroutines_seen_ = false;         ///< in an interpreter whose asyncio is not known
  std::int64_t unsettled_until_ns_ = 0;  ///< threads were born just now
  bool first_tick_ = true;
  bool ahead_refused_ = false;         ///< what the engine had copied was not enough
  bool any_sampled_ = false;           ///< at the last tick
  bool any_left_ = false;              ///< since threads were dropped last
  std::optional<Address> seen_holder_; ///< of the GIL, in the last look
  bool holder_known_ = true;           ///< who holds it can be read
  std::uint64_t checked_generation_ = 0;
  std::int64_t next_housekeeping_ns_ = 0;
  Sample sample_;
};

} // namespace awaitscope
