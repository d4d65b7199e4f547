#include "awaitscope/report/hot.hpp"

#include <algorithm>
#include <map>
#include <string_view>
#include <tuple>
#include <utility>

#include "awaitscope/report/function_numbers.hpp"

namespace awaitscope {
namespace {

bool is_function(const Frame &frame) { return is_named(frame.kind) && frame.kind != FrameKind::task_border; }

/// Adds up stacks.
class Hottest {
public:
  explicit Hottest(const RecordingTables &tables) : functions_(tables.codes), origins_(tables.codes) {}

  void add(const std::string &process, const std::vector<Frame> &frames, const Cost &cost) {
    hot.sum += cost;
    ++stacks_;
    for (const Frame &frame : frames) {
      if (!is_function(frame)) {
        continue;
      }
      const std::size_t row = row_of(process, frame.code);
      if (last_stack_[row] != stacks_) {
        last_stack_[row] = stacks_;
        hot.functions[row].total += cost;
      }
    }
    if (std::none_of(frames.begin(), frames.end(), is_function)) {
      (frames.empty() ? hot.native : hot.unreadable) += cost;
    } else if (is_function(frames.back())) {
      hot.functions[row_of(process, frames.back().code)].own += cost;
      const FileOrigin &origin = origins_.of(frames.back().code);
      by_origin_[{origin.kind, origin.package}] += cost;
    } else {
      hot.unreadable += cost;
    }
  }

  HotFunctions finish(Metric metric) {
    for (const auto &[origin, own] : by_origin_) {
      hot.origins.push_back({origin.first, std::string(origin.second), own});
    }
    std::stable_sort(hot.origins.begin(), hot.origins.end(), [&](const OriginCost &a, const OriginCost &b) {
      return a.kind != b.kind ? a.kind < b.kind : value_of(a.own, metric) > value_of(b.own, metric);
    });
    return std::move(hot);
  }

  HotFunctions hot;

private:
  std::size_t row_of(const std::string &process, CodeId code) {
    const auto [entry, fresh] = rows_.try_emplace({process, functions_.number(code)}, hot.functions.size());
    if (fresh) {
      hot.functions.push_back({code, process, {}, {}});
      last_stack_.push_back(0);
    }
    return entry->second;
  }

  FunctionNumbers functions_;
  CodeOrigins origins_;
  std::size_t stacks_ = 0;
  std::vector<std::size_t> last_stack_;                                  ///< in which each function was counted
  std::map<std::pair<std::string_view, std::size_t>, std::size_t> rows_; ///< by process and function
  std::map<std::pair<FileOrigin::Kind, std::string_view>, Cost> by_origin_;
};

void sort(HotFunctions &hot, const CodeTable &codes, Metric metric, TableOrder order) {
  const auto rank = [&](const FunctionCost &function) {
    const CodeInfo &code = codes.at(function.code);
    const std::uint64_t own = value_of(function.own, metric);
    const std::uint64_t total = value_of(function.total, metric);
    const bool by_own = order != TableOrder::total;
    return std::make_tuple(-static_cast<double>(by_own ? own : total), -static_cast<double>(by_own ? total : own),
                           std::string_view(code.function), std::string_view(code.file), code.first_line,
                           std::string_view(function.process));
  };
  std::sort(hot.functions.begin(), hot.functions.end(),
            [&](const FunctionCost &a, const FunctionCost &b) { return rank(a) < rank(b); });
}

} // namespace

HotFunctions hot_functions(const RecordingTables &tables, const StackCosts &costs, const ProfileOptions &options,
                           TableOrder order) {
  Hottest hottest(tables);
  ProfileOptions every_metric = options;
  every_metric.metric = Metric::cpu;
  const std::vector<ThreadState> &states = options.filter.states;
  const bool idle = options.idle || std::count(states.begin(), states.end(), ThreadState::idle) != 0;
  for (const auto &[key, counted] : costs.stacks()) {
    const std::vector<Frame> frames = tables.stacks.frames(key.stack);
    if (!is_shown(tables, key, frames, every_metric)) {
      continue;
    }
    Cost cost = counted;
    if (key.state == ThreadState::idle && !idle) {
      cost.samples = 0;
    }
    hottest.add(process_of(tables, key), shown_frames(frames, options), cost);
  }
  HotFunctions hot = hottest.finish(options.metric);
  if (options.filter.everything()) {
    hot.unsampled = costs.unsampled;
    hot.sum += hot.unsampled;
  }
  sort(hot, tables.codes, options.metric, order);
  return hot;
}

} // namespace awaitscope
