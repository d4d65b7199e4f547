#include "frame_labels.hpp"

#include <string>

#include "awaitscope/integrations/sql_text.hpp"

namespace awaitscope {
namespace {

constexpr std::size_t k_longest = 160; // characters of a statement

/// No more than people can read in a flame graph; the whole statement is in `report -f queries`.
std::string shortened(std::string statement) {
  if (statement.size() <= k_longest) {
    return statement;
  }
  std::size_t end = k_longest;
  while (end > 0 && (static_cast<unsigned char>(statement[end]) & 0xC0U) == 0x80U) { // inside a character
    --end;
  }
  return statement.substr(0, end) + "…";
}

} // namespace

void add_labels(std::span<const FrameLabel> labels, CodeTable &codes, FramesBetween &between) {
  for (const FrameLabel &label : labels) {
    const bool is_statement = label.kind == FrameLabel::Kind::statement;
    const std::string text =
        is_statement ? "SQL " + shortened(normalised_sql(label.text)) : "template " + shortened(label.text);
    std::vector<Frame> &behind = between[label.frame + 1];
    behind.insert(behind.begin(), {codes.add_name(text, "[django]"), 0, FrameKind::label});
  }
}

} // namespace awaitscope
