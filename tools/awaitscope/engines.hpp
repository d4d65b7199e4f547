#pragma once

#include <memory>
#include <optional>
#include <string>

#include "awaitscope/capture/switch_capture.hpp"
#include "awaitscope/model/ids.hpp"
#include "awaitscope/sampler/engine.hpp"
#include "awaitscope/sampler/snapshot_taker.hpp"
#include "awaitscope/support/error.hpp"

namespace awaitscope::tools {

/// How --engine wants a recording to be made.
///
/// - "preempt" reads each thread from its own CPU.
/// - "bpf" has the kernel copy what is read of the first process; what it has not copied, and other processes, are read as above.
/// - "stop" stops each thread that it reads.
/// - "auto" begins as "preempt", and is "bpf" as soon as the programs are loaded, where the kernel permits them. Threads on a CPU that
///   this process may not use are stopped.
class EngineChoice {
public:
  /// Fails with usage for a name that this version does not have, and for "bpf" where that does not work.
  static Result<EngineChoice> of(const std::string &name);

  /// Whether this process can be recorded so. Fails where "stop" may not stop it.
  [[nodiscard]] Result<void> check(ThreadId process) const;

  /// For recording this process, in the calling thread. Once.
  std::unique_ptr<Engine> make(ThreadId process);

private:
  std::unique_ptr<SwitchCapture> opened_; ///< of "bpf"
  bool may_open_ = false;                 ///< "auto"
  bool stops_ = false;                    ///< "stop"
};

/// For reading a process once.
struct ReadingEngine {
  std::unique_ptr<Engine> engine;
  MayStop may_stop = MayStop::if_needed; ///< the whole process
};

/// "preempt" never stops the process, "stop" does so at once, and "auto" if it does not pause by itself for long enough.
Result<ReadingEngine> make_reading_engine(const std::string &name);

} // namespace awaitscope::tools
