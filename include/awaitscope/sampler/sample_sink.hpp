#pragma once

#include <string>
#include <vector>

#include "awaitscope/model/sample.hpp"
#include "awaitscope/model/task_change.hpp"

namespace awaitscope {

/// A process that is attached to.
struct MetProcess {
  ThreadId pid = 0;
  std::string name;                      ///< what a person would call its program
  std::vector<std::string> import_paths; ///< its sys.path and working directory
};

/// Takes the samples, some time after they were taken and several at once. Must not throw and is called while the target's
/// thread may be waiting for its CPU: be brief.
class SampleSink {
public:
  SampleSink() = default;
  SampleSink(const SampleSink &) = delete;
  SampleSink &operator=(const SampleSink &) = delete;
  virtual ~SampleSink() = default;

  /// A process is attached to, and from now on its samples follow. Again for a PID that is another program since.
  virtual void meet(const MetProcess &process) = 0;

  /// `thread_name` is what the program calls the thread, else its TID.
  virtual void consume(const Sample &sample, const std::string &thread_name) = 0;

  /// A task was found otherwise than before, by a look at all tasks.
  virtual void consume(const TaskChange &change) = 0;

  /// Something was found out about a function, if arguments are read.
  virtual void learn(const FunctionFact & /*fact*/) {}
};

} // namespace awaitscope
