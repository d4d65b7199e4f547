#include "frame_labels.hpp"

#include <fmt/format.h>

#include "awaitscope/support/text.hpp"

namespace awaitscope {

void add_label(const char *kind, const std::string &name, std::size_t frame, CodeTable &codes, FramesBetween &between) {
  constexpr std::size_t k_longest = 160; // bytes
  const std::string_view shown = first_bytes(name, k_longest);
  const CodeId code =
      codes.add_name(fmt::format("{} {}{}", kind, shown, shown.size() < name.size() ? "…" : ""), "[django]");
  std::vector<Frame> &behind = between[frame + 1];
  behind.insert(behind.begin(), {code, 0, FrameKind::label});
}

} // namespace awaitscope
