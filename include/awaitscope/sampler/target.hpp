#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "awaitscope/asyncio/lineage.hpp"
#include "awaitscope/asyncio/task_reader.hpp"
#include "awaitscope/cpython/arguments.hpp"
#include "awaitscope/cpython/call_marks.hpp"
#include "awaitscope/cpython/code_cache.hpp"
#include "awaitscope/cpython/interpreter.hpp"
#include "awaitscope/cpython/runtime.hpp"
#include "awaitscope/cpython/stack_reader.hpp"
#include "awaitscope/model/process_description.hpp"
#include "awaitscope/model/sample.hpp"
#include "awaitscope/process/perf_counter.hpp"
#include "awaitscope/process/process.hpp"
#include "awaitscope/process/thread_watch.hpp"
#include "awaitscope/sampler/call_trail.hpp"
#include "awaitscope/sampler/request_ids.hpp"
#include "awaitscope/sampler/sample_sink.hpp"

namespace awaitscope {

/// A thread that runs Python, with what is needed to watch it: one of its thread states. It has one in each interpreter that it
/// has entered, and runs in one of them.
struct TargetThread {
  ThreadEntry entry;
  ThreadWatch watch;
  bool left = false;         ///< it has ended, or its thread state is gone
  bool born = false;         ///< it was found in this tick
  bool shared = false;       ///< the same thread has other thread states that are known
  bool entered = false;      ///< of those the one that it ran in when last sampled
  std::string name;          ///< threading.Thread.name, valid UTF-8; empty while unknown
  std::string kernel_name{}; ///< empty until it was wanted

  // What the kernel said when it was last asked, of the first of its thread states.
  std::optional<SchedStat> stat{};
  SchedStat stat_before{};               ///< what it had said the time before; zero at first
  std::optional<ThreadWatch::Run> run{}; ///< none: it was not asked yet
  [[nodiscard]] bool is_runnable() const { return run == ThreadWatch::Run::runnable; }
  std::optional<std::uint32_t> wakings{}; ///< as Engine::wakings(), before that
  std::optional<bool> on_cpu{};           ///< when that tick began; none: the engine has not found out

  /// Where it was read to be, until it runs again.
  struct Wait {
    std::uint64_t times_run = 0; ///< schedstat's third field then
    ThreadState state = ThreadState::idle;
    std::optional<Sample> sample;  ///< none: its stack was not wanted
    Address root_thread = 0;       ///< of the sample: the thread state at the root
    Address thread_state = 0;      ///< in which it waits
    std::vector<RawFrame> place{}; ///< the innermost frames
  };
  std::optional<Wait> wait{};
  bool sampled = false;                           ///< at any time
  bool frameless = false;                         ///< it was in no Python code when it was read last
  CallTrail calls{};                              ///< if those are followed, and with them:
  std::optional<std::uint64_t> context_version{}; ///< of its last sample
  std::optional<PerfCounter> counter{};           ///< of the event that is recorded
  bool uncounted = false;                         ///< there was no room for a counter
  EventCount count_told{};                        ///< what samples carry of that
  std::uint64_t count_told_at = 0; ///< schedstat's third field when it was reported last, if the thread waited then
};

/// Every reader of one process, over one snapshot of its memory.
class Target {
public:
  Target(Process process, CodeTable &codes);
  Target(const Target &) = delete;
  Target &operator=(const Target &) = delete;

  /// Finds the interpreter. Errors as find_runtime(). Leaves `codes` alone: the thread that attaches need not be the one that reads
  /// processes attached to before, and uses them.
  Result<void> attach();

  /// Decides where thread ids are read, from the current snapshot: in the thread states, unless those name no thread of this
  /// process, or in the C library's descriptors.
  void choose_native_ids();

  /// Takes over this list of Python threads, keeping what is known of those that stay. A thread that is not in it stays as
  /// long as it lives: the list may have been changing while it was read (only the holder of the GIL stands still for it).
  void set_threads(const std::vector<ThreadEntry> &entries);

  /// Adds those of these threads that are not known, in the place of those whose thread states they have. False if there are
  /// none.
  bool add_threads(const std::vector<ThreadEntry> &entries);

  /// Is this a thread in the list?
  [[nodiscard]] bool knows(const ThreadEntry &entry) const;

  /// Forgets the threads that have left.
  void drop_left_threads();

  /// Every known thread state of this thread, in the order in which they were met.
  std::vector<TargetThread *> states_of(ThreadId tid);

  /// Is this the first of its thread's states in the list? That one stands for the thread.
  [[nodiscard]] bool leads(const TargetThread &thread) const;

  /// The threads that were in Python code when they were read last.
  [[nodiscard]] std::unordered_set<ThreadId> in_python() const;

  /// The thread with this thread state, by the first of its states, else `otherwise`.
  TargetThread &thread_of(Address state, TargetThread &otherwise);

  /// Fills in the thread's name, from the current snapshot, unless it is known.
  void read_name(TargetThread &thread);

  /// What the program calls the thread, else what the kernel does (a thread that Python did not start), else "unnamed".
  const std::string &name_of(TargetThread &thread) const;

  /// Finds asyncio in the target, once it has been imported. Cold: see TaskReader::locate().
  void locate_tasks();

  /// sys.path of the main interpreter, and the folders that stand behind its relative entries.
  std::vector<std::string> import_paths();

  MetProcess describe();

  /// What views of one moment say of the process.
  [[nodiscard]] ProcessDescription description() const;

  [[nodiscard]] std::vector<TargetThread> &threads() { return threads_; }
  [[nodiscard]] const Process &process() const { return process_; }
  [[nodiscard]] const CodeTable &codes() const { return codes_; }
  [[nodiscard]] const PythonRuntime &runtime() const { return runtime_; }
  [[nodiscard]] std::optional<std::int64_t> rseq_offset() const { return rseq_offset_; }

  SnapshotMemory &memory() { return snapshot_; }
  ObjectReader &objects() { return objects_; }
  InterpreterReader &interpreters() { return interpreters_; }
  StackReader &stacks() { return stacks_; }
  CallMarkReader &call_marks() { return call_marks_; }
  ArgumentReader &arguments() { return arguments_; }
  TaskReader &tasks() { return tasks_; }
  LineageReader &lineages() { return lineages_; }
  CodeCache &code_cache() { return code_cache_; }
  RequestIds &request_ids() { return request_ids_; }

private:
  /// Whether what is known of it reads as its layout says: for a layout that no table vouches for.
  bool reads_well();
  void index_threads();
  void read_names();
  void name(TargetThread &thread, std::string name) const;
  std::unordered_map<ThreadId, ThreadId> host_ids();
  std::optional<ThreadId> host_id(ThreadId inner, std::unordered_map<ThreadId, ThreadId> &ids);
  std::optional<ThreadWatch> watch_of(const ThreadEntry &entry, std::unordered_map<ThreadId, ThreadId> &ids);

  Process process_;
  ProcessMemory remote_;
  SnapshotMemory snapshot_;
  PythonRuntime runtime_;
  CodeTable &codes_;
  ObjectReader objects_;
  CodeCache code_cache_;
  StackReader stacks_;
  CallMarkReader call_marks_;
  ArgumentReader arguments_;
  InterpreterReader interpreters_;
  TaskReader tasks_;
  LineageReader lineages_;
  RequestIds request_ids_;
  std::vector<TargetThread> threads_;
  std::unordered_map<Address, std::size_t> by_state_; ///< where in the list the one with this thread state is
  std::optional<std::int64_t> rseq_offset_;
  bool same_namespace_ = true; ///< the target counts PIDs as this host does
};

} // namespace awaitscope
