#pragma once

#include <optional>
#include <string>
#include <vector>

#include "awaitscope/asyncio/lineage.hpp"
#include "awaitscope/capture/register_capture.hpp"
#include "awaitscope/model/native_stack.hpp"
#include "awaitscope/sampler/native_reader.hpp"
#include "awaitscope/sampler/target.hpp"
#include "awaitscope/stitch/native_merge.hpp"

namespace awaitscope {

/// Which frames of machine code are sampled, and with what.
struct NativeFrames {
  RegisterCapture *registers = nullptr; ///< outlives the sampling; null: none of user space
  InterpreterFrames interpreter = InterpreterFrames::fold;
  bool kernel = false; ///< functions of the kernel, as the last frames
};

/// Of one thread, copied while it did not run.
struct NativeCopy {
  bool known = false; ///< those of its registers that tell where it is
  RegistersAndStack from;
  std::vector<Evaluation> evaluations; ///< of its Python stack
  std::vector<std::string> kernel;     ///< functions of the kernel that it was in, outermost first
};

/// Native frames for the samples of one process.
class NativeSampler {
public:
  /// Both must outlive this.
  NativeSampler(Target &target, const NativeFrames &how);
  ~NativeSampler();
  NativeSampler(const NativeSampler &) = delete;
  NativeSampler &operator=(const NativeSampler &) = delete;

  /// Of a thread that does not run, right after the target's stack reader has read the stack of this thread state.
  void copy(TargetThread &thread, Address thread_state, NativeCopy &copy);

  /// Unwinds the copy, and places its frames among those of the stack. The thread may run meanwhile.
  NativeMerge merge(const NativeCopy &copy, const PythonStack &stack);

private:
  void copy_user(TargetThread &thread, Address thread_state, NativeCopy &copy);

  Target &target_;
  NativeFrames how_;
  NativeReader reader_;
};

} // namespace awaitscope
