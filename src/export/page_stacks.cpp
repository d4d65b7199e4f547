#include "page_stacks.hpp"

#include <algorithm>
#include <array>
#include <iterator>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "page_json.hpp"

namespace awaitscope {
namespace {

struct MetricTitle {
  Metric metric;
  std::string_view title;
  std::string_view unit;
};
constexpr std::array<MetricTitle, CostHistory::k_metrics> k_titles{{{Metric::cpu, "CPU time", "ns"},
                                                                    {Metric::wall, "Samples (wall)", "samples"},
                                                                    {Metric::events, "", ""},
                                                                    {Metric::await, "Time suspended", "ns"}}};

/// [node, value, …] with each node as the difference to the one before.
void append_bin(std::string &out, const CostHistory::Bin &bin) {
  std::uint32_t before = 0;
  out += '[';
  for (const CostHistory::Entry &entry : bin) {
    fmt::format_to(std::back_inserter(out), "{}{},{}", out.back() == '[' ? "" : ",", entry.node - before, entry.value);
    before = entry.node;
  }
  out += ']';
}

} // namespace

std::string page_nodes(const CostHistory &history, PageLabels &labels) {
  std::string nodes;
  for (std::size_t i = 0; i < history.nodes.size(); ++i) {
    fmt::format_to(std::back_inserter(nodes), "{}{},{}", i == 0 ? "" : ",", i - history.nodes[i].parent,
                   labels.number(history.nodes[i]));
  }
  return nodes;
}

std::string page_states(const CostHistory &history) {
  std::string states;
  for (const auto &bin : history.states) {
    fmt::format_to(std::back_inserter(states), "{}[{}]", states.empty() ? "" : ",", fmt::join(bin, ","));
  }
  return "[" + states + "]";
}

std::string page_metrics(const RecordingReader &reader, const CostHistory &history) {
  std::string metrics;
  for (const MetricTitle &each : k_titles) {
    const std::vector<CostHistory::Bin> &bins = history.bins[static_cast<std::size_t>(each.metric)];
    const bool is_events = each.metric == Metric::events;
    const bool is_empty = std::all_of(bins.begin(), bins.end(), [](const auto &bin) { return bin.empty(); });
    if ((is_empty && each.metric != Metric::wall) || (is_events && reader.info().event.empty())) {
      continue;
    }
    const bool in_time = is_events && reader.info().event_source == EventSource::cpu_time;
    const std::string title = is_events ? page_text(reader.info().event) : std::string(each.title);
    const std::string unit = in_time ? "ns" : is_events ? "events" : std::string(each.unit);
    metrics += fmt::format(R"({}{{"name":"{}","title":{},"unit":"{}","unsampled":{},"bins":[)",
                           metrics.empty() ? "" : ",\n", name_of(each.metric), page_json(title), unit,
                           history.unsampled[static_cast<std::size_t>(each.metric)]);
    for (std::size_t i = 0; i < bins.size(); ++i) {
      metrics += i == 0 ? "" : ",\n";
      append_bin(metrics, bins[i]);
    }
    metrics +=
        fmt::format("],\"slots\":[{}]}}", fmt::join(history.grid.slots(in_time ? Metric::cpu : each.metric), ","));
  }
  return metrics;
}

} // namespace awaitscope
