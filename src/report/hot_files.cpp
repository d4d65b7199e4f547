#include "awaitscope/report/hot_files.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <string_view>
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

/// Whether the function's `def` is at this line (from 1), or its first decorator, which counts as where it begins.
bool begins_at(const std::vector<std::string> &lines, std::size_t line, const std::string &name) {
  constexpr std::size_t k_decorators = 30; // lines
  const auto text = [&](std::size_t number) {
    const std::string &whole = lines[number - 1];
    return std::string_view(whole).substr(std::min(whole.find_first_not_of(" \t"), whole.size()));
  };
  const auto defines = [&](std::size_t number) {
    std::string_view rest = text(number);
    rest.remove_prefix(rest.starts_with("async ") ? 6 : 0);
    return rest.starts_with("def " + name);
  };
  if (line > lines.size()) {
    return false;
  }
  if (!text(line).starts_with("@")) {
    return defines(line);
  }
  for (std::size_t next = line + 1; next <= std::min(lines.size(), line + k_decorators); ++next) {
    if (defines(next)) {
      return true;
    }
  }
  return false;
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
  files.reserve(sorted.size());
  for (const auto &[file, cost] : sorted) {
    files.push_back(file);
  }
  return files;
}

bool defines_functions(const std::vector<std::string> &lines, const std::string &file, const CodeTable &codes) {
  for (CodeId id = 0; id < codes.size(); ++id) {
    const CodeInfo &code = codes.at(id);
    const std::string name = code.file == file ? defined_name(code) : std::string();
    if (!name.empty() && code.first_line > 0 && !begins_at(lines, static_cast<std::size_t>(code.first_line), name)) {
      return false;
    }
  }
  return true;
}

} // namespace awaitscope
