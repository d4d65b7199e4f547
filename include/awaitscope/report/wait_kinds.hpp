#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "awaitscope/integrations/wait_places.hpp"
#include "awaitscope/model/stack.hpp"
#include "awaitscope/report/file_origin.hpp"

namespace awaitscope {

/// Finds what suspended tasks wait for, out of their frames: those of libraries at the inner end say it, up to the first one that is
/// the project's own.
class WaitKinds {
public:
  /// The code table outlives it.
  explicit WaitKinds(const CodeTable &codes) : codes_(codes), origins_(codes) {}

  /// Outermost first. Unknown where the task waits for a future of its own code's, or of a library without rules.
  WaitKind kind_of(const std::vector<Frame> &frames);

private:
  struct Known {
    bool asked = false;
    std::optional<WaitPlace> place;
  };
  const std::optional<WaitPlace> &place_of(CodeId code);

  const CodeTable &codes_;
  CodeOrigins origins_;
  std::vector<Known> places_; ///< by code
};

/// In a sentence: "lock or semaphore".
std::string_view name_of(WaitKind kind);

} // namespace awaitscope
