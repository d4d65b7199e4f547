#include "awaitscope/report/hot.hpp"

#include <algorithm>
#include <map>
#include <string_view>
#include <tuple>

namespace awaitscope {
namespace {

/// Numbers functions: code objects with the same name, file and line are one (a nested function has one for each call).
class Functions {
public:
  explicit Functions(const CodeTable &codes) : codes_(codes), numbers_(codes.size(), k_unknown) {}

  std::size_t number(CodeId code) {
    std::size_t &number = numbers_[code];
    if (number == k_unknown) {
      const CodeInfo &info = codes_.at(code);
      const auto [entry, fresh] = known_.try_emplace({info.function, info.file, info.first_line}, costs.size());
      if (fresh) {
        costs.push_back({code, {}, {}});
        last_stack.push_back(0);
      }
      number = entry->second;
    }
    return number;
  }

  std::vector<FunctionCost> costs;
  std::vector<std::size_t> last_stack; ///< in which each was counted

private:
  static constexpr std::size_t k_unknown = SIZE_MAX;

  const CodeTable &codes_;
  std::vector<std::size_t> numbers_;
  std::map<std::tuple<std::string_view, std::string_view, std::int32_t>, std::size_t> known_;
};

bool is_function(const Frame &frame) { return frame.kind == FrameKind::python || frame.kind == FrameKind::loop; }

} // namespace

HotFunctions hot_functions(const RecordingTables &tables, const StackCosts &costs, const ProfileOptions &options) {
  HotFunctions hot;
  Functions functions(tables.codes);
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
      const std::size_t number = functions.number(frame.code);
      if (functions.last_stack[number] != stack) {
        functions.last_stack[number] = stack;
        functions.costs[number].total += cost;
      }
    }
    if (!shown.empty() && is_function(shown.back())) {
      functions.costs[functions.number(shown.back().code)].own += cost;
    }
  }
  hot.functions = std::move(functions.costs);
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
