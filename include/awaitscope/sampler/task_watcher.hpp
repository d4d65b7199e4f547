#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "awaitscope/asyncio/task_looks.hpp"
#include "awaitscope/sampler/engine.hpp"
#include "awaitscope/sampler/sample_sink.hpp"
#include "awaitscope/sampler/target.hpp"
#include "awaitscope/sampler/task_stacks.hpp"

namespace awaitscope {

/// Reads the tasks of a process again and again, and emits what changed. A reading has two parts. The scan compares what every
/// task was read from with what is there now, while the target runs on: it can be wrong, and only says what to read. What is
/// emitted of those that it suspects, each with the tasks that it stands under, is the scan's if the thread of their loop was
/// blocked throughout; else they are read again, a few at a time, while that thread is held off its CPU. So it is held only
/// briefly however many tasks there are; held for longer, it would be taken to another CPU.
///
/// A loop whose thread has not run since the last scan is left out: tasks that wait cost nothing. A tick at which it had not run
/// proves that nothing changed until then: what the next scan finds changed did so after that tick, however long ago the last
/// scan was.
///
/// Scans take at most a quarter of the time, whatever the sampling rate: with very many tasks they are further apart. Most of many
/// tasks wait for long: where no more than half of them have changed within the last second, those are scanned between the scans of
/// all, and each of the two takes an eighth of the time at most. Each change says between which two times it happened.
class TaskWatcher {
public:
  /// Counts its looks into `totals`.
  TaskWatcher(Target &target, Engine &engine, RootNames names, SamplingTotals &totals)
      : target_(target), engine_(engine), names_(names), totals_(totals), held_memory_(target.memory().remote()),
        all_(target, 0), recent_(target, 1) {}

  /// Asked now and then: once it says yes, the recording is over, and no scan goes on.
  void end_when(const std::function<bool()> &over) {
    over_ = over;
    all_.looks.end_when(over);
    recent_.looks.end_when(over);
  }

  /// To be called at each tick.
  void look(SampleSink &sink);

  /// Code that the last looks took to be known was another (CodeCache::confirm): all tasks are read again at the next.
  void distrust() {
    all_.looks.forget();
    recent_.looks.forget();
  }

  /// CPU time that this task has used, as a sample says.
  void charge(Address task, std::uint64_t cpu_ns) { charged_[task] += cpu_ns; }

private:
  /// A thread that runs a loop.
  struct Loop {
    std::uint64_t times_run = 0; ///< schedstat's third field at the last scan
    bool was_blocked = false;
    /// Until when what the last whole scan found is known to be so: when that began, or the last tick at which the thread
    /// had not run since.
    std::int64_t unchanged_ns = 0;
  };
  struct AwakeLoop {
    TargetThread *thread = nullptr;
    Address address = 0;
    Loop *known = nullptr;
    std::uint64_t times_run = 0; ///< at this tick
    bool is_blocked = false;     ///< when the scan begins
  };
  /// One kind of scan: what it has read, and when the next one may be.
  struct Scan {
    Scan(Target &target, std::size_t serial)
        : memory(target.memory().remote(), SnapshotMemory::Changes::track), looks(target.tasks(), target.memory()),
          number(serial) {}
    SnapshotMemory memory; ///< swapped in for each
    TaskLooks looks;
    std::size_t number;       ///< of WatchedTask::serials
    std::int64_t cost_ns = 0; ///< averaged over the last ones
    std::int64_t next_ns = 0;
    std::int64_t began_ns = 0;
    std::int64_t ended_ns = 0; ///< without what is read while the thread is held
  };
  /// Between which two looks something became different. The later one is the scan, if what was read while the
  /// thread stood still is what that had found.
  struct When {
    std::int64_t now_ns = 0;
    std::int64_t before_ns = 0; ///< 0: there was none
  };
  /// A task that became different.
  struct Change {
    WatchedTask *task = nullptr;
    std::uint32_t new_from = 0;
    When when;
  };
  /// What a task was found to be while its thread stood still.
  struct Sight {
    TaskLook look; ///< none that is done, or where there is no task any more
    bool there = false;
    Lineage starter; ///< what it stands under in a thread that waits for it
  };

  void find_loops(std::int64_t now_ns);
  void wake_loops(std::int64_t now_ns);
  void begin_awake();
  void begin_codes();
  bool scan_all();
  bool scan_recent(const std::vector<Address> &places);
  void begin_scan(Scan &scan);
  void end_scan(bool whole);
  void scanned_recent(const AwakeLoop &loop);
  void finish(std::int64_t since_ns, SampleSink &sink);
  void settle_all(SampleSink &sink);
  std::vector<Address> recent_tasks(std::int64_t now_ns);
  void forget_orphans(SampleSink &sink);
  [[nodiscard]] bool late();
  [[nodiscard]] bool is_suspect(const TaskLooks::Entry &entry, const WatchedTask *known) const;
  [[nodiscard]] std::vector<Address> suspects_of(Address loop) const;
  bool settle(const AwakeLoop &loop, SampleSink &sink);
  bool accept(const AwakeLoop &loop, std::span<const Address> suspects, SampleSink &sink);
  bool confirm(const AwakeLoop &loop, std::span<const Address> suspects, SampleSink &sink);
  CaptureStatus confirm_some(const AwakeLoop &loop, std::span<const Address> suspects, SampleSink &sink);
  void read(const AwakeLoop &loop, std::span<const Address> suspects);
  void read_task(const AwakeLoop &loop, Address place, const std::vector<Address> &running);
  void read_running(Address thread_state, TaskLook &look);
  void take_over(const AwakeLoop &loop, SampleSink &sink);
  static When since(const WatchedTask &task, const When &when);
  void compare(Address place, const Sight &sight, const When &when, std::vector<Change> &changes, SampleSink &sink);
  TaskBase base_of(const Lineage &lineage);
  void emit(WatchedTask &task, TaskState state, std::uint32_t new_from, const When &when, SampleSink &sink);

  Target &target_;
  Engine &engine_;
  RootNames names_;
  SamplingTotals &totals_;
  SnapshotMemory held_memory_; ///< what is used while a thread stands still: so too
  Scan all_;
  Scan recent_;
  Scan *scan_ = &all_;     ///< the last one
  std::int64_t parts_ = 0; ///< of the time: a kind of scan takes one of them at most
  TaskStacks stacks_;
  std::uint64_t scans_ = 0;              ///< of all tasks
  std::unordered_set<Address> suspects_; ///< that are to be read while their thread stands still
  std::vector<RemoteRange> ranges_;
  std::unordered_map<Address, Sight> sights_; ///< what the last reading found; void until the engine has accepted it

  std::unordered_map<Address, std::uint64_t> charged_;
  std::unordered_map<Address, Loop> loops_;             ///< by loop
  std::unordered_map<Address, Address> loop_of_thread_; ///< by thread state
  std::unordered_set<Address> run_;                     ///< the loops that a thread runs, at this look
  std::vector<AwakeLoop> awake_;                        ///< those whose thread has run since the last look
  std::function<bool()> over_;
  std::int64_t settle_until_ns_ = 0; ///< what is not read by then is left for the next scan
  bool left_some_ = false;           ///< after the last scan
  std::int64_t next_search_ns_ = 0;
  std::int64_t searched_ns_ = 0; ///< when loops were looked for last
};

} // namespace awaitscope
