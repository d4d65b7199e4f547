#pragma once

#include <optional>
#include <string>
#include <vector>

#include "awaitscope/model/native_stack.hpp"
#include "awaitscope/model/process_description.hpp"
#include "awaitscope/model/sample.hpp"
#include "awaitscope/model/task.hpp"

namespace awaitscope {

/// One thread of a snapshot, with its own stack (not stitched), root first.
struct ThreadSnapshot {
  ThreadId tid = 0;
  std::string name;
  bool main = false;
  std::int64_t interpreter = 0;
  ThreadState state = ThreadState::idle;
  std::string system_call; ///< in which it waits; empty: in none, or that is not known
  bool holds_gil = false;
  Address running_task = 0;       ///< 0: none
  Address loop = 0;               ///< the loop that runs in it; 0: none
  std::vector<Address> works_for; ///< the tasks that wait for the work items that it is in
  std::vector<Frame> frames;
};

/// Every thread and every task of a process.
struct ProcessSnapshot : ProcessDescription {
  std::vector<ThreadSnapshot> threads;
  std::vector<TaskSnapshot> tasks;
  std::int64_t taken_ns = 0;          ///< CLOCK_MONOTONIC
  std::int64_t stopped_ns = 0;        ///< for how long the process was stopped to be read; 0: it was not
  bool consistent = true;             ///< false: a thread ran while others were read; each is whole in itself
  std::size_t pieces = 0;             ///< in how many the tasks were read, if not in one
  std::int64_t took_ns = 0;           ///< from the first piece to the last
  std::size_t left_out = 0;           ///< tasks of which no whole reading could be had
  std::optional<NativeCounts> native; ///< if native frames were wanted
};

} // namespace awaitscope
