#include "awaitscope/export/info.hpp"

#include <ctime>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "awaitscope/report/profile.hpp"
#include "awaitscope/report/sampling_quality.hpp"
#include "awaitscope/support/clock.hpp"
#include "awaitscope/support/text.hpp"
#include "awaitscope/support/text_width.hpp"
#include "awaitscope/support/units.hpp"
#include "json_text.hpp"

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

std::string joined_words(const std::vector<std::string> &words) {
  std::string text;
  for (const std::string &word : words) {
    text += (text.empty() ? "" : " ") + word;
  }
  return one_line(valid_utf8(text));
}

double bytes_per_sample(const RecordingReader &reader, const StackCosts &costs) {
  const bool lowered = reader.totals().slowest_millihertz != 0; // then they weigh more than they are
  const std::uint64_t samples = lowered ? reader.totals().samples : costs.sum().samples;
  return samples == 0 ? 0 : static_cast<double>(reader.bytes()) / static_cast<double>(samples);
}

double in_hertz(std::uint64_t millihertz) { return static_cast<double>(millihertz) / 1000; }

double rate_of(const RecordingInfo &info) { return in_hertz(info.rate_millihertz); }
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

std::string in_seconds(std::uint64_t nanoseconds) {
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
  Json states = Json::object();
  for (std::size_t i = 0; i < costs.samples_in.size(); ++i) {
    states[std::string(awaitscope::name_of(static_cast<ThreadState>(i)))] = costs.samples_in[i];
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
        {"python_presumed", info.python_presumed},
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
      {"ticks_due", totals.ticks + totals.lost_for(Loss::late)},
      {"slowest_rate_hz", totals.slowest_millihertz != 0 ? Json(in_hertz(totals.slowest_millihertz)) : Json(nullptr)},
      {"samples", costs.sum().samples},
      {"samples_in_state", std::move(states)},
      {"unreadable", totals.partial},
      {"retries", totals.retries},
      {"lost", std::move(lost)},
      {"held_ns", totals.read_ns},
      {"longest_held_ns", totals.longest_read_ns},
      {"slowdown_percent", slowdown_percent(totals)},
      {"busy_ns", totals.busy_ns},
      {"longest_busy_ns", totals.longest_busy_ns},
      {"task_looks", totals.task_looks},
      {"task_look_ns", totals.task_look_ns},
      {"longest_task_look_ns", totals.longest_task_look_ns},
      {"tool_cpu_ns", totals.tool_cpu_ns},
      {"cpu_ns", costs.sum().cpu_ns},
      {"unsampled_cpu_ns", costs.unsampled.cpu_ns},
      {"process_cpu_ns", totals.process_cpu_ns ? Json(*totals.process_cpu_ns) : Json(nullptr)},
      {"events", costs.sum().events},
      {"unsampled_events", costs.unsampled.events},
      {"process_events", totals.process_events ? Json(totals.process_events->scaled()) : Json(nullptr)},
      {"processes", totals.processes != 0 ? Json(totals.processes) : Json(nullptr)},
      {"process_names", processes_of(tables)},
      {"threads", tables.threads.size()},
      {"tasks", tables.tasks.size() - 1},
      {"task_changes", costs.task_changes},
      {"stacks", tables.stacks.size() - 1},
      {"codes", tables.codes.size()}};
  return json_text(document);
}

std::string info_text(const RecordingReader &reader, const StackCosts &costs, std::size_t width) {
  const RecordingInfo &info = reader.info();
  const RecordingTables &tables = reader.tables();
  const SamplingTotals &totals = reader.totals();
  constexpr std::size_t k_names = 12; // columns
  std::string text;
  const auto line = [&](std::string_view name, std::string_view value) {
    text += wrapped(fmt::format("{:<{}}{}", name, k_names, value), width, k_names);
  };
  line("process", fmt::format("{} on {}: {}", info.pid, one_line(valid_utf8(info.host)), joined_words(info.command)));
  line("python", fmt::format("{}{} ({})", one_line(valid_utf8(info.python)),
                             info.python_presumed ? ", read as it says itself that it is laid out" : "",
                             one_line(valid_utf8(info.executable))));
  line("recorder", fmt::format("awaitscope {}, engine {}: {}", one_line(valid_utf8(info.tool_version)),
                               one_line(valid_utf8(info.engine)), joined_words(info.tool_command)));
  line("time", fmt::format("{}, {} ({})", moment(info.start_realtime_ns), human_duration(totals.elapsed_ns),
                           name_of(reader.ending())));
  const std::string lowered =
      totals.slowest_millihertz == 0
          ? std::string()
          : fmt::format(", lowered to {:.3g} Hz at times (a sample then counts for those left out)",
                        in_hertz(totals.slowest_millihertz));
  line("rate", fmt::format("{:g} Hz asked, {} of {} ticks{}{}", rate_of(info), with_thousands(totals.ticks),
                           with_thousands(totals.ticks + totals.lost_for(Loss::late)), lowered,
                           info.idle_threads ? ", threads that wait are sampled too" : ""));
  line("samples", fmt::format("{}, {} with an unreadable part, {} read again", with_thousands(costs.sum().samples),
                              with_thousands(totals.partial), with_thousands(totals.retries)));
  std::string states;
  for (std::size_t i = 0; i < costs.samples_in.size(); ++i) {
    states += fmt::format("{}{} {}", i == 0 ? "" : ", ", with_thousands(costs.samples_in[i]),
                          awaitscope::name_of(static_cast<ThreadState>(i)));
  }
  line("threads", states);
  std::string lost;
  for (std::size_t i = 0; i < totals.lost.size(); ++i) {
    lost += fmt::format("{}{} {}", i == 0 ? "" : ", ", with_thousands(totals.lost[i]),
                        awaitscope::name_of(static_cast<Loss>(i)));
  }
  line("lost", lost);
  line("paused", fmt::format("for {} in all while threads were read, {} at most", human_duration(totals.read_ns),
                             human_duration(totals.longest_read_ns)));
  line("slow-down", slowdown_text(totals) + " (pauses and scans of tasks)");
  if (totals.busy_ns != 0) {
    line("delayed", fmt::format("by {} at most in all, which is the sampler's CPU time, and by {} at a time",
                                human_duration(totals.busy_ns), human_duration(totals.longest_busy_ns)));
  }
  if (totals.task_looks > 0) {
    line("task scans",
         fmt::format("{}, the loop's thread off its CPU for {} in all, {} at most", with_thousands(totals.task_looks),
                     human_duration(totals.task_look_ns), human_duration(totals.longest_task_look_ns)));
  }
  line("CPU", fmt::format("{} in samples; the kernel says {}", in_seconds(costs.sum().cpu_ns),
                          totals.process_cpu_ns ? in_seconds(*totals.process_cpu_ns) : "nothing"));
  if (!info.event.empty()) {
    line("event", events_line(info, totals, costs));
  }
  if (totals.tool_cpu_ns != 0) {
    line("cost",
         fmt::format("the recorder used {} of CPU", in_seconds(static_cast<std::uint64_t>(totals.tool_cpu_ns))));
  }
  if (totals.processes != 0) {
    std::string names;
    for (const std::string &process : processes_of(tables)) {
      const ProcessName name = process_name(process);
      names += fmt::format("{} {} {}", names.empty() ? ":" : ",", name.pid, one_line(valid_utf8(name.program)));
    }
    line("processes", with_thousands(totals.processes) + names);
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
