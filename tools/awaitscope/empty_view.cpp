#include "empty_view.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <set>
#include <vector>

#include <fmt/format.h>

#include "awaitscope/support/text.hpp"
#include "awaitscope/support/units.hpp"

namespace awaitscope::tools {
namespace {

constexpr std::size_t k_most_named_known = 8;

/// A filter: its option, what it selects, the patterns, and the names that the recording has of that.
struct Kind {
  std::string_view option;
  std::string_view noun;
  const std::vector<std::string> &patterns;
  std::function<std::set<std::string>()> names;
};

std::string last_part(const std::string &qualified) {
  const std::size_t dot = qualified.rfind('.');
  return dot == std::string::npos ? qualified : qualified.substr(dot + 1);
}

std::set<std::string> thread_names(const RecordingTables &tables) {
  std::set<std::string> names;
  for (const RecordedThread &thread : tables.threads) {
    names.insert(tables.texts[thread.name]);
  }
  return names;
}

std::set<std::string> function_names(const RecordingTables &tables) {
  std::set<std::string> names;
  for (std::size_t code = 0; code < tables.codes.size(); ++code) {
    names.insert(tables.codes.at(static_cast<CodeId>(code)).function);
  }
  return names;
}

std::set<std::string> route_names(const RecordingTables &tables) {
  std::set<std::string> names;
  for (std::size_t number = 1; number < tables.requests.size(); ++number) {
    names.insert(tables.texts[tables.requests[number].route]);
  }
  return names;
}

std::set<std::string> task_names(const RecordingTables &tables) {
  std::set<std::string> names;
  for (const RecordedTask &task : tables.tasks) {
    names.insert(tables.texts[task.name]);
    if (&task != &tables.tasks.front() && !task.unknown) { // the first stands for none
      names.insert(tables.codes.at(task.coroutine).function);
    }
  }
  return names;
}

std::string listed(const std::set<std::string> &names) {
  std::string text;
  std::size_t count = 0;
  for (const std::string &name : names) {
    if (++count > k_most_named_known) {
      return fmt::format("{} and {} more", text, names.size() - k_most_named_known);
    }
    text += fmt::format("{}{}", text.empty() ? "" : ", ", name);
  }
  return text.empty() ? "none" : text;
}

/// None if one of the names passes.
std::optional<Error> unmatched(const Kind &kind) {
  std::set<std::string> names = kind.names();
  names.erase("");
  std::string close;
  for (const std::string &name : names) {
    if (passes(name, kind.patterns) || passes(last_part(name), kind.patterns)) {
      return std::nullopt;
    }
    for (const std::string &pattern : kind.patterns) {
      const std::string last = last_part(name);
      const std::array<std::string_view, 2> spellings{name, last};
      close = closest_name(pattern, spellings).empty() ? close : name;
    }
  }
  return Error{
      ExitStatus::failed,
      fmt::format("no {} matches {} '{}'{}", kind.noun, kind.option, kind.patterns.front(), did_you_mean(close)),
      fmt::format("the recording has {}", listed(names))};
}

/// None if a process passes the filter.
std::optional<Error> unmatched_process(const RecordingReader &reader, const Filter &filter) {
  std::vector<std::string> processes = processes_of(reader.tables());
  if (processes.empty()) {
    processes.push_back(filter.only_process);
  }
  std::string names;
  std::string close;
  for (const std::string &process : processes) {
    if (passes_process(process, filter)) {
      return std::nullopt;
    }
    const ProcessName name = process_name(process);
    names += fmt::format("{}{} {}", names.empty() ? "" : ", ", name.pid, name.program);
    const bool is_close = std::any_of(filter.processes.begin(), filter.processes.end(),
                                      [&](const std::string &pattern) { return differ_little(pattern, name.program); });
    close = is_close ? name.program : close;
  }
  return Error{ExitStatus::failed,
               fmt::format("no process matches --process '{}'{}", filter.processes.front(), did_you_mean(close)),
               fmt::format("the recording has {}", names)};
}

} // namespace

std::optional<Error> nothing_passes(const RecordingReader &reader, const ViewPlan &plan) {
  const RecordingTables &tables = reader.tables();
  const Filter &filter = plan.profile.filter;
  if (std::optional<Error> unmatched = unmatched_process(reader, filter)) {
    return unmatched;
  }
  const std::int64_t elapsed_ns = reader.totals().elapsed_ns;
  if (plan.range.since_ns > elapsed_ns) {
    return Error{ExitStatus::failed,
                 fmt::format("--since {} is past the end of the recording", human_duration(plan.range.since_ns)),
                 fmt::format("it lasts {}", human_duration(elapsed_ns))};
  }
  const std::array<Kind, 4> kinds{{{"--thread", "thread", filter.threads, [&] { return thread_names(tables); }},
                                   {"--task", "task", filter.tasks, [&] { return task_names(tables); }},
                                   {"--function", "function", filter.functions, [&] { return function_names(tables); }},
                                   {"--route", "route", filter.routes, [&] { return route_names(tables); }}}};
  for (const Kind &kind : kinds) {
    if (std::optional<Error> why = kind.patterns.empty() ? std::nullopt : unmatched(kind)) {
      return why;
    }
  }
  if (!filter.everything()) {
    return Error{ExitStatus::failed, "nothing in this part of the recording passes the filters",
                 "leave one of them out"};
  }
  if (!plan.range.everything()) {
    return Error{ExitStatus::failed, "nothing was sampled between --since and --until",
                 fmt::format("the recording lasts {}", human_duration(elapsed_ns))};
  }
  return std::nullopt;
}

std::string why_empty(const RecordingReader &reader, const ViewPlan &plan) {
  if (reader.info().arguments == Arguments::traced) {
    return "warning: no traced call is in the recording, and a traced recording has no samples: -f hot, latency and "
           "cache "
           "show traced calls";
  }
  return reader.info().idle_threads && !plan.profile.idle
             ? "warning: every sample is of an idle thread; --idle shows them"
             : "warning: the recording has nothing to show here: no thread ran, and none was blocked (record --idle "
               "samples those that wait for work)";
}

} // namespace awaitscope::tools
