#include <cstdio>
#include <exception>
#include <functional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "commands.hpp"
#include "messages.hpp"
#include "standard_descriptors.hpp"
#include "version.hpp"

namespace awaitscope::tools {
namespace {

/// The arguments up to the first "--", and those behind it: a launched command keeps its own flags.
struct Arguments {
  std::vector<std::string> own;
  std::vector<std::string> command;
};

Arguments split(int count, char **words) {
  Arguments arguments;
  bool behind = false;
  for (int i = 1; i < count; ++i) {
    const std::string word = words[i]; // NOLINT(cppcoreguidelines-pro-bounds-pointer-arithmetic)
    if (!behind && word == "--") {
      behind = true;
      continue;
    }
    (behind ? arguments.command : arguments.own).push_back(word);
  }
  return arguments;
}

/// -q and -v of any command.
struct Loudness {
  bool quiet = false;
  bool verbose = false;
  [[nodiscard]] Verbosity value() const {
    return quiet ? Verbosity::quiet : verbose ? Verbosity::verbose : Verbosity::normal;
  }
};

void add_common(CLI::App &command, std::string &output, Loudness &loudness) {
  command.add_option("-o,--output", output, "output file (- for stdout)")->type_name("FILE");
  command.add_flag("-q,--quiet", loudness.quiet, "print only errors");
  command.add_flag("-v,--verbose", loudness.verbose, "print details of the attach and the sampling");
}

void add_pid(CLI::App &command, std::optional<ThreadId> &pid) {
  command.add_option("-p,--pid", pid, "target process ID")->type_name("PID")->check(CLI::PositiveNumber);
}

void add_target(CLI::App &command, std::optional<ThreadId> &pid, std::string &engine) {
  add_pid(command, pid);
  command.add_option("--engine", engine, "sampling engine: auto (the default), preempt (without BPF)")
      ->type_name("NAME");
}

/// How stacks are shown, by report and by a record that writes no recording.
void add_view(CLI::App &command, ViewOptions &options) {
  command
      .add_option(
          "--metric", options.metric,
          "what counts: wall (samples; the default, but for hot), cpu (nanoseconds; that of hot), events, await "
          "(nanoseconds)")
      ->type_name("NAME");
  command.add_flag(
      "--all-tasks", options.all_tasks,
      "suspended tasks as well, each under the task that awaits it (of several, the one whose callback was "
      "added first); latencies of coroutines and the metric await need them recorded");
  command.add_flag("--idle", options.idle, "include idle threads");
  command.add_flag("--lines", options.lines, "show the current line instead of the def line");
  command.add_flag("--full-paths", options.full_paths, "show full paths");
  command.add_flag("--loop-frames", options.loop_frames, "keep the event loop's own frames below a task");
  command.add_flag("--task-frames", options.task_frames, "mark where a task begins: [task NAME]");
  command
      .add_option("--process", options.filter.processes,
                  "only processes of this name or PID; * stands for anything (needs record --subprocesses)")
      ->type_name("NAME");
  command.add_flag("--task-names", options.task_names, "use task names: a root task is called as the program named it");
}

/// How report shows tables.
void add_tables(CLI::App &command, ViewOptions &options) {
  command.add_option("--limit", options.limit, "rows of a table: 30 (the default); 0: all")
      ->type_name("COUNT")
      ->check(CLI::NonNegativeNumber);
  command
      .add_option("--sort", options.sort,
                  "what a table is ordered by: self (the default), total; of latency calls, p50, p95, p99, max")
      ->type_name("COLUMN");
  command.add_flag("--hide-framework", options.hide_framework,
                   "hot: only rows of your own code, none of packages and the standard library");
  command.add_flag("--framework", options.framework, "latency: rows of packages and the standard library as well");
}

CLI::App *add_record(CLI::App &app, RecordOptions &options, Loudness &loudness) {
  CLI::App *command =
      app.add_subcommand("record", "sample a process for a while: record -p PID, or record -- COMMAND ARGUMENT…");
  add_common(*command, options.output, loudness);
  add_target(*command, options.pid, options.engine);
  command
      ->add_option("-d,--duration", options.duration,
                   "how long: 10, 500ms, 2m (default: until Ctrl-C, or the process ends)")
      ->type_name("SECONDS");
  command->add_option("-r,--rate", options.rate, "samples per second: 100 (the default), 1kHz")->type_name("HZ");
  command
      ->add_option(
          "--max-overhead", options.max_overhead,
          "lower the rate while sampling costs more than this part of one CPU: 1, 0.5; 0: never (default: while it "
          "keeps threads from running for more than 4 % of the time)")
      ->type_name("PERCENT");
  command
      ->add_option(
          "-f,--format", options.format,
          "what to write: recording, or a view of it, as report makes it (default: by the ending of FILE, else "
          "recording)")
      ->type_name("NAME");
  command
      ->add_option("--event", options.event,
                   "event to count in each thread: page-faults, context-switches, task-clock, instructions, cycles, "
                   "cache-misses, or "
                   "any event from `perf list`; append :u or :k for user or kernel mode only (default: instructions, "
                   "or task-clock "
                   "where the machine counts none; none: nothing)")
      ->type_name("NAME");
  command->add_flag(
      "--subprocesses", options.subprocesses,
      "existing and future children as well, told apart; without it a process that is not Python (a shell, "
      "uv run) stands for the only Python below it");
  command
      ->add_option("--args", options.argument_patterns,
                   "read the arguments of calls of these functions, for report -f cache: names or files, * stands "
                   "for anything (default: all that are not of a library)")
      ->expected(0, 1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->type_name("FUNCTION");
  command->add_flag(
      "--show-args", options.show_arguments,
      "with --args, also write what the arguments are: without it a recording has no value of the program");
  add_view(*command, options.view);
  return command;
}

CLI::App *add_report(CLI::App &app, ReportOptions &options, Loudness &loudness) {
  CLI::App *command = app.add_subcommand("report", "show a recording, on any machine: report FILE");
  command->add_option("FILE", options.file, "a recording; - is standard input")->required();
  add_common(*command, options.output, loudness);
  command
      ->add_option("-f,--format", options.format,
                   "hot (a table of functions, the default), html (a page with a flame graph), svg, folded, latency, "
                   "cache, speedscope, info; or by the ending of -o")
      ->type_name("NAME");
  command->add_flag("--json", options.view.json, "a table as JSON");
  add_view(*command, options.view);
  add_tables(*command, options.view);
  command
      ->add_option("--thread", options.view.filter.threads, "only threads of this name or TID; * stands for anything")
      ->type_name("NAME");
  command->add_option("--task", options.view.filter.tasks, "only what runs in a task of this coroutine or name")
      ->type_name("NAME");
  command->add_option("--function", options.view.filter.functions, "only stacks with this function")->type_name("NAME");
  command
      ->add_option(
          "--state", options.view.states,
          "only threads that were in this state: running (on a CPU), runnable (waiting for one), blocked, idle")
      ->delimiter(',')
      ->type_name("STATE");
  command->add_option("--since", options.view.since, "only from this time on, counted from the start: 10, 500ms, 2m")
      ->type_name("TIME");
  command->add_option("--until", options.view.until, "only up to this time")->type_name("TIME");
  return command;
}

CLI::App *add_dump(CLI::App &app, DumpOptions &options, Loudness &loudness) {
  CLI::App *command = app.add_subcommand("dump", "one snapshot: every thread, every task");
  add_common(*command, options.output, loudness);
  add_target(*command, options.pid, options.engine);
  command->add_flag("--json", options.json, "as JSON");
  return command;
}

CLI::App *add_tasks(CLI::App &app, DumpOptions &options, Loudness &loudness) {
  CLI::App *command = app.add_subcommand("tasks", "one snapshot: the tree of which task awaits which");
  add_common(*command, options.output, loudness);
  add_target(*command, options.pid, options.engine);
  command->add_option("TEXT", options.text,
                      "tasks matching TEXT in a name, a function or a file, with their parents and children");
  command->add_flag("--full", options.full, "list every task instead of grouping");
  command->add_flag("--json", options.json, "as JSON");
  return command;
}

CLI::App *add_caches(CLI::App &app, CachesOptions &options, Loudness &loudness) {
  CLI::App *command = app.add_subcommand("caches", "the functools.lru_caches that a process has, and how they do");
  add_common(*command, options.output, loudness);
  add_pid(*command, options.pid);
  command
      ->add_option("--interval", options.interval,
                   "time between the two readings that give calls a\n"
                   "second: 1 (the default), 500ms; 0: read once")
      ->type_name("SECONDS");
  command->add_option("--limit", options.limit, "rows of the table: 40 (the default); 0: all")
      ->type_name("COUNT")
      ->check(CLI::NonNegativeNumber);
  command->add_flag("--json", options.json, "every cache, as JSON");
  command->footer("Not found are caches that nothing but an instance or a local variable holds:\n"
                  "self.cached = lru_cache()(self.compute)");
  return command;
}

CLI::App *add_trace(CLI::App &app, TraceOptions &options, Loudness &loudness) {
  CLI::App *command = app.add_subcommand(
      "trace", "count every call of chosen functions:\ntrace -m MODULE:FUNCTION -p PID, or -- COMMAND ARGUMENT…");
  add_common(*command, options.output, loudness);
  command->add_option("-p,--pid", options.pid, "target process ID (Python 3.14 or later)")
      ->type_name("PID")
      ->check(CLI::PositiveNumber);
  command
      ->add_option(
          "-m,--function", options.functions,
          "a function, as it is imported: shop.prices:total,\nshop.prices:Order.total, __main__:work; * stands\n"
          "for anything behind the colon; once for each")
      ->type_name("MODULE:FUNCTION");
  command
      ->add_option("-d,--duration", options.duration,
                   "how long: 10, 500ms, 2m (default: until Ctrl-C,\nor the process ends)")
      ->type_name("SECONDS");
  command->add_flag("--subprocesses", options.subprocesses,
                    "the Pythons that COMMAND starts as well, each under its own name");
  command->footer("This runs code in the target: callbacks of the chosen functions.\nIt is taken out at the end.");
  return command;
}

int usage_error(const CLI::ParseError &error, const CLI::App &app) {
  std::string name = "awaitscope";
  for (const CLI::App *command : app.get_subcommands()) {
    name += " " + command->get_name();
  }
  say_error({ExitStatus::usage, error.what(), fmt::format("see {} --help", name)});
  return static_cast<int>(ExitStatus::usage);
}

int run(const InheritedState &inherited, int count, char **words) {
  Arguments arguments = split(count, words);
  CLI::App app{"Sampling profiler for running Python processes, with full stacks across asyncio awaits.", "awaitscope"};
  app.set_version_flag("--version", fmt::format("awaitscope {}", k_version));
  app.require_subcommand(1);
  RecordOptions record_options;
  ReportOptions report_options;
  DumpOptions dump_options;
  DumpOptions tasks_options;
  tasks_options.tasks_only = true;
  CachesOptions caches_options;
  Loudness loudness;
  const CLI::App *record_command = add_record(app, record_options, loudness);
  const CLI::App *report_command = add_report(app, report_options, loudness);
  const CLI::App *dump_command = add_dump(app, dump_options, loudness);
  const CLI::App *tasks_command = add_tasks(app, tasks_options, loudness);
  const CLI::App *caches_command = add_caches(app, caches_options, loudness);
  TraceOptions trace_options;
  const CLI::App *trace_command = add_trace(app, trace_options, loudness);
  try {
    std::vector<std::string> reversed(arguments.own.rbegin(), arguments.own.rend()); // what CLI11 takes
    app.parse(reversed);
  } catch (const CLI::Success &asked) {
    return app.exit(asked); // --help, --version
  } catch (const CLI::ParseError &error) {
    return usage_error(error, app);
  }
  Result<int> result = 0;
  if (record_command->parsed()) {
    record_options.command = std::move(arguments.command);
    record_options.arguments = record_command->count("--args") > 0;
    record_options.words.assign(words, words + count); // NOLINT(cppcoreguidelines-pro-bounds-pointer-arithmetic)
    record_options.verbosity = loudness.value();
    result = record(record_options, inherited);
  } else if (report_command->parsed()) {
    report_options.verbosity = loudness.value();
    result = !arguments.command.empty()
                 ? fail(ExitStatus::usage, "report reads a recording, and starts nothing", "awaitscope report FILE")
                 : report(report_options);
  } else if (dump_command->parsed()) {
    dump_options.verbosity = loudness.value();
    result = !dump_options.pid.has_value() || !arguments.command.empty()
                 ? fail(ExitStatus::usage, "dump requires a PID", "awaitscope dump -p PID")
                 : dump(dump_options);
  } else if (tasks_command->parsed()) {
    tasks_options.verbosity = loudness.value();
    result = !tasks_options.pid.has_value() || !arguments.command.empty()
                 ? fail(ExitStatus::usage, "tasks requires a PID", "awaitscope tasks -p PID")
                 : dump(tasks_options);
  } else if (caches_command->parsed()) {
    caches_options.verbosity = loudness.value();
    result = !caches_options.pid.has_value() || !arguments.command.empty()
                 ? fail(ExitStatus::usage, "caches requires a PID", "awaitscope caches -p PID")
                 : caches(caches_options);
  } else if (trace_command->parsed()) {
    trace_options.command = std::move(arguments.command);
    trace_options.words.assign(words, words + count); // NOLINT(cppcoreguidelines-pro-bounds-pointer-arithmetic)
    trace_options.verbosity = loudness.value();
    result = trace(trace_options, inherited);
  }
  if (!result) {
    say_error(result.error());
    return static_cast<int>(result.error().status);
  }
  return *result;
}

} // namespace
} // namespace awaitscope::tools

int main(int count, char **words) {
  try {
    awaitscope::tools::open_standard_descriptors();
    return awaitscope::tools::run(awaitscope::InheritedState(), count, words);
  } catch (const std::exception &error) { // memory, above all: everything else is an Error
    awaitscope::tools::say_error({awaitscope::ExitStatus::failed, error.what(), "free some memory, or report this"});
    return static_cast<int>(awaitscope::ExitStatus::failed);
  }
}
