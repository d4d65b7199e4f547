#include "awaitscope/export/html.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "awaitscope/report/file_origin.hpp"
#include "awaitscope/support/text.hpp"
#include "awaitscope/support/units.hpp"
#include "page_assets.hpp"

namespace awaitscope {
namespace {

using Json = nlohmann::ordered_json;

std::string shown(const std::string &text) { return one_line(valid_utf8(text)); }

std::string dumped(const Json &json) { return json.dump(-1, ' ', true, Json::error_handler_t::replace); }

struct MetricTitle {
  Metric metric;
  std::string_view title;
  std::string_view unit;
};
constexpr std::array<MetricTitle, CostHistory::k_metrics> k_titles{{{Metric::cpu, "CPU time", "ns"},
                                                                    {Metric::wall, "Samples (wall)", "samples"},
                                                                    {Metric::events, "", ""},
                                                                    {Metric::await, "Time suspended", "ns"}}};

/// Numbers the labels of nodes: equal ones have the same number.
class Labels {
public:
  Labels(const RecordingReader &reader, const CostHistory &history, const NameOptions &names)
      : reader_(reader), history_(history), names_(names) {}

  std::size_t number(const CostHistory::Node &node) {
    const auto [entry, fresh] = known_.try_emplace(dumped(describe(node)), known_.size());
    if (fresh) {
      list_ += (list_.empty() ? "" : ",\n") + entry->first;
    }
    return entry->second;
  }

  [[nodiscard]] const std::string &list() const { return list_; }

private:
  [[nodiscard]] Json describe(const CostHistory::Node &node) const {
    const auto level = static_cast<int>(node.level);
    if (node.level == CostHistory::Level::root) {
      return {{"name", "all"}, {"level", level}};
    }
    if (node.level != CostHistory::Level::frame) {
      return {{"name", shown(history_.names[node.name])}, {"level", level}};
    }
    const auto kind = static_cast<int>(node.frame.kind);
    if (node.frame.kind == FrameKind::unreadable) {
      return {{"name", "[unreadable]"}, {"level", level}, {"kind", kind}};
    }
    const CodeInfo &code = reader_.tables().codes.at(node.frame.code);
    if (node.frame.kind == FrameKind::task_border) {
      return {{"name", shown(code.function)}, {"level", level}, {"kind", kind}};
    }
    const std::vector<std::string> &paths = reader_.info().import_paths;
    const std::string_view file = names_.files == FileNames::full ? code.file : importable_path(code.file, paths);
    const FileOrigin origin = file_origin(code.file);
    return {{"name", shown(code.function)},
            {"level", level},
            {"kind", kind},
            {"file", file.empty() ? "?" : shown(std::string(file))},
            {"line", names_.lines == Lines::executing ? node.frame.line : code.first_line},
            {"origin", static_cast<int>(origin.kind)},
            {"package", shown(std::string(origin.package))}};
  }

  const RecordingReader &reader_;
  const CostHistory &history_;
  NameOptions names_;
  std::unordered_map<std::string, std::size_t> known_;
  std::string list_;
};

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

/// The metrics that have anything, and the samples in any case.
std::string metrics_json(const RecordingReader &reader, const CostHistory &history) {
  std::string metrics;
  for (const MetricTitle &each : k_titles) {
    const std::vector<CostHistory::Bin> &bins = history.bins[static_cast<std::size_t>(each.metric)];
    const bool is_events = each.metric == Metric::events;
    const bool is_empty = std::all_of(bins.begin(), bins.end(), [](const auto &bin) { return bin.empty(); });
    if ((is_empty && each.metric != Metric::wall) || (is_events && reader.info().event.empty())) {
      continue;
    }
    const bool in_time = is_events && reader.info().event_source == EventSource::cpu_time;
    const std::string title = is_events ? shown(reader.info().event) : std::string(each.title);
    const std::string unit = in_time ? "ns" : is_events ? "events" : std::string(each.unit);
    metrics += fmt::format(R"({}{{"name":"{}","title":{},"unit":"{}","unsampled":{},"bins":[)",
                           metrics.empty() ? "" : ",\n", name_of(each.metric), dumped(title), unit,
                           history.unsampled[static_cast<std::size_t>(each.metric)]);
    for (std::size_t i = 0; i < bins.size(); ++i) {
      metrics += i == 0 ? "" : ",\n";
      append_bin(metrics, bins[i]);
    }
    metrics += "]}";
  }
  return metrics;
}

Json facts(const RecordingReader &reader, const std::string &source) {
  const RecordingInfo &info = reader.info();
  const SamplingTotals &totals = reader.totals();
  std::string command;
  for (const std::string &word : info.command) {
    command += (command.empty() ? "" : " ") + word;
  }
  Json facts = Json::array();
  const auto fact = [&](std::string_view name, const std::string &value) { facts.push_back({name, value}); };
  fact("Process", fmt::format("{} on {}: {}", info.pid, shown(info.host), shown(command)));
  fact("Python", shown(info.python));
  fact("Recorded", fmt::format("{} at {:g} Hz, engine {}", human_duration(totals.elapsed_ns),
                               static_cast<double>(info.rate_millihertz) / 1000, shown(info.engine)));
  if (totals.process_cpu_ns && totals.elapsed_ns > 0) {
    const auto cpu_ns = static_cast<std::int64_t>(*totals.process_cpu_ns);
    fact("CPU", fmt::format("{}, {:.0f} % of a core", human_duration(cpu_ns),
                            100.0 * static_cast<double>(cpu_ns) / static_cast<double>(totals.elapsed_ns)));
  }
  fact("From", shown(source));
  return facts;
}

/// What people should know before they believe the numbers.
Json quality(const RecordingReader &reader) {
  const SamplingTotals &totals = reader.totals();
  Json list = Json::array();
  const auto say = [&](bool warn, const std::string &text) { list.push_back({{"text", text}, {"warn", warn}}); };
  const std::uint64_t late = totals.lost_for(Loss::late);
  const std::uint64_t due = totals.ticks + late;
  const double late_percent = due == 0 ? 0 : 100.0 * static_cast<double>(late) / static_cast<double>(due);
  std::uint64_t lost = 0;
  for (const std::uint64_t each : totals.lost) {
    lost += each;
  }
  say(late_percent >= 1,
      fmt::format("{} samples were taken, those of idle threads included; {:.1f} % of the ticks were missed.",
                  with_thousands(totals.samples), late_percent));
  if (lost > late) {
    say(true, fmt::format("{} samples were lost for other reasons (awaitscope report -f info names them).",
                          with_thousands(lost - late)));
  }
  if (totals.partial > 0) {
    say(true, fmt::format("{} samples have a part that could not be read.", with_thousands(totals.partial)));
  }
  if (totals.busy_ns > 0 && totals.elapsed_ns > 0) {
    say(false, fmt::format("Recording delayed the process by at most {} ({:.2f} % of the time).",
                           human_duration(totals.busy_ns),
                           100.0 * static_cast<double>(totals.busy_ns) / static_cast<double>(totals.elapsed_ns)));
  }
  if (totals.slowest_millihertz != 0) {
    say(true, fmt::format("The rate was lowered to {:g} Hz at times.",
                          static_cast<double>(totals.slowest_millihertz) / 1000));
  }
  if (reader.ending() != Ending::whole) {
    say(true, "The recording has no end: the recorder was killed, or the file is damaged.");
  }
  return list;
}

void replace_all(std::string &text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

} // namespace

std::string html_page(const RecordingReader &reader, const CostHistory &history, Metric first, const NameOptions &names,
                      const std::string &subject, const std::string &source) {
  Labels labels(reader, history, names);
  std::string nodes; // [its number less its parent's, label, …]
  for (std::size_t i = 0; i < history.nodes.size(); ++i) {
    fmt::format_to(std::back_inserter(nodes), "{}{},{}", i == 0 ? "" : ",", i - history.nodes[i].parent,
                   labels.number(history.nodes[i]));
  }
  const std::string title = "awaitscope: " + shown(subject);
  std::string data =
      fmt::format("{{\"schema\":1,\n\"title\":{},\n\"facts\":{},\n\"quality\":{},\n\"metric\":\"{}\",\n\"bin_ns\":{},\n"
                  "\"labels\":[{}],\n\"nodes\":[{}],\n\"metrics\":[{}]}}",
                  dumped(title), dumped(facts(reader, source)), dumped(quality(reader)), name_of(first), history.bin_ns,
                  labels.list(), nodes, metrics_json(reader, history));
  replace_all(data, "<", "\\u003c"); // only inside strings; else a name could end the element
  std::string page;
  std::string_view rest = k_page;
  const std::array<std::pair<std::string_view, std::string_view>, 4> parts{
      {{"@TITLE@", title}, {"@STYLE@", k_page_style}, {"@DATA@", data}, {"@SCRIPT@", k_page_script}}};
  for (const auto &[mark, content] : parts) { // in the order of the page
    const std::size_t at = rest.find(mark);
    page += rest.substr(0, at);
    page += mark == "@TITLE@" ? markup_text(content) : std::string(content);
    rest.remove_prefix(at + mark.size());
  }
  page += rest;
  return page;
}

} // namespace awaitscope
