#include "awaitscope/report/hot.hpp"

#include <algorithm>
#include <map>
#include <string_view>
#include <tuple>
#include <utility>

#include "awaitscope/report/function_numbers.hpp"

namespace awaitscope {
namespace {

bool is_function(const Frame &frame) { return frame.kind == FrameKind::python || frame.kind == FrameKind::loop; }

} // namespace

HotFunctions hot_functions(const RecordingTables &tables, const StackCosts &costs, const ProfileOptions &options) {
  HotFunctions hot;
  FunctionNumbers functions(tables.codes);
  std::vector<std::size_t> last_stack;                                  // in which each function was counted
  std::map<std::pair<std::string_view, std::size_t>, std::size_t> rows; // by process and function
  const auto row_of = [&](const std::string &process, CodeId code) {
    const auto [entry, fresh] = rows.try_emplace({process, functions.number(code)}, hot.functions.size());
    if (fresh) {
      hot.functions.push_back({code, process, {}, {}});
      last_stack.push_back(0);
    }
    return entry->second;
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
    const std::string &process = process_of(tables, key);
    const std::vector<Frame> shown = shown_frames(frames, options);
    for (const Frame &frame : shown) {
      if (!is_function(frame)) {
        continue;
      }
      const std::size_t row = row_of(process, frame.code);
      if (last_stack[row] != stack) {
        last_stack[row] = stack;
        hot.functions[row].total += cost;
      }
    }
    if (!shown.empty() && is_function(shown.back())) {
      hot.functions[row_of(process, shown.back().code)].own += cost;
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
                           std::string_view(code.function), std::string_view(code.file), code.first_line,
                           std::string_view(function.process));
  };
  std::sort(hot.functions.begin(), hot.functions.end(),
            [&](const FunctionCost &a, const FunctionCost &b) { return rank(a) < rank(b); });
  return hot;
}

} // namespace awaitscope
