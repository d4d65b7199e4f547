#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "awaitscope/recording/recording.hpp"

namespace awaitscope {

/// What a view shows of a recording.
struct ProfileOptions {
  bool idle = false;        ///< count idle threads too
  bool loop_frames = false; ///< keep the event loop's own frames below a task
  bool task_frames = false; ///< keep a frame where a task begins
  bool task_names = false;  ///< root of a task: the name that the program gave it
};

/// A thread's name without the number that the interpreter gave it, so that equal work folds: "ThreadPoolExecutor-3_0" is
/// "ThreadPoolExecutor", "Thread-7 (poll)" is "Thread (poll)", "asyncio_2" is "asyncio". A name that the program gave stays.
std::string lasting_thread_name(const std::string &name);

/// A stack with its weight. `root` is "thread NAME" or "task COROUTINE".
struct WeightedStack {
  std::string root;
  std::vector<Frame> frames;
  std::uint64_t weight = 0;
};

/// The wall metric: one for each sample. Equal stacks may occur more than once; order is not defined.
std::vector<WeightedStack> wall_profile(const Recording &recording, const ProfileOptions &options);

} // namespace awaitscope
