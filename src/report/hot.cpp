#include "awaitscope/report/hot.hpp"

#include <algorithm>
#include <string_view>
#include <tuple>

#include "awaitscope/report/function_numbers.hpp"

namespace awaitscope {
namespace {

bool is_function(const Frame &frame) { return frame.kind == FrameKind::python || frame.kind == FrameKind::loop; }

} // namespace

HotFunctions hot_functions(const RecordingTables &tables, const StackCosts &costs, const ProfileOptions &options) {
  HotFunctions hot;
  FunctionNumbers functions(tables.codes);
  std::vector<std::size_t> last_stack; // in which each function was counted
  const auto number_of = [&](CodeId code) {
    const std::size_t number = functions.number(code);
    if (number == hot.functions.size()) {
      hot.functions.push_back({code, {}, {}});
      last_stack.push_back(0);
    }
    return number;
  };
  ProfileOptions every_metric = options;
  every_metric.metric = Metric::cpu;
  std::size_t stack = 0;
  for (const auto &[key, counted] : costs.stacks()) {
    const std::vector<Frame> frames = tables.stacks.frames(key.stack);
    if (!is_shown(tables, key, frames, every_metric)) {
      continue;
    }
    Cost cost = counted;
    if (key.state == ThreadState::idle && !options.idle) {
      cost.samples = 0;
    }
    hot.sum += cost;
    ++stack;
    const std::vector<Frame> shown = shown_frames(frames, options);
    for (const Frame &frame : shown) {
      if (!is_function(frame)) {
        continue;
      }
      const std::size_t number = number_of(frame.code);
      if (last_stack[number] != stack) {
        last_stack[number] = stack;
        hot.functions[number].total += cost;
      }
    }
    if (!shown.empty() && is_function(shown.back())) {
      hot.functions[number_of(shown.back().code)].own += cost;
    }
  }
  if (options.filter.everything()) {
    hot.unsampled = costs.unsampled;
    hot.sum += hot.unsampled;
  }
  const auto rank = [&](const FunctionCost &function) {
    const CodeInfo &code = tables.codes.at(function.code);
    return std::make_tuple(-static_cast<double>(value_of(function.own, options.metric)),
                           -static_cast<double>(value_of(function.total, options.metric)),
                           std::string_view(code.function), std::string_view(code.file), code.first_line);
  };
  std::sort(hot.functions.begin(), hot.functions.end(),
            [&](const FunctionCost &a, const FunctionCost &b) { return rank(a) < rank(b); });
  return hot;
}

} // namespace awaitscope
