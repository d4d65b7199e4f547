#include "record_summary.hpp"

#include <algorithm>
#include <filesystem>
#include <locale>

#include <fmt/format.h>

#include "awaitscope/process/image_identity.hpp"
#include "awaitscope/report/sampling_quality.hpp"
#include "awaitscope/support/units.hpp"
#include "messages.hpp"
#include "stop_signals.hpp"

namespace awaitscope::tools {
namespace {

std::string written(const RecordPlan &plan, const Sampled &sampled, const View &view) {
  const Output &output = *plan.output;
  if (plan.format != Format::recording) {
    return fmt::format("{} → {}", view.what, output.name());
  }
  const std::string processes =
      sampled.totals.processes > 1 ? fmt::format(" of {} processes", with_thousands(sampled.totals.processes)) : "";
  return fmt::format("recording{}, {} → {}", processes, human_size(static_cast<std::uint64_t>(output.size())),
                     output.name());
}

/// Empty if there is nothing to do.
std::string next_step(const RecordPlan &plan) {
  const Output &output = *plan.output;
  if (output.is_standard()) {
    return {};
  }
  switch (plan.format) {
  case Format::recording:
    return fmt::format("next: awaitscope report {}", output.name());
  case Format::folded:
    return fmt::format("next: flamegraph.pl {} > flame.svg", output.name());
  default:
    return {};
  }
}

std::string scans_of_tasks(const SamplingTotals &totals) {
  if (totals.task_looks == 0) {
    return {};
  }
  return fmt::format("; scans of all tasks: {}, {} each, {} at most", with_thousands(totals.task_looks),
                     human_duration(totals.task_look_ns / static_cast<std::int64_t>(totals.task_looks)),
                     human_duration(totals.longest_task_look_ns));
}

/// Of a process that was attached to: the end of a command is expected.
bool ended_early(const RecordOptions &options, const RecordPlan &plan, const Sampled &sampled) {
  constexpr std::int64_t k_rounding_ns = 50'000'000; // and a period
  const auto period_ns = static_cast<std::int64_t>(1e9 / plan.sampling.rate_hz);
  return options.pid && !sampled.failure && !StopSignals::requested() &&
         (!plan.sampling.duration_ns ||
          sampled.totals.elapsed_ns + period_ns + k_rounding_ns < *plan.sampling.duration_ns);
}

/// Those that run the same executable: a server's workers.
std::vector<ThreadId> workers_of(ThreadId pid) {
  const auto executable = [](ThreadId process) {
    std::error_code ignored;
    return std::filesystem::read_symlink(fmt::format("/proc/{}/exe", process), ignored);
  };
  std::vector<ThreadId> workers = children_of(pid);
  const std::filesystem::path own = executable(pid);
  workers.erase(
      std::remove_if(workers.begin(), workers.end(), [&](ThreadId worker) { return executable(worker) != own; }),
      workers.end());
  return own.empty() ? std::vector<ThreadId>{} : workers;
}

/// Of a process that does next to nothing, and has others that may do its work. Else empty.
std::string idle_parent_hint(const RecordOptions &options, const Sampled &sampled) {
  constexpr std::uint64_t k_little = 50; // a fiftieth of a CPU
  constexpr std::size_t k_most_named = 4;
  const bool idle = sampled.totals.process_cpu_ns.value_or(0) * k_little <
                    static_cast<std::uint64_t>(std::max<std::int64_t>(sampled.totals.elapsed_ns, 0));
  const std::vector<ThreadId> workers =
      options.pid && !options.subprocesses && idle ? workers_of(*options.pid) : std::vector<ThreadId>{};
  if (workers.empty()) {
    return {};
  }
  if (workers.size() == 1) {
    return fmt::format("process {} is nearly idle, and has a child process: record that ({}), or both with "
                       "--subprocesses",
                       *options.pid, workers.front());
  }
  const auto named = static_cast<std::ptrdiff_t>(std::min(k_most_named, workers.size()));
  return fmt::format("process {} is nearly idle, and has {} child processes: record one of them ({}{}), or all with "
                     "--subprocesses",
                     *options.pid, workers.size(), fmt::join(workers.begin(), workers.begin() + named, ", "),
                     workers.size() > k_most_named ? ", …" : "");
}

void say_warnings(const RecordOptions &options, const RecordPlan &plan, const Sampled &sampled, const View &view) {
  for (const std::string &warning : view.warnings) {
    say(warning);
  }
  if (plan.format == Format::recording && sampled.samples == 0 && !sampled.failure) {
    say(options.view.idle ? "warning: nothing was sampled"
                          : "warning: nothing was sampled: no thread ran, and none was blocked (--idle samples those "
                            "that wait for work)");
  }
  if (const std::string hint = idle_parent_hint(options, sampled); !hint.empty()) {
    say(hint);
  }
  if (ended_early(options, plan, sampled)) {
    say(fmt::format("process {} ended after {}", *options.pid, human_duration(sampled.totals.elapsed_ns)));
  }
  if (!sampled.pace_note.empty()) {
    say(sampled.pace_note);
  }
  if (sampled.totals.uncounted_threads > 0) {
    say(fmt::format("warning: {} was not counted in {} threads (too few open files allowed: raise ulimit -Hn)",
                    plan.event.name, with_thousands(sampled.totals.uncounted_threads)));
  }
  if (const std::string lost = sampled.totals.native.text(); !lost.empty()) {
    say("warning: native frames are missing in " + lost);
  }
  if (sampled.totals.tasks_left_out > 0) {
    say(fmt::format("warning: {} tasks are missing from the recording, or are not up to date in it: there was no time "
                    "to read them, or to write what was read",
                    with_thousands(sampled.totals.tasks_left_out)));
  }
}

} // namespace

std::vector<std::string> short_summary(const RecordPlan &plan, const Sampled &sampled, const View &view) {
  const SamplingTotals &totals = sampled.totals;
  std::vector<std::string> lines{fmt::format("{} samples in {}, {} lost, slow-down {}", with_thousands(sampled.samples),
                                             human_duration(totals.elapsed_ns),
                                             rounded_percent(lost_percent(totals, sampled.samples)),
                                             slowdown_text(totals)),
                                 written(plan, sampled, view)};
  if (std::string next = next_step(plan); !next.empty()) {
    lines.push_back(std::move(next));
  }
  return lines;
}

std::string detailed_summary(const RecordPlan &plan, const Sampled &sampled) {
  const SamplingTotals &totals = sampled.totals;
  const std::string lowered =
      totals.slowest_millihertz == 0
          ? std::string()
          : fmt::format(", lowered to {:.3g} Hz at times", static_cast<double>(totals.slowest_millihertz) / 1000);
  const double share = totals.elapsed_ns <= 0
                           ? 0
                           : 100 * static_cast<double>(totals.tool_cpu_ns) / static_cast<double>(totals.elapsed_ns);
  const auto mean = totals.samples == 0 ? 0 : totals.read_ns / static_cast<std::int64_t>(totals.samples);
  return fmt::format(
      "{} process{} sampled at {} ticks in {} ({:g} Hz asked{}, engine {}, {:.2f} % of a CPU used); lost: {}; "
      "read again: {}; with an [unreadable] part: {}; target {} {} per sample, {} at most; "
      "delayed by {} per tick at most, {} at a time{}{}; copied by bpf: {} readings, {} of them while the recorder "
      "slept",
      with_thousands(totals.processes), totals.processes == 1 ? "" : "es", with_thousands(totals.ticks),
      human_duration(totals.elapsed_ns), plan.sampling.rate_hz, lowered, sampled.engine, share, losses(totals),
      with_thousands(totals.retries), with_thousands(totals.partial),
      sampled.engine.find("stop") == std::string::npos ? "never stopped, paused" : "stopped", human_duration(mean),
      human_duration(totals.longest_read_ns),
      human_duration(totals.busy_ns / static_cast<std::int64_t>(std::max<std::uint64_t>(totals.ticks, 1))),
      human_duration(totals.longest_busy_ns), scans_of_tasks(totals), event_summary(plan.event, totals),
      with_thousands(sampled.copied + totals.alone), with_thousands(totals.alone));
}

void say_outcome(const RecordOptions &options, const RecordPlan &plan, const Sampled &sampled, const View &view) {
  say_warnings(options, plan, sampled, view);
  if (options.verbosity == Verbosity::verbose) {
    say(detailed_summary(plan, sampled));
  }
  for (const std::string &line : short_summary(plan, sampled, view)) {
    say(line);
  }
}

} // namespace awaitscope::tools
