#include "awaitscope/export/folded.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "awaitscope/support/text.hpp"

namespace awaitscope {
namespace {

std::string field(std::string_view name) {
  std::string text = one_line(name);
  std::replace(text.begin(), text.end(), ';', ':');
  return text;
}

} // namespace

std::string folded_text(const std::vector<WeightedStack> &profile, FrameNames &names) {
  std::map<std::string, std::uint64_t> lines; // names make stacks equal that were not
  for (const WeightedStack &stack : profile) {
    std::string line = stack.process.empty() ? std::string() : field(stack.process) + ";";
    line += field(stack.root);
    for (const Frame &frame : stack.frames) {
      line += ';';
      line += field(names.name(frame));
    }
    lines[std::move(line)] += stack.weight;
  }
  std::string text;
  for (const auto &[line, weight] : lines) {
    text += fmt::format("{} {}\n", line, weight);
  }
  return text;
}

} // namespace awaitscope
