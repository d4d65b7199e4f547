#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "awaitscope/sampler/cpu_accounts.hpp"
#include "awaitscope/sampler/engine.hpp"
#include "awaitscope/sampler/native_sampler.hpp"
#include "awaitscope/sampler/native_threads.hpp"
#include "awaitscope/sampler/process_events.hpp"
#include "awaitscope/sampler/sample_batch.hpp"
#include "awaitscope/sampler/sample_sink.hpp"
#include "awaitscope/sampler/steady_thread.hpp"
#include "awaitscope/sampler/target.hpp"
#include "awaitscope/sampler/task_watcher.hpp"
#include "awaitscope/sampler/thread_reader.hpp"
#include "awaitscope/sampler/thread_turns.hpp"
#include "awaitscope/sampler/wait_reader.hpp"

namespace awaitscope {

enum class IdleThreads : std::uint8_t { skip, sample };

/// Whether tasks are watched that do not run.
enum class AllTasks : std::uint8_t { skip, watch };

/// Whether it is found out which calls go on from one sample of a thread to the next.
enum class PlainCalls : std::uint8_t { skip, follow };

/// Whether statements of SQL and templates stand in stacks.
enum class LabelFrames : std::uint8_t { skip, read };

struct SamplerOptions {
  double rate_hz = 100;
  std::optional<double> most_share; ///< of a CPU: what sampling may cost (RateControl)
  double most_delay = 0.04; ///< without most_share: of the time, for which it may keep threads from running; 0: any
  std::optional<std::int64_t> duration_ns; ///< none: until stopped, or the target ends
  /// What RateControl keeps to.
  [[nodiscard]] std::optional<double> limit() const {
    return most_share || most_delay == 0 ? most_share : std::optional(most_delay);
  }
  IdleThreads idle = IdleThreads::skip;
  RootNames root_names = RootNames::skip;
  AllTasks all_tasks = AllTasks::skip;
  PlainCalls plain_calls = PlainCalls::skip;
  std::optional<ArgumentChoice> arguments{}; ///< of calls, which are followed then
  LabelFrames labels = LabelFrames::skip;
  RequestDetails request_details{};
  std::optional<NativeFrames> native{}; ///< of threads, among their Python frames
  std::function<bool()> over{};         ///< set by the Sampler: the recording has come to its end
  std::optional<PerfEvent> event;       ///< counted in each thread, besides its CPU time
};

/// Samples the threads of one process.
///
/// A tick has three parts. First the kernel is asked what every thread of every process does at this time, before anything is held: a
/// thread that becomes runnable because the sampler has its CPU must not count as one that was. Then the threads that could run are read, and
/// those that wait in a place that is not known yet. At last the threads that were born since the last tick are sampled in the
/// same way: one that lives for less than a period has no other tick.
class ProcessSampler {
public:
  /// Counts into `totals`. `from`: since when the process's CPU time counts.
  ProcessSampler(std::unique_ptr<Target> target, Engine &engine, SamplerOptions options, CountFrom from,
                 SamplingTotals &totals);

  struct Tick {
    std::int64_t now_ns = 0;  ///< CLOCK_MONOTONIC, when it began
    std::uint64_t weight = 1; ///< of its samples: for how many ticks of the rate that was asked for they stand
    /// Another one for all threads but the one whose ticks the engine arms; 0: these are not sampled.
    std::optional<std::uint64_t> others_weight;
  };
  enum class Health : std::uint8_t { running, ended };

  // A tick has three parts. Each is to be called of all processes before the next one of any: what is asked and read changes who has a
  // CPU, and what waits has time.
  void ask_threads(const Tick &tick);
  Health sample_running(const Tick &tick, SampleSink &sink); ///< those that can run
  Health sample_rest(const Tick &tick, SampleSink &sink);    ///< those that wait, and tasks

  /// How many of the coming ticks the kernel may sample without the sampler: only if nearly all is seen of late that there was to
  /// see.
  [[nodiscard]] std::size_t ticks_to_arm(double rate_hz) const;
  /// Has it sample these. To be called last, as prepare(). False if it cannot.
  bool arm(std::span<const std::int64_t> due_ns);
  enum class Drained : std::uint8_t {
    none,          ///< yet
    sampled,       ///< its sample was emitted, or counted as lost
    needs_sampler, ///< it has to be sampled now, in a tick
  };
  /// The next one of those ticks, if it is over.
  Drained drain(SampleSink &sink, std::uint64_t weight);
  void disarm();

  /// To be called after each tick: searches for what no sample has shown, if it is time to.
  Health housekeep(std::int64_t now, SampleSink &sink);

  /// To be called last in each tick.
  void prepare() { engine_.prepare(*target_, !turns_.apply() || turns_.now()); }

  /// Emits the account of each thread: what it has used since its last sample. To be called once, at the recording's end.
  void finish(SampleSink &sink);

  /// Drops what the batch holds of this process and proves to be named wrongly. How many samples.
  std::size_t drop_unconfirmed(SampleBatch &batch);

  [[nodiscard]] Target &target() { return *target_; }

  /// What the kernel has counted of the event in the whole process; none if no event is counted, or that is not known.
  [[nodiscard]] std::optional<EventCount> event_count() const { return events_ ? events_->total() : std::nullopt; }

  /// As ProcessEvents::uncounted().
  [[nodiscard]] std::uint64_t uncounted() const { return events_ ? events_->uncounted() : 0; }

  /// The CPU time of the whole process, by the kernel's count; none if that is not known.
  [[nodiscard]] std::optional<std::uint64_t> cpu_ns() { return accounts_.process_ns(); }

  [[nodiscard]] ThreadId pid() const { return target_->process().pid(); }

  /// As Process::check_readable(): why it was taken to have ended.
  [[nodiscard]] Result<void> check_readable() const { return target_->process().check_readable(); }

private:
  // A tick.
  void ask(TargetThread &thread);
  [[nodiscard]] bool not_woken(const TargetThread &thread) const;
  void ask_known();
  void ask_apart(std::uint64_t others_weight);
  Health run_all(const Tick &tick, SampleSink &sink);
  Health run_apart(const Tick &tick, SampleSink &sink);
  Health wait_all(const Tick &tick, SampleSink &sink);
  [[nodiscard]] bool waits_for_turn(const TargetThread &thread);
  Health add_born();
  void forget_born();
  Health visit_born(const Tick &tick, SampleSink &sink);
  [[nodiscard]] bool is_done(const TargetThread &thread) const;
  using Wanted = std::function<bool(const TargetThread &)>;
  Health visit_runnable(SampleSink &sink, const Wanted &wanted);
  Health visit_waiting(SampleSink &sink, const Wanted &wanted);
  [[nodiscard]] std::vector<TargetThread *> those(const Wanted &wanted);
  Health visit(TargetThread &thread, SampleSink &sink);
  TargetThread *taken_from();
  GilHolder holder_beside(TargetThread &waiter);
  TargetThread *gil_holder(const TargetThread *taken_from);
  TargetThread *followed();
  void list_born();
  void search(bool lost);

  // One thread.
  Health sample_runnable(TargetThread &thread, SampleSink &sink);
  Health sample_waiting(TargetThread &thread, SampleSink &sink);
  [[nodiscard]] Capture capture(TargetThread &thread);
  [[nodiscard]] static bool has_not_run(const TargetThread &thread);
  [[nodiscard]] ThreadReader::Wanted wanted_of(const TargetThread &thread);
  bool accept(TargetThread &thread);
  void emit(TargetThread &thread, ThreadState state, const SchedStat &stat, std::int64_t time_ns, SampleSink &sink);
  void emit_again(TargetThread &thread, ThreadState state, SampleSink &sink);
  void take_calls(TargetThread &thread, std::int64_t time_ns);
  void take_request();
  void take_arguments(SampleSink &sink);
  void insert_others();
  void leave_calls(TargetThread &thread);
  void take_events(TargetThread &thread, ThreadState state, const SchedStat &stat);
  [[nodiscard]] bool can_arm(const TargetThread &thread, ThreadState state);
  void lose(Loss loss) { ++totals_.lost[static_cast<std::size_t>(loss)]; }

  std::unique_ptr<Target> target_;
  Engine &engine_;
  SamplerOptions options_;
  SamplingTotals &totals_;
  CpuAccounts accounts_;
  NativeThreads natives_;
  ThreadTurns turns_;
  SteadyThread steady_;
  TaskWatcher watcher_;
  ThreadReader reader_;
  WaitReader waits_;
  ThreadReading reading_;      ///< the last one
  SnapshotMemory list_memory_; ///< in which lists of threads are read
  std::optional<ProcessEvents> events_;
  std::optional<NativeSampler> native_;
  Sample sample_; ///< the last one

  TargetThread *taken_ = nullptr;  ///< in this tick: the one that the sampler took the CPU from, if that is known
  std::array<ThreadId, 2> done_{}; ///< likewise: those that were sampled before the others

  std::size_t armed_ = 0;        ///< ticks for the kernel to sample
  std::size_t unserved_ = 0;     ///< of these, that it could not
  bool copy_incomplete_ = false; ///< what the kernel had copied was not enough

  bool wakings_hidden_ = false; ///< one was not counted

  std::uint64_t generation_ = 0;          ///< of the thread list in use
  std::uint64_t searched_generation_ = 0; ///< of the list that was last read whole
  std::vector<ThreadEntry> new_threads_;  ///< to be taken over after the tick
  std::int64_t unsettled_until_ns_ = 0;   ///< threads were born just now
  bool asyncio_unknown_ = false;          ///< a coroutine runs in an interpreter whose asyncio is not known
  bool any_sampled_ = false;              ///< at the last tick
  bool any_read_ = false;                 ///< at the last tick, with the generation of the list of threads
  bool any_left_ = false;                 ///< since threads were dropped last
  bool holder_known_ = true;              ///< who holds the GIL can be read
  std::int64_t last_tick_ns_ = 0;         ///< 0: there was none
  std::int64_t next_housekeeping_ns_ = 0;
  std::int64_t next_natives_ns_ = 0;
};

} // namespace awaitscope
