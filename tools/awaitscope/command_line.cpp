#include "command_line.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "help.hpp"
#include "version.hpp"

namespace awaitscope::tools {
namespace {

constexpr const char *k_target = "Target";
constexpr const char *k_sampling = "Sampling";
constexpr const char *k_filters = "Filters";
constexpr const char *k_output = "Output";

/// Options that may be given several times take one value each time: what follows it is not one more.
CLI::Option *add_names(CLI::App &command, const std::string &flags, std::vector<std::string> &names,
                       const std::string &what) {
  return command.add_option(flags, names, what)->allow_extra_args(false)->group(k_filters)->type_name("NAME");
}

void add_output(CLI::App &command, std::string &output, Loudness &loudness) {
  command.add_option("-o,--output", output, "output file (- for stdout)")->type_name("FILE")->group(k_output);
  command.add_flag("-q,--quiet", loudness.quiet, "print only errors")->group(k_output);
  command.add_flag("-v,--verbose", loudness.verbose, "print details of the attach and the sampling")->group(k_output);
}

/// Without a description: that would become part of the type's name.
CLI::Validator plain(CLI::Validator validator) {
  validator.description("");
  return validator;
}

void add_pid(CLI::App &command, std::optional<ThreadId> &pid, const std::string &what = "target process ID") {
  command.validate_positionals();
  command.add_option("PID,-p,--pid", pid, what)->type_name("PID")->check(plain(CLI::PositiveNumber))->group(k_target);
}

void add_engine(CLI::App &command, std::string &engine, const char *description) {
  command.add_option("--engine", engine, description)->type_name("NAME")->group(k_sampling);
}

void add_duration(CLI::App &command, std::string &duration) {
  command
      .add_option("-d,--duration", duration,
                  "how long: 10, 500ms, 1m30s (default: until Ctrl-C, or until the process ends)")
      ->type_name("SECONDS")
      ->group(k_sampling);
}

/// How stacks are shown, by report and by a record that writes no recording. What record has to sample for it is in `sampled`.
void add_view(CLI::App &command, ViewOptions &options, const char *sampled) {
  command
      .add_option("--metric", options.metric,
                  "wall (samples; the default, but for hot), cpu (nanoseconds; the default of hot), events, await "
                  "(nanoseconds suspended)")
      ->type_name("NAME")
      ->group(k_output);
  command
      .add_flag("--all-tasks", options.all_tasks,
                "include suspended tasks, each under the task that awaits it; latencies of coroutines and the metric "
                "await need them in the recording")
      ->group(sampled);
  command.add_flag("--idle", options.idle, "include idle threads")->group(sampled);
  command.add_flag("--task-names", options.task_names, "use task names: the names that the program gave its tasks")
      ->group(sampled);
  command.add_flag("--lines", options.lines, "show the current line instead of the def line")->group(k_output);
  command
      .add_option("--source", options.source,
                  "html: show lines of the hottest files from below this folder (else: from where the recording names "
                  "them, if it was made on this machine)")
      ->type_name("FOLDER")
      ->group(k_output);
  command.add_flag("--full-paths", options.full_paths, "show full paths")->group(k_output);
  command.add_flag("--loop-frames", options.loop_frames, "keep the event loop's own frames below a task")
      ->group(k_output);
  command.add_flag("--task-frames", options.task_frames, "mark where a task begins: [task NAME]")->group(k_output);
  add_names(command, "--process", options.filter.processes,
            "only processes with this name or PID (* matches anything); needs record --subprocesses");
}

/// How report shows tables.
void add_tables(CLI::App &command, ViewOptions &options) {
  command.add_option("--limit", options.limit, "rows of a table: 30 (default); 0: all")
      ->type_name("COUNT")
      ->check(plain(CLI::NonNegativeNumber))
      ->group(k_output);
  command
      .add_option("--sort", options.sort,
                  "what a table is ordered by: self (default), total; of latency calls, p50, p95, p99, max; of queries "
                  "wall, cpu, seen")
      ->type_name("COLUMN")
      ->group(k_output);
  command
      .add_flag("--hide-framework", options.hide_framework,
                "hot: only rows of your own code, none of packages and the standard library")
      ->group(k_filters);
  command.add_flag("--framework", options.framework, "latency: rows of packages and the standard library as well")
      ->group(k_filters);
}

void add_native(CLI::App &command, bool &native, bool &interpreter_frames, const std::string &group) {
  command.add_flag("--native", native, "native frames too: functions of C and other machine code")->group(group);
  command
      .add_flag("--interpreter-frames", interpreter_frames, "with --native: the interpreter's own functions as well")
      ->group(group);
}

void add_record(CLI::App &app, RecordOptions &options, Loudness &loudness) {
  CLI::App &command = *app.add_subcommand("record", "Sample a process, and write a recording or a view of it.");
  add_output(command, options.output, loudness);
  add_pid(command, options.pid);
  command
      .add_flag("--subprocesses", options.subprocesses,
                "existing and future children as well; without it, the only Python that a process which is not Python "
                "has started (a shell, uv run) stands for it")
      ->group(k_target);
  add_duration(command, options.duration);
  command.add_option("-r,--rate", options.rate, "samples per second: 100 (default), 1kHz")
      ->type_name("HZ")
      ->group(k_sampling);
  add_engine(
      command, options.engine,
      "sampling engine: auto (default), bpf (the kernel copies; as root, or with CAP_BPF and CAP_PERFMON), preempt, or "
      "stop (stops each thread that it reads, which bends shares near system calls)");
  command
      .add_option(
          "--max-overhead", options.max_overhead,
          "lower the rate while sampling costs more than this share of one CPU: 1, 0.5; 0: never (default: while "
          "it keeps threads from running for more than 4 % of the time)")
      ->type_name("PERCENT")
      ->group(k_sampling);
  command
      .add_option("--event", options.event,
                  "event to count in each thread: page-faults, context-switches, task-clock, instructions, cycles, "
                  "cache-misses, or any event from `perf list`; append :u or :k for user or kernel mode only (default: "
                  "instructions, or task-clock where the machine cannot count them; none: nothing)")
      ->type_name("NAME")
      ->group(k_sampling);
  command
      .add_option("--args", options.argument_patterns,
                  "read the arguments of calls of these functions, for report -f cache: names or files, * matches "
                  "anything (default: all that are not in a library)")
      ->expected(0, 1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->type_name("FUNCTION")
      ->group(k_sampling);
  command
      .add_flag("--show-args", options.show_arguments,
                "with --args, also record what the arguments are; without it, a recording has no value of the program")
      ->group(k_sampling);
  add_native(command, options.native, options.interpreter_frames, k_sampling);
  command.add_flag("--kernel", options.kernel, "functions of the kernel too, as the last frames")->group(k_sampling);
  command
      .add_flag(
          "--django-frames", options.django_frames,
          "frames for what Django works on: \"SQL SELECT …\", without its values, and \"template shop/cart.html\"")
      ->group(k_sampling);
  command.add_flag("--request-paths", options.request_paths, "record the paths of requests, without their queries")
      ->group(k_sampling);
  command
      .add_option("--request-id", options.request_id,
                  "record this header of requests, such as X-Request-Id; report -f request --id takes its values")
      ->type_name("HEADER")
      ->group(k_sampling);
  command
      .add_option("-f,--format", options.format,
                  "recording, or a view of it, as report makes it (default: by the ending of FILE, else recording)")
      ->type_name("NAME")
      ->group(k_output);
  add_view(command, options.view, k_sampling);
  command.footer("awaitscope record 4711 -d 10\tten seconds of a running process\n"
                 "awaitscope record -o app.ascope -- python3 app.py\ta command, from its start\n"
                 "awaitscope record 4711 -d 1m30s -o app.html\ta page to open in a browser\n"
                 "awaitscope record 4711 -d 30 --all-tasks\twith suspended tasks, for report -f latency\n"
                 "awaitscope record 4711 -d 30 --subprocesses\ta server and its workers");
}

void add_report(CLI::App &app, ReportOptions &options, Loudness &loudness) {
  CLI::App &command = *app.add_subcommand("report", "Show a recording, on any machine, without the process.");
  command.add_option("FILE", options.file, "a recording (- for stdin)")->required()->type_name("FILE")->group(k_target);
  add_output(command, options.output, loudness);
  command
      .add_option(
          "-f,--format", options.format,
          "hot (a table of functions, the default), html (a page with a flame graph), svg, folded, latency, "
          "requests (a table of routes), request (what one of them did when), queries (a table of SQL), "
          "blockers (what held event loops), gil (who held it while others waited), cache, speedscope, info; or by "
          "the ending of -o")
      ->type_name("NAME")
      ->group(k_output);
  command.add_flag("--json", options.view.json, "print a table as JSON")->group(k_output);
  add_view(command, options.view, k_filters);
  add_tables(command, options.view);
  add_names(command, "--thread", options.view.filter.threads,
            "only threads with this name or TID (* matches anything)");
  add_names(command, "--task", options.view.filter.tasks, "only what runs in a task with this coroutine or name");
  add_names(command, "--function", options.view.filter.functions, "only stacks with this function");
  command
      .add_option("--state", options.view.states,
                  "only threads in this state: running (on a CPU), runnable (waiting for one), blocked, idle")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("STATE")
      ->group(k_filters);
  add_names(command, "--route", options.view.filter.routes, "only requests of this route, as -f requests names it");
  command.add_option("--slower", options.view.slower, "only requests that took longer than this: 500ms, 2")
      ->type_name("TIME")
      ->group(k_filters);
  command
      .add_option("--longer", options.view.longer, "with -f blockers: only callbacks that took longer than this (50ms)")
      ->type_name("TIME")
      ->group(k_filters);
  command
      .add_option("--id", options.view.request,
                  "with -f request: its number, by -f requests --json, or what record --request-id has recorded of it")
      ->type_name("ID")
      ->group(k_filters);
  command.add_option("--since", options.view.since, "only from this time on, counted from the start: 10, 500ms, 2m")
      ->type_name("TIME")
      ->group(k_filters);
  command.add_option("--until", options.view.until, "only up to this time")->type_name("TIME")->group(k_filters);
  command.footer("awaitscope report app.ascope\tthe hottest functions\n"
                 "awaitscope report app.ascope -o app.html\ta page with a flame graph\n"
                 "awaitscope report app.ascope -f latency\thow long calls took, and where\n"
                 "awaitscope report app.ascope --task handler --since 5s\tone kind of task, after 5 s");
}

constexpr const char *k_reading_engine = "auto (default): stop the process if it does not pause for as long as it "
                                         "takes to read it; preempt: never, but read it in "
                                         "pieces; stop: at once";

void add_dump(CLI::App &app, DumpOptions &options, Loudness &loudness) {
  CLI::App &command = *app.add_subcommand("dump", "Print one snapshot: every thread, every task.");
  add_output(command, options.output, loudness);
  add_pid(command, options.pid);
  add_engine(command, options.engine, k_reading_engine);
  command.add_option("--order", options.order, "which frame comes first: innermost (default) or outermost")
      ->type_name("NAME")
      ->group(k_output);
  command.add_flag("--full-paths", options.full_paths, "show full paths")->group(k_output);
  add_native(command, options.native, options.interpreter_frames, k_output);
  command.add_flag("--json", options.json, "print JSON")->group(k_output);
  command.footer("awaitscope dump 4711\twhat does each thread do now?\n"
                 "awaitscope dump 4711 --order outermost\tas Python prints tracebacks");
}

void add_tasks(CLI::App &app, DumpOptions &options, Loudness &loudness) {
  options.tasks_only = true;
  CLI::App &command = *app.add_subcommand("tasks", "Print the tree of which task awaits which.");
  add_output(command, options.output, loudness);
  add_pid(command, options.pid);
  command
      .add_option("TEXT", options.text,
                  "only tasks with TEXT in a name, a function or a file, with their parents and children")
      ->group(k_filters);
  command.add_flag("--done", options.done, "include tasks that are done")->group(k_filters);
  add_engine(command, options.engine, k_reading_engine);
  command.add_flag("--full", options.full, "list every task instead of grouping")->group(k_output);
  command.add_flag("--json", options.json, "print JSON")->group(k_output);
  command.footer(
      "awaitscope tasks 4711\twhat do all tasks wait for?\n"
      "awaitscope tasks 4711 handle_order --full\teach task with this in a name, with its parents and children");
}

void add_caches(CLI::App &app, CachesOptions &options, Loudness &loudness) {
  CLI::App &command =
      *app.add_subcommand("caches", "Print the functools.lru_caches of a process, and how well each one works.");
  add_output(command, options.output, loudness);
  add_pid(command, options.pid);
  command
      .add_option("--interval", options.interval,
                  "time between the two readings that give calls a second: 1 (default), 500ms; 0: read once")
      ->type_name("SECONDS")
      ->group(k_sampling);
  command.add_option("--limit", options.limit, "rows of the table: 40 (default); 0: all")
      ->type_name("COUNT")
      ->check(plain(CLI::NonNegativeNumber))
      ->group(k_output);
  command.add_flag("--json", options.json, "print every cache as JSON")->group(k_output);
  command.footer(
      "awaitscope caches 4711\twhich caches are too small, or of no use?\n"
      "Not found are caches that only an instance or a local variable holds: self.cached = lru_cache()(self.compute)");
}

void add_trace(CLI::App &app, TraceOptions &options, Loudness &loudness) {
  CLI::App &command =
      *app.add_subcommand("trace", "Count every call of chosen functions, with code that runs in the target.");
  add_output(command, options.output, loudness);
  add_pid(command, options.pid, "target process ID (Python 3.14 or later)");
  command
      .add_flag("--subprocesses", options.subprocesses,
                "the Pythons that COMMAND starts as well, each under its own name")
      ->group(k_target);
  add_names(command, "-m,--function", options.functions,
            "a function, as it is imported: shop.prices:total, shop.prices:Order.total, __main__:work; * matches "
            "anything behind the colon; may be repeated")
      ->type_name("MODULE:FUNCTION");
  add_duration(command, options.duration);
  command.footer("awaitscope trace -m shop.prices:total 4711 -d 10\n"
                 "awaitscope trace -m __main__:work -- python3 app.py\n"
                 "This runs code in the target: callbacks of the chosen functions. It is removed at the end.");
}

void add_completion(CLI::App &app, std::string &shell, std::string &output) {
  CLI::App &command =
      *app.add_subcommand("completion", "Print what makes a shell complete commands and options, or the manual page.");
  command.add_option("SHELL", shell, "bash, zsh, fish; man for the manual page")
      ->required()
      ->type_name("SHELL")
      ->group(k_output);
  command.add_option("-o,--output", output, "output file (- for stdout)")->type_name("FILE")->group(k_output);
  command.footer("source <(awaitscope completion bash)\tin this shell\n"
                 "awaitscope completion man | man -l -\tread the manual page");
}

} // namespace

CommandLine::CommandLine()
    : app("Sampling profiler for running Python processes, with full stacks across asyncio awaits.", "awaitscope") {
  app.set_version_flag("--version", fmt::format("awaitscope {}", k_version), "print the version")->group("Options");
  app.require_subcommand(1);
  app.formatter(std::make_shared<HelpFormatter>());
  add_record(app, record, loudness);
  add_report(app, report, loudness);
  add_dump(app, dump, loudness);
  add_tasks(app, tasks, loudness);
  add_caches(app, caches, loudness);
  add_trace(app, trace, loudness);
  add_completion(app, shell, shell_output);
  app.set_help_flag("-h,--help", "print this help")->group("Options");
  for (CLI::App *command : app.get_subcommands([](CLI::App *) { return true; })) {
    command->set_help_flag("-h,--help", "print this help")->group(k_output); // the last of its group
  }
  app.footer("awaitscope record 4711 -d 10\twhere does the time go?\n"
             "awaitscope report awaitscope-4711-….ascope\n"
             "awaitscope tasks 4711\twhat do all tasks wait for?\n"
             "awaitscope dump 4711\tis it stuck, and where?\n"
             "awaitscope COMMAND --help lists the options of a command. A PID may be given without -p.");
}

std::vector<std::string_view> known_values(const CLI::Option &option) {
  if (option.check_name("--format")) {
    return format_names();
  }
  if (option.check_name("--metric")) {
    return metric_names();
  }
  if (option.check_name("--state")) {
    return state_names();
  }
  if (option.check_name("--engine")) {
    return {"auto", "bpf", "preempt", "stop"};
  }
  if (option.check_name("--order")) {
    return {"innermost", "outermost"};
  }
  if (option.check_name("SHELL")) {
    return {"bash", "zsh", "fish", "man"};
  }
  return {};
}

std::vector<const CLI::App *> commands_of(const CLI::App &app) {
  return app.get_subcommands([](const CLI::App *) { return true; });
}

std::vector<const CLI::Option *> options_of(const CLI::App &command, std::string_view group) {
  return command.get_options([&](const CLI::Option *option) { return option->get_group() == group; });
}

} // namespace awaitscope::tools
