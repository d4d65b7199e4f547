#include "awaitscope/report/profile.hpp"

#include <algorithm>
#include <cstddef>
#include <set>
#include <string_view>

#include <fnmatch.h>

#include "awaitscope/integrations/thread_names.hpp"

namespace awaitscope {
namespace {

bool matches(const std::string &name, const std::vector<std::string> &patterns) {
  return std::any_of(patterns.begin(), patterns.end(), [&](const std::string &pattern) {
    return name == pattern || ::fnmatch(pattern.c_str(), name.c_str(), FNM_NOESCAPE) == 0;
  });
}

bool thread_matches(const RecordingTables &tables, const StackCosts::Key &key, const std::vector<Frame> &frames,
                    const std::vector<std::string> &patterns) {
  if (key.suspended && key.in_task) {
    return false; // it runs on no thread
  }
  const RecordedThread &thread = tables.threads[key.thread];
  const std::string &name = tables.texts[thread.name];
  return matches(name, patterns) || matches(lasting_thread_name(name, tables.codes, frames), patterns) ||
         matches(std::to_string(thread.tid), patterns);
}

bool task_matches(const RecordingTables &tables, const StackCosts::Key &key, const std::vector<Frame> &frames,
                  const std::vector<std::string> &patterns) {
  if (key.suspended && matches(tables.codes.at(key.coroutine).function, patterns)) {
    return true;
  }
  if (!key.in_task) {
    return false;
  }
  return matches(tables.texts[key.task_name], patterns) ||
         std::any_of(frames.begin(), frames.end(), [&](const Frame &frame) {
           return frame.kind == FrameKind::task_border && matches(tables.codes.at(frame.code).function, patterns);
         });
}

bool function_matches(const CodeInfo &code, const std::vector<std::string> &patterns) {
  const std::size_t dot = code.function.rfind('.');
  return matches(code.function, patterns) ||
         (dot != std::string::npos && matches(code.function.substr(dot + 1), patterns));
}

bool frame_matches(const RecordingTables &tables, const Frame &frame, const std::vector<std::string> &patterns) {
  return is_named(frame.kind) && frame.kind != FrameKind::task_border &&
         function_matches(tables.codes.at(frame.code), patterns);
}

} // namespace

bool passes(const std::string &name, const std::vector<std::string> &patterns) {
  return patterns.empty() || matches(name, patterns);
}

bool passes(const CodeInfo &function, const std::vector<std::string> &patterns) {
  return patterns.empty() || function_matches(function, patterns);
}

ProcessName process_name(const std::string &recorded) {
  constexpr std::string_view k_before = "process ";
  const std::size_t begin = recorded.starts_with(k_before) ? k_before.size() : 0;
  const std::size_t end = std::min(recorded.find(' ', begin), recorded.size());
  return {recorded.substr(begin, end - begin), recorded.substr(std::min(end + 1, recorded.size()))};
}

bool passes_process(const std::string &recorded, const Filter &filter) {
  if (filter.processes.empty()) {
    return true;
  }
  const ProcessName name = process_name(recorded.empty() ? filter.only_process : recorded);
  return matches(name.pid, filter.processes) || matches(name.program, filter.processes);
}

std::vector<std::string> processes_of(const RecordingTables &tables) {
  std::set<TextId> found;
  for (const RecordedThread &thread : tables.threads) {
    found.insert(thread.process);
  }
  for (const RecordedTask &task : tables.tasks) {
    found.insert(task.process);
  }
  found.erase(0);
  std::vector<std::string> names;
  names.reserve(found.size());
  for (const TextId process : found) {
    names.push_back(tables.texts[process]);
  }
  std::sort(names.begin(), names.end());
  return names;
}

const std::string &process_of(const RecordingTables &tables, const StackCosts::Key &key) {
  return tables.texts[key.suspended ? key.process : tables.threads[key.thread].process];
}

std::string root_of(const RecordingTables &tables, const StackCosts::Key &key, const std::vector<Frame> &frames,
                    const ProfileOptions &options) {
  if (!key.in_task) {
    const std::string &name = tables.texts[tables.threads[key.thread].name];
    const std::string lasting = name.empty() ? "?" : lasting_thread_name(name, tables.codes, frames);
    return (frames.empty() ? "native thread " : "thread ") + lasting; // one without frames runs no Python
  }
  const std::string &given = tables.texts[key.task_name];
  if (options.task_names && !given.empty()) {
    return "task " + given;
  }
  for (const Frame &frame : frames) {
    if (frame.kind == FrameKind::task_border) {
      return "task " + tables.codes.at(frame.code).function;
    }
  }
  return key.suspended ? "task " + tables.codes.at(key.coroutine).function : "task ?";
}

std::vector<Frame> shown_frames(const std::vector<Frame> &frames, const ProfileOptions &options) {
  std::vector<Frame> kept;
  kept.reserve(frames.size());
  bool root_seen = false;    // the root's own border says no more than the root does
  bool in_machinery = false; // so is a native frame that the loop's frames call
  for (const Frame &frame : frames) {
    in_machinery = frame.kind == FrameKind::loop || (in_machinery && is_inserted(frame.kind));
    if (in_machinery && !options.loop_frames) {
      continue;
    }
    if (frame.kind == FrameKind::task_border) {
      const bool is_root = !root_seen;
      root_seen = true;
      if (is_root || !options.task_frames) {
        continue;
      }
    }
    kept.push_back(frame);
  }
  return kept;
}

bool is_shown(const RecordingTables &tables, const StackCosts::Key &key, const std::vector<Frame> &frames,
              const ProfileOptions &options) {
  const Filter &filter = options.filter;
  const bool named = !key.suspended && std::count(filter.states.begin(), filter.states.end(), key.state) != 0;
  // Events may have been counted before the thread became idle: only its samples are left out.
  if (options.metric == Metric::wall && key.state == ThreadState::idle && !key.suspended && !options.idle && !named) {
    return false;
  }
  return (filter.states.empty() || named) && passes_process(process_of(tables, key), filter) &&
         (filter.threads.empty() || thread_matches(tables, key, frames, filter.threads)) &&
         (filter.tasks.empty() || task_matches(tables, key, frames, filter.tasks)) &&
         (filter.functions.empty() || std::any_of(frames.begin(), frames.end(), [&](const Frame &frame) {
            return frame_matches(tables, frame, filter.functions);
          }));
}

std::vector<WeightedStack> stack_profile(const RecordingTables &tables, const StackCosts &costs,
                                         const ProfileOptions &options) {
  std::vector<WeightedStack> profile;
  for (const auto &[key, cost] : costs.stacks()) {
    std::uint64_t weight = value_of(cost, options.metric);
    if (options.metric == Metric::wall && options.suspended_tick_ns != 0) {
      weight += (cost.await_ns + options.suspended_tick_ns / 2) / options.suspended_tick_ns;
    }
    const std::vector<Frame> frames = tables.stacks.frames(key.stack);
    if (weight != 0 && is_shown(tables, key, frames, options)) {
      profile.push_back(
          {root_of(tables, key, frames, options), shown_frames(frames, options), weight, process_of(tables, key)});
    }
  }
  const std::uint64_t unsampled = value_of(costs.unsampled, options.metric);
  if (options.filter.everything() && unsampled > 0) {
    profile.push_back({std::string(k_not_sampled), {}, unsampled, {}});
  }
  return profile;
}

} // namespace awaitscope
