#pragma once

#include <cstdint>

#include "awaitscope/recording/reader.hpp"
#include "awaitscope/support/error.hpp"

namespace awaitscope {

/// What a view that follows rows one by one may do for their frames: each costs it time, memory or output, and a few bytes of a file
/// that was made for it can name very many. Bounded by the bytes that were read so far.
class RowBudget {
public:
  // Frames for each byte. A row of a program takes a byte or more, since times are not alike, and has a new stack, or new calls, of
  // some tens of frames at most; limits::k_max_depth bounds those of any.
  static constexpr std::uint64_t k_walked = 2048; ///< that are gone through
  static constexpr std::uint64_t k_printed = 512; ///< of which each is printed
  static constexpr std::uint64_t k_kept = 256;    ///< of which each is a call whose length is kept

  RowBudget(const RecordingReader &reader, std::uint64_t frames_per_byte)
      : reader_(reader), per_byte_(frames_per_byte) {}

  /// False once it is used up.
  bool spend(std::uint64_t frames) {
    constexpr std::uint64_t k_free = std::uint64_t{1} << 21U;
    spent_ += frames;
    return spent_ <= k_free + per_byte_ * reader_.bytes();
  }

  static tl::unexpected<Error> exceeded() {
    return fail(ExitStatus::failed, "the recording becomes too large in this view: so deep stacks are in it, so often",
                "show a part with --since and --until, or all with -f hot or -f folded");
  }

private:
  const RecordingReader &reader_;
  std::uint64_t per_byte_;
  std::uint64_t spent_ = 0;
};

} // namespace awaitscope
