#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "awaitscope/model/argument_calls.hpp"
#include "awaitscope/model/event_count.hpp"
#include "awaitscope/model/native_stack.hpp"
#include "awaitscope/model/request.hpp"
#include "awaitscope/model/stack.hpp"

namespace awaitscope {

/// What a thread did when it was sampled. The first two are those of the scheduler. A thread that waits otherwise waits for the GIL if
/// it is in futex(2) on it; else it is idle where it waits for work (IdlePlaces), and blocked in any other call.
enum class ThreadState : std::uint8_t {
  running,  ///< on a CPU
  runnable, ///< it waits for a CPU
  gil,      ///< it waits for the GIL
  blocked,  ///< it waits in a call of the program's own
  idle,     ///< it waits for work
};

inline constexpr std::size_t k_thread_states = 5;

constexpr std::string_view name_of(ThreadState state) {
  switch (state) {
  case ThreadState::running:
    return "running";
  case ThreadState::runnable:
    return "runnable";
  case ThreadState::gil:
    return "gil";
  case ThreadState::blocked:
    return "blocked";
  case ThreadState::idle:
    break;
  }
  return "idle";
}

/// Does it neither run nor wait for a CPU?
constexpr bool is_wait(ThreadState state) { return state != ThreadState::running && state != ThreadState::runnable; }

/// Why a sample that was due is not in the recording.
enum class Loss : std::uint8_t {
  late,   ///< the sampler woke more than a period late: these ticks never happened
  moved,  ///< the thread ran on whenever it was read
  no_cpu, ///< the sampler may not run on the thread's CPU (a cpuset forbids it)
  unreadable, ///< the thread stood still, yet its stack made no sense, or its code was replaced before its name was confirmed
  ended,     ///< the thread could run, and ended before it was read
  unwritten, ///< it was taken, but the output did not take what was recorded before
  unstopped, ///< the thread did not stop in time, or somebody else traces it
  count_,
};

constexpr std::string_view name_of(Loss loss) {
  switch (loss) {
  case Loss::late:
    return "late";
  case Loss::moved:
    return "moved";
  case Loss::no_cpu:
    return "cpu not allowed";
  case Loss::ended:
    return "ended";
  case Loss::unwritten:
    return "output too slow";
  case Loss::unstopped:
    return "not stopped";
  default:
    return "unreadable";
  }
}

/// Which calls of a thread a sample shares with the thread's sample before, by the calls in which the thread was, the outermost
/// first. Only of plain functions is it known how many of them a stack has: coroutines are calls of tasks.
struct SampledCalls {
  bool known = false;         ///< else the sample says nothing of calls, and they may go on
  std::uint32_t outer = 0;    ///< calls that are not among those: of what runs the loop, of coroutines
  std::uint32_t count = 0;    ///< calls of plain functions that the stack ends with
  std::uint32_t same = 0;     ///< of all these, how many were calls of the sample before
  std::uint32_t alike = 0;    ///< of those behind them, how many nothing tells from the call that ended there last
  std::int64_t before_ns = 0; ///< CLOCK_MONOTONIC: when the thread was read last before, wherever it was; 0: never
  bool other_context = false; ///< it entered or left contexts (PEP 567) since, as each callback of an event loop does

  [[nodiscard]] bool all_same() const { return known && same == outer + count; }
};

/// The thread that held the GIL while another one waited for it. No tid: none did, or one that is not known.
struct GilHolder {
  ThreadId tid = 0;
  std::string thread_name; ///< as that of its own samples
};

/// A sample of one thread. The stack is whole, or carries an unreadable frame.
struct Sample {
  std::int64_t time_ns = 0; ///< CLOCK_MONOTONIC
  ThreadId process = 0;     ///< PID of the host
  ThreadId tid = 0;
  ThreadState state = ThreadState::running;
  LogicalStack stack;
  Address task = 0;         ///< the task that runs; 0: none, or not known
  std::string task_name;    ///< given by the program to the root task; empty if none
  std::uint64_t cpu_ns = 0; ///< CPU time that the thread has used since its sample before, by the kernel's count
  std::uint64_t events = 0; ///< counted in the thread since its sample before
  std::uint64_t weight =
      1; ///< ticks of the rate that was asked for: more than one where the rate was lowered, or a thread is
         ///< sampled in some ticks only. 0: the account of a thread at the end of the recording. It has no
         ///< stack, and `cpu_ns` is what the thread has used since its last sample
  SampledCalls calls;
  SampledRequest request;                       ///< that the stack works for
  std::shared_ptr<const std::string> statement; ///< of SQL, without its values, that the thread executes; null: none
  GilHolder gil_holder;                         ///< if it waits for the GIL
  std::vector<SeenCall>
      arguments; ///< of calls that no sample has seen before, if arguments are read; the outermost first
};

/// What the kernel says that a process has used while it was recorded, or since its birth if that was later.
struct ProcessCpu {
  ThreadId process = 0;
  std::uint64_t cpu_ns = 0;
};

/// What a recording says about itself.
struct SamplingTotals {
  std::uint64_t ticks = 0;     ///< moments at which the process was looked at
  std::uint64_t samples = 0;   ///< thread samples taken
  std::uint64_t alone = 0;     ///< of the ticks, taken by the kernel while the sampler slept; not in a recording
  std::uint64_t partial = 0;   ///< of these, with an unreadable part
  std::uint64_t retries = 0;   ///< reads repeated because the thread had run on meanwhile
  std::int64_t elapsed_ns = 0; ///< first to last tick
  std::int64_t read_ns = 0;    ///< time spent reading while the thread could not run, all threads
  std::int64_t longest_read_ns = 0;
  /// The sampler's CPU time, and that of the kernel's ticks without it: more than this it cannot have delayed the processes.
  /// 0: an older recording, which does not say.
  std::int64_t busy_ns = 0;
  std::int64_t longest_busy_ns = 0; ///< between two sleeps
  std::optional<std::uint64_t>
      process_cpu_ns;                  ///< the sum of all processes, by the kernel's count; none if it is not known
  std::vector<ProcessCpu> process_cpu; ///< by process
  std::optional<EventCount> process_events; ///< counted in all threads of all processes; none if that is not known
  std::array<std::uint64_t, static_cast<std::size_t>(Loss::count_)> lost{};
  std::uint64_t processes = 0;          ///< that were attached to; 0: an older recording, which does not say
  std::uint64_t slowest_millihertz = 0; ///< the lowest rate, where it was lowered; 0: it never was
  std::int64_t tool_cpu_ns = 0;         ///< CPU time of the recorder, all threads
  std::uint64_t task_looks = 0;         ///< at all tasks of a loop
  std::int64_t task_look_ns = 0;        ///< time that these took while the loop's thread could not run
  std::int64_t longest_task_look_ns = 0;
  NativeCounts native;                 ///< of samples, if native frames are sampled; not in a recording
  std::uint64_t tasks_left_out = 0;    ///< that there was no time to read; not in a recording
  std::uint64_t uncounted_threads = 0; ///< had no counter of the event, for want of descriptors; not in a recording

  [[nodiscard]] std::uint64_t lost_for(Loss loss) const { return lost[static_cast<std::size_t>(loss)]; }
};

} // namespace awaitscope
