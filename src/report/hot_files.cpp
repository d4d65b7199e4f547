#include "awaitscope/report/hot_files.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <utility>

namespace awaitscope {
namespace {

std::map<std::string, std::uint64_t> self_costs(const CostHistory &history, const CodeTable &codes, Metric metric) {
  std::map<std::string, std::uint64_t> costs;
  for (const CostHistory::Bin &bin : history.bins[static_cast<std::size_t>(metric)]) {
    for (const CostHistory::Entry &entry : bin) {
      const CostHistory::Node &node = history.nodes[entry.node];
      if (node.level == CostHistory::Level::frame && node.frame.kind == FrameKind::python &&
          codes.at(node.frame.code).file.ends_with(".py")) {
        costs[codes.at(node.frame.code).file] += entry.value;
      }
    }
  }
  return costs;
}

/// "part" of "render.<locals>.part"; empty for "<module>" and "<lambda>".
std::string defined_name(const CodeInfo &code) {
  const std::string name = code.function.substr(code.function.rfind('.') + 1);
  return name.starts_with("<") ? std::string() : name;
}

} // namespace

std::vector<std::string> hottest_files(const CostHistory &history, const CodeTable &codes, std::size_t most) {
  std::map<std::string, std::uint64_t> costs = self_costs(history, codes, Metric::cpu);
  if (costs.empty()) {
    costs = self_costs(history, codes, Metric::wall);
  }
  std::vector<std::pair<std::string, std::uint64_t>> sorted(costs.begin(), costs.end());
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto &a, const auto &b) { return a.second > b.second; });
  sorted.resize(std::min(sorted.size(), most));
  std::vector<std::string> files;
  for (const auto &[file, cost] : sorted) {
    files.push_back(file);
  }
  return files;
}

bool defines_functions(const std::vector<std::string> &lines, const std::string &file, const CodeTable &codes) {
  constexpr std::size_t k_decorators = 30; // lines between where a function begins and its `def`
  std::size_t asked = 0;
  std::size_t found = 0;
  for (CodeId id = 0; id < codes.size(); ++id) {
    const CodeInfo &code = codes.at(id);
    const std::string name = code.file == file ? defined_name(code) : std::string();
    if (name.empty() || code.first_line <= 0) {
      continue;
    }
    ++asked;
    const std::size_t first = std::min(lines.size(), static_cast<std::size_t>(code.first_line) - 1);
    const auto begin = lines.begin() + static_cast<std::ptrdiff_t>(first);
    const auto end = begin + static_cast<std::ptrdiff_t>(std::min(k_decorators, lines.size() - first));
    found += std::any_of(begin, end, [&](const std::string &line) {
      const std::size_t at = line.find("def " + name);
      return at != std::string::npos && line.find_first_not_of(' ') <= at;
    });
  }
  return found == asked;
}

} // namespace awaitscope
