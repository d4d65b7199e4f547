#include "awaitscope/model/native_stack.hpp"

namespace awaitscope {

std::string NativeCounts::text() const {
  std::string text;
  for (std::size_t i = 0; i < lost.size(); ++i) {
    if (lost[i] > 0) {
      text += (text.empty() ? "" : "; ") + std::to_string(lost[i]) + " of " + std::to_string(stacks) + ": " +
              std::string(name_of(static_cast<NativeLoss>(i)));
    }
  }
  return text;
}

} // namespace awaitscope
