#pragma once

#include <memory>
#include <optional>
#include <string>

#include "awaitscope/capture/switch_capture.hpp"
#include "awaitscope/model/ids.hpp"
#include "awaitscope/sampler/engine.hpp"
#include "awaitscope/support/error.hpp"

namespace awaitscope::tools {

/// How --engine wants a recording to be made.
///
/// - "preempt" reads each thread from its own CPU.
/// - "bpf" has the kernel copy what is read of the first process; what it has not copied, and other processes, are read as above.
/// - "auto" begins as "preempt", and is "bpf" as soon as the programs are loaded, where the kernel permits them.
class EngineChoice {
public:
  /// Fails with usage for a name that this version does not have, and for "bpf" where that does not work.
  static Result<EngineChoice> of(const std::string &name);

  /// For recording this process, in the calling thread. Once.
  std::unique_ptr<Engine> make(ThreadId process);

private:
  std::unique_ptr<SwitchCapture> opened_; ///< of "bpf"
  bool may_open_ = false;                 ///< "auto"
};

/// For reading a process once: "auto" and "preempt" are the same.
Result<std::unique_ptr<Engine>> make_reading_engine(const std::string &name);

} // namespace awaitscope::tools
