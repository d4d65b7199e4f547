#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>

#include "awaitscope/model/ids.hpp"
#include "awaitscope/model/native_stack.hpp"
#include "awaitscope/support/error.hpp"

namespace awaitscope {

/// The registers of threads that are not on a CPU, without stopping any: a BPF program keeps those of each thread of the followed
/// processes when it leaves its CPU (sched_switch, bpf_task_pt_regs). They are what the thread will go on with.
class RegisterCapture {
public:
  /// Fails where this executable has no BPF programs, the kernel refuses them, or the PID namespace is another one than the first.
  static Result<std::unique_ptr<RegisterCapture>> open();

  RegisterCapture() = default;
  RegisterCapture(const RegisterCapture &) = delete;
  RegisterCapture &operator=(const RegisterCapture &) = delete;
  virtual ~RegisterCapture() = default;

  /// From now on the registers of its threads are kept; false if there are too many processes.
  virtual bool follow(ThreadId process) = 0;
  virtual void leave(ThreadId process) = 0;

  using Registers = decltype(RegistersAndStack::registers);
  /// Those with which the thread last left a CPU; nothing if it has not since its process is followed, or too many threads have. They
  /// are its own for as long as it does not run.
  [[nodiscard]] virtual std::optional<Registers> last_of(ThreadId tid) const = 0;
};

} // namespace awaitscope
