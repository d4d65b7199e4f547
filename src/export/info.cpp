#include "awaitscope/export/info.hpp"

#include <ctime>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "awaitscope/support/clock.hpp"
#include "awaitscope/support/text.hpp"
#include "awaitscope/support/units.hpp"

namespace awaitscope {
namespace {

using Json = nlohmann::ordered_json;

std::string_view name_of(Ending ending) {
  switch (ending) {
  case Ending::whole:
    return "whole";
  case Ending::open:
    return "open";
  case Ending::torn:
    return "torn";
  case Ending::damaged:
    break;
  }
  return "damaged";
}

/// ISO 8601, UTC.
std::string moment(std::int64_t realtime_ns) {
  const std::time_t seconds = realtime_ns / k_ns_per_second;
  std::tm parts{};
  if (::gmtime_r(&seconds, &parts) == nullptr) {
    return "?";
  }
  std::string text(32, '\0');
  text.resize(std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts));
  return text;
}

std::string joined(const std::vector<std::string> &words) {
  std::string text;
  for (const std::string &word : words) {
    text += (text.empty() ? "" : " ") + word;
  }
  return one_line(valid_utf8(text));
}

double bytes_per_sample(const RecordingReader &reader, const StackCosts &costs) {
  const std::uint64_t samples = costs.sum().samples;
  return samples == 0 ? 0 : static_cast<double>(reader.bytes()) / static_cast<double>(samples);
}

std::string_view name_of(EventSource source) {
  return source == EventSource::counters ? "perf_event_open" : "schedstat";
}

/// "page-faults, by perf_event_open in each thread: 12 in samples; the kernel says 13"
std::string events_line(const RecordingInfo &info, const SamplingTotals &totals, const StackCosts &costs) {
  const auto value = [&](std::uint64_t events) {
    return info.event_source == EventSource::cpu_time ? human_duration(static_cast<std::int64_t>(events))
                                                      : with_thousands(events);
  };
  std::string text =
      fmt::format("{}, by {} of each thread: {} in samples; the kernel says {}", one_line(valid_utf8(info.event)),
                  name_of(info.event_source), value(costs.sum().events),
                  totals.process_events ? value(totals.process_events->scaled()) : "nothing");
  const EventCount whole = totals.process_events.value_or(EventCount{});
  if (whole.running_ns < whole.enabled_ns) {
    text += fmt::format(" (scaled: there was a counter for {:.1f} % of the time)",
                        100.0 * static_cast<double>(whole.running_ns) / static_cast<double>(whole.enabled_ns));
  }
  return text;
}

double rate_of(const RecordingInfo &info) { return static_cast<double>(info.rate_millihertz) / 1000; }

std::string seconds(std::uint64_t nanoseconds) {
  return fmt::format("{:.3f} s", static_cast<double>(nanoseconds) / 1e9);
}

} // namespace

std::string info_json(const RecordingReader &reader, const StackCosts &costs) {
  const RecordingInfo &info = reader.info();
  const RecordingTables &tables = reader.tables();
  const SamplingTotals &totals = reader.totals();
  Json lost = Json::object();
  for (std::size_t i = 0; i < totals.lost.size(); ++i) {
    lost[std::string(awaitscope::name_of(static_cast<Loss>(i)))] = totals.lost[i];
  }
  const Json document = {
      {"schema", 1},
      {"ending", name_of(reader.ending())},
      {"bytes", reader.bytes()},
      {"content_bytes", reader.content()},
      {"bytes_per_sample", bytes_per_sample(reader, costs)},
      {"process",
       {{"pid", info.pid},
        {"python", info.python},
        {"executable", info.executable},
        {"command", info.command},
        {"host", info.host}}},
      {"recorder",
       {{"version", info.tool_version},
        {"command", info.tool_command},
        {"engine", info.engine},
        {"rate_hz", rate_of(info)},
        {"event", info.event.empty() ? Json(nullptr) : Json(info.event)},
        {"event_source", info.event.empty() ? Json(nullptr) : Json(name_of(info.event_source))},
        {"idle_threads", info.idle_threads},
        {"task_names", info.task_names}}},
      {"start", moment(info.start_realtime_ns)},
      {"start_realtime_ns", info.start_realtime_ns},
      {"start_monotonic_ns", info.start_ns},
      {"elapsed_ns", totals.elapsed_ns},
      {"last_sample_ns", costs.last_ns},
      {"ticks", totals.ticks},
      {"samples", costs.sum().samples},
      {"unreadable", totals.partial},
      {"retries", totals.retries},
      {"lost", std::move(lost)},
      {"held_ns", totals.read_ns},
      {"longest_held_ns", totals.longest_read_ns},
      {"cpu_ns", costs.sum().cpu_ns},
      {"unsampled_cpu_ns", costs.unsampled.cpu_ns},
      {"process_cpu_ns", totals.process_cpu_ns ? Json(*totals.process_cpu_ns) : Json(nullptr)},
      {"events", costs.sum().events},
      {"unsampled_events", costs.unsampled.events},
      {"process_events", totals.process_events ? Json(totals.process_events->scaled()) : Json(nullptr)},
      {"threads", tables.threads.size()},
      {"tasks", tables.tasks.size() - 1},
      {"task_changes", costs.task_changes},
      {"stacks", tables.stacks.size() - 1},
      {"codes", tables.codes.size()}};
  return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string info_text(const RecordingReader &reader, const StackCosts &costs) {
  const RecordingInfo &info = reader.info();
  const RecordingTables &tables = reader.tables();
  const SamplingTotals &totals = reader.totals();
  std::string text;
  const auto line = [&](std::string_view name, std::string_view value) {
    text += fmt::format("{:<12}{}\n", name, value);
  };
  line("process", fmt::format("{} on {}: {}", info.pid, one_line(valid_utf8(info.host)), joined(info.command)));
  line("python", fmt::format("{} ({})", one_line(valid_utf8(info.python)), one_line(valid_utf8(info.executable))));
  line("recorder", fmt::format("awaitscope {}, engine {}: {}", one_line(valid_utf8(info.tool_version)),
                               one_line(valid_utf8(info.engine)), joined(info.tool_command)));
  line("time", fmt::format("{}, {} ({})", moment(info.start_realtime_ns), human_duration(totals.elapsed_ns),
                           name_of(reader.ending())));
  line("rate", fmt::format("{:g} Hz asked, {} ticks{}", rate_of(info), with_thousands(totals.ticks),
                           info.idle_threads ? ", threads that wait are sampled too" : ""));
  line("samples", fmt::format("{}, {} with an unreadable part, {} read again", with_thousands(costs.sum().samples),
                              with_thousands(totals.partial), with_thousands(totals.retries)));
  std::string lost;
  for (std::size_t i = 0; i < totals.lost.size(); ++i) {
    lost += fmt::format("{}{} {}", i == 0 ? "" : ", ", with_thousands(totals.lost[i]),
                        awaitscope::name_of(static_cast<Loss>(i)));
  }
  line("lost", lost);
  line("held", fmt::format("target off its CPU for {} in all, {} at most", human_duration(totals.read_ns),
                           human_duration(totals.longest_read_ns)));
  line("CPU", fmt::format("{} in samples; the kernel says {}", seconds(costs.sum().cpu_ns),
                          totals.process_cpu_ns ? seconds(*totals.process_cpu_ns) : "nothing"));
  if (!info.event.empty()) {
    line("event", events_line(info, totals, costs));
  }
  line("holds", fmt::format("{} stacks of {} functions, {} threads, {} tasks, {} changes of tasks",
                            with_thousands(tables.stacks.size() - 1), with_thousands(tables.codes.size()),
                            with_thousands(tables.threads.size()), with_thousands(tables.tasks.size() - 1),
                            with_thousands(costs.task_changes)));
  line("size",
       fmt::format("{} bytes, {:.2f} a sample", with_thousands(reader.bytes()), bytes_per_sample(reader, costs)));
  return text;
}

} // namespace awaitscope
