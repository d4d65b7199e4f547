#pragma once

#include <cstdint>
#include <memory>

#include "awaitscope/model/native_stack.hpp"
#include "awaitscope/native/native_images.hpp"

// libunwind's own name.
struct unw_addr_space; // NOLINT(readability-identifier-naming)

namespace awaitscope {

/// Unwinds stacks of a process from copies, by libunwind: the memory that it reads is the copied stack, and what files have of
/// everything else. By .eh_frame, which the System V ABI for AMD64 demands of all code. By frame pointers only in code that no file
/// has, as compilers at run time make it.
class Unwinder {
public:
  /// `images` must outlive this.
  explicit Unwinder(NativeImages &images);
  ~Unwinder();
  Unwinder(const Unwinder &) = delete;
  Unwinder &operator=(const Unwinder &) = delete;

  /// Into `stack`, whose memory is used again. Names and roles of the frames are not set.
  void unwind(const RegistersAndStack &from, NativeStack &stack);

  /// After NativeImages::refresh() has found a change.
  void forget();

  static constexpr std::size_t k_max_frames = 512;
  static constexpr std::uint64_t k_max_reads = 200'000; ///< words that one stack may take: some milliseconds

private:
  NativeImages &images_;
  unw_addr_space *space_;
};

} // namespace awaitscope
