#pragma once

#include <cstdint>
#include <span>

#include "awaitscope/model/code_table.hpp"
#include "awaitscope/model/native_stack.hpp"
#include "awaitscope/native/native_images.hpp"
#include "awaitscope/native/symbolizer.hpp"
#include "awaitscope/native/unwinder.hpp"
#include "awaitscope/process/process.hpp"
#include "awaitscope/stitch/native_merge.hpp"

namespace awaitscope {

/// Native stacks of a process, from copies of registers and stacks.
class NativeReader {
public:
  /// Both must outlive this.
  NativeReader(const Process &process, CodeTable &codes);

  /// Reads again what is mapped. True if that has changed.
  bool refresh();

  /// The stack of a thread that stands still, whose registers are known. What it has beyond k_max_stack is left out.
  void copy_stack(RegistersAndStack &copy);

  /// Unwinds, and names the frames. Into `stack`, whose memory is used again. The process may run meanwhile.
  void read(const RegistersAndStack &copy, NativeStack &stack);

  /// The same, and places the frames among those of the Python stack, which these evaluations run.
  /// `copy` is null if there is none, for the reason `without`.
  NativeMerge merge(const RegistersAndStack *copy, NativeLoss without, const PythonStack &python,
                    std::span<const Evaluation> evaluations, InterpreterFrames interpreter);

  static constexpr std::size_t k_max_stack = std::size_t{1} << 20U; ///< bytes

private:
  bool refresh_at_times();
  bool name(NativeFrame &frame);

  const Process &process_;
  CodeTable &codes_;
  NativeImages images_;
  Unwinder unwinder_;
  Symbolizer symbolizer_;
  NativeStack stack_; ///< the last one
  std::int64_t refreshed_ns_ = 0;
};

} // namespace awaitscope
