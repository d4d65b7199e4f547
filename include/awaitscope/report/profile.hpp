#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "awaitscope/report/costs.hpp"

namespace awaitscope {

/// Which stacks a view shows. A pattern is a whole name, in which * and ? stand for anything; of several, one must match.
struct Filter {
  std::vector<std::string> threads;     ///< the program's name, that without its number, or the TID
  std::vector<std::string> tasks;       ///< the coroutine of a task on the stack, or the root's given name
  std::vector<std::string> functions;   ///< qualified, or its last part alone; anywhere in the stack
  std::vector<ThreadState> states{};    ///< of the thread
  std::vector<std::string> processes{}; ///< the program's name, or the PID
  std::vector<std::string> routes{};    ///< of requests; RecordingReader leaves out what is of others
  std::int64_t slower_ns = 0;           ///< likewise: requests that took longer
  std::string only_process{};           ///< "process PID NAME" of stacks that name none: of a recording of one process

  [[nodiscard]] bool everything() const {
    return threads.empty() && tasks.empty() && functions.empty() && states.empty() && processes.empty() &&
           routes.empty() && slower_ns == 0;
  }
};

/// Whether a name is one of the patterns, or there are none.
bool passes(const std::string &name, const std::vector<std::string> &patterns);
bool passes(const CodeInfo &function, const std::vector<std::string> &patterns);

/// The parts of "process 4711 gunicorn: worker [app]", which is what a recording calls a process. Empty for none.
struct ProcessName {
  std::string pid;
  std::string program;
};
ProcessName process_name(const std::string &recorded);

/// Whether a process, as a recording calls it, passes the filter.
bool passes_process(const std::string &recorded, const Filter &filter);

/// Those that the recording tells apart, as it calls them; empty if that is of one process.
std::vector<std::string> processes_of(const RecordingTables &tables);

/// What a view shows of a recording.
struct ProfileOptions {
  bool idle = false;        ///< count idle threads too
  bool loop_frames = false; ///< keep the event loop's own frames below a task
  bool task_frames = false; ///< keep a frame where a task begins
  bool task_names = false;  ///< root of a task: the name that the program gave it
  Metric metric = Metric::wall;
  Filter filter;
  std::uint64_t suspended_tick_ns = 0; ///< with the metric wall: so much of suspension counts as a sample; 0: none does
};

/// The root of what no sample stands for.
inline constexpr std::string_view k_not_sampled = "[not sampled]";

/// A stack with its weight. `root` is "thread NAME" or "task COROUTINE"; `process` is empty if one alone was recorded.
struct WeightedStack {
  std::string root;
  std::vector<Frame> frames;
  std::uint64_t weight = 0;
  std::string process;
};

/// The process that a stack is of.
const std::string &process_of(const RecordingTables &tables, const StackCosts::Key &key);

/// The root that a view shows above a stack.
std::string root_of(const RecordingTables &tables, const StackCosts::Key &key, const std::vector<Frame> &frames,
                    const ProfileOptions &options);

/// The frames that a view shows of a stack.
std::vector<Frame> shown_frames(const std::vector<Frame> &frames, const ProfileOptions &options);

/// Whether the filter and the options let a stack pass.
bool is_shown(const RecordingTables &tables, const StackCosts::Key &key, const std::vector<Frame> &frames,
              const ProfileOptions &options);

/// One metric of each stack that has any of it. Equal stacks may occur more than once; order is not defined. The metric cpu
/// has a stack without frames, k_not_sampled, for what no sample stands for, so that the sum is the kernel's.
std::vector<WeightedStack> stack_profile(const RecordingTables &tables, const StackCosts &costs,
                                         const ProfileOptions &options);

} // namespace awaitscope
