#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "awaitscope/model/argument_calls.hpp"
#include "awaitscope/model/code_table.hpp"
#include "awaitscope/model/sample.hpp"
#include "awaitscope/model/task.hpp"
#include "awaitscope/recording/stack_tree.hpp"

namespace awaitscope {

/// Index into RecordingTables::texts; text 0 is empty.
using TextId = std::uint32_t;

struct RecordedThread {
  ThreadId tid = 0;
  TextId name = 0;
  TextId process = 0; ///< names the process; empty where only one was recorded
};

struct RecordedTask {
  Address address = 0;
  CodeId coroutine = 0;
  TextId name = 0;      ///< given by the program to it, or to its root
  bool unknown = false; ///< the coroutine is not known
  TextId process = 0;   ///< as of a thread
};

/// Index into RecordingTables::keys; key 0 stands for arguments that there was no room for.
using KeyId = std::uint32_t;

struct RecordedKey {
  ArgumentKey key;
  TextId shown = 0; ///< the values, if they were asked for
};

/// A FunctionFact by numbers.
struct RecordedFact {
  CodeId code = 0;
  FunctionFact::Kind kind = FunctionFact::Kind::judged;
  TextId name = 0;
};

/// A request, or what became known of one that an earlier row is of.
struct RecordedRequest {
  std::uint32_t first = 0; ///< the number of its first row
  TextId method = 0;
  TextId route = 0; ///< k_unresolved, if it is not
  TextId view = 0;
  bool resolved = false;
  bool in_task = false; ///< a task handles it: it may be suspended
  TextId process = 0;   ///< as of a thread
  TextId path = 0;      ///< of the URL; 0: not recorded
  TextId id = 0;        ///< that somebody else has given it; 0: not recorded, or none
};

/// What samples refer to by number. Thread, task and request numbers are indexes; task 0 and request 0 stand for none.
struct RecordingTables {
  CodeTable codes;
  StackTree stacks;
  std::vector<std::string> texts{std::string()};
  std::uint64_t text_bytes = 0;   ///< of all texts
  std::uint64_t text_content = 0; ///< what they took of the blocks that were read
  std::vector<RecordedThread> threads;
  std::vector<RecordedTask> tasks{RecordedTask{}};
  std::vector<RecordedKey> keys{RecordedKey{}};
  std::vector<RecordedFact> facts; ///< those of one function are not always together
  std::vector<RecordedRequest> requests{RecordedRequest{}};
};

/// SampledCalls of the first sample of a run; in the others all calls are the same.
struct RecordedCalls {
  bool known = false;
  std::uint32_t outer = 0;
  std::uint32_t count = 0;
  std::uint32_t same = 0;
  std::uint32_t alike = 0;
  std::int64_t before_ns =
      -1; ///< since the recording's start; -1: the thread was not read before. Only where calls are new
  bool other_context = false;
};

/// Samples of one thread at ticks that follow each other and found the same. A single sample is a run of one.
struct SampleRun {
  std::int64_t first_ns = 0; ///< since the recording's start
  std::int64_t last_ns = 0;
  std::uint64_t count =
      1; ///< of samples at the rate that was asked for: one taken at half of it counts twice; 0 in the
         ///< account of a thread at the end, which has a CPU time only
  std::uint64_t cpu_ns = 0; ///< that the thread used since its row before, by the kernel's count
  std::uint64_t events = 0;
  std::uint32_t thread = 0;
  std::uint32_t task = 0;
  StackId stack = 0;
  ThreadState state = ThreadState::running;
  RecordedCalls calls{};
  std::uint32_t request = 0;
  TextId statement = 0;         ///< of SQL, without its values; 0: none
  std::uint32_t gil_holder = 0; ///< while it waits for the GIL: number of the thread that held it, plus 1; 0: not known
  bool left_out = false;        ///< it is of a request that is not wanted (RecordingReader)
};

/// A SeenCall by numbers, of one of the sample rows of its block. In the order of rows, the outermost call of a row first.
struct RecordedSeenCall {
  std::uint32_t row = 0;
  std::uint32_t from_leaf = 0;
  KeyId key = 0;
  CodeId code = 0; ///< the function, also where the key is 0
};

/// A TracedCall by numbers.
struct RecordedTracedCall {
  std::int64_t begin_ns = 0; ///< since the recording's start
  std::uint64_t duration_ns = 0;
  std::uint64_t cpu_ns = 0;
  std::uint64_t returned = 0;
  std::uint32_t thread = 0;
  KeyId key = 0;
  CodeId code = 0;
  std::uint8_t return_traits = 0;
  bool raised = false;
  bool unfinished = false;
  std::uint64_t inner_ns = 0;
};

/// Calls of a function that tracing knows of, and could not write.
struct RecordedLostCalls {
  CodeId code = 0;
  std::uint64_t calls = 0;
};

/// What the kernel says that a process has used.
struct RecordedProcessCpu {
  TextId process = 0;
  std::uint64_t cpu_ns = 0;
};

/// A TaskChange by numbers.
struct RecordedTaskChange {
  std::int64_t at_ns = 0;     ///< since the recording's start
  std::int64_t before_ns = 0; ///< the same; -1: there was no look before
  std::uint64_t cpu_ns = 0;
  std::uint32_t task = 0;
  StackId stack = 0;
  std::uint32_t new_from = 0;
  TaskState state = TaskState::waiting;
  std::uint32_t root = 0;        ///< the task at the root of the stack; 0: itself
  std::uint32_t root_thread = 0; ///< + 1, of the thread there; 0: none
  std::uint32_t request = 0;
  bool left_out = false; ///< as of a SampleRun
};

} // namespace awaitscope
