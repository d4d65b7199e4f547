#pragma once

#include <cstdint>
#include <vector>

#include "awaitscope/recording/tables.hpp"

namespace awaitscope {

/// How much more than its bytes a recording that is read has become (format.hpp, k_content_free and below). Views take memory and
/// time for each stack that occurs, and a few bytes can name very many.
class Expansion {
public:
  /// `content` bytes of blocks, without their texts, were in `bytes` of the file. False if no recorder writes that.
  static bool allows(std::uint64_t content, std::uint64_t bytes);

  /// A sample or task is in this stack. False if that is more than a recording of `bytes` may show.
  bool allows(const RecordingTables &tables, StackId stack, std::uint64_t bytes);

private:
  std::vector<bool> counted_; ///< by stack
  std::uint64_t shown_ = 0;
};

} // namespace awaitscope
