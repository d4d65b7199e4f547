#include "commands.hpp"

#include <array>
#include <cmath>
#include <csignal>
#include <ctime>
#include <memory>
#include <optional>

#include <fmt/format.h>
#include <unistd.h>

#include "attach.hpp"
#include "awaitscope/process/child.hpp"
#include "awaitscope/recording/block_queue.hpp"
#include "awaitscope/recording/writer.hpp"
#include "awaitscope/sampler/sampler.hpp"
#include "awaitscope/support/clock.hpp"
#include "awaitscope/support/text.hpp"
#include "awaitscope/support/units.hpp"
#include "engines.hpp"
#include "events.hpp"
#include "messages.hpp"
#include "output.hpp"
#include "pace_notes.hpp"
#include "stop_signals.hpp"
#include "version.hpp"

namespace awaitscope::tools {
namespace {

/// What the command line asked for, parsed and checked.
struct Plan {
  SamplerOptions sampling;
  EventPlan event;
  Format format = Format::recording;
  ViewPlan view;                ///< unless a recording is to be written
  std::optional<Output> output; ///< opened by open_output()
};

Result<Plan> plan_of(const RecordOptions &options) {
  if (options.pid.has_value() == !options.command.empty()) {
    return fail(ExitStatus::usage,
                options.pid ? "both a PID and a command were given" : "neither a PID nor a command was given",
                "awaitscope record -p PID, or awaitscope record -- COMMAND ARGUMENT…");
  }
  Plan plan;
  const Result<double> rate = parse_rate(options.rate);
  if (!rate) {
    return tl::unexpected(rate.error());
  }
  plan.sampling.rate_hz = *rate;
  if (!options.max_overhead.empty()) {
    const Result<double> share = parse_percent(options.max_overhead);
    if (!share) {
      return tl::unexpected(share.error());
    }
    plan.sampling.most_share = *share;
  }
  if (!options.duration.empty()) {
    const Result<std::int64_t> duration = parse_duration(options.duration);
    if (!duration) {
      return tl::unexpected(duration.error());
    }
    plan.sampling.duration_ns = *duration;
  }
  const Result<Format> format = format_of(options.format, options.output, Format::recording);
  if (!format) {
    return tl::unexpected(format.error());
  }
  plan.format = *format;
  const Result<ViewPlan> view = plan_view(*format, options.view);
  if (!view) {
    return tl::unexpected(view.error());
  }
  plan.view = *view;
  if (!options.view.filter.processes.empty() && (plan.format == Format::recording || !options.subprocesses)) {
    return fail(ExitStatus::usage,
                plan.format == Format::recording ? "--process filters views, and a recording holds every process"
                                                 : "--process needs --subprocesses",
                plan.format == Format::recording ? "give it to awaitscope report, or add -f with a view"
                                                 : "add --subprocesses: without it one process is recorded");
  }
  if (options.event == "none" && plan.format != Format::recording && view->profile.metric == Metric::events) {
    return fail(ExitStatus::usage, "--metric events has nothing to show with --event none",
                "name an event with --event");
  }
  const Result<EventPlan> event = plan_event(options.event);
  if (!event) {
    return tl::unexpected(event.error());
  }
  plan.event = *event;
  plan.sampling.event = event->counted;
  plan.sampling.idle = options.view.idle ? IdleThreads::sample : IdleThreads::skip;
  plan.sampling.all_tasks = options.view.all_tasks ? AllTasks::watch : AllTasks::skip;
  const bool calls = plan.format == Format::recording || plan.format == Format::latency;
  plan.sampling.plain_calls = calls ? PlainCalls::follow : PlainCalls::skip;
  plan.sampling.root_names = options.view.task_names ? RootNames::read : RootNames::skip;
  return plan;
}

Children children_for(const RecordOptions &options) {
  return options.subprocesses ? Children::follow : Children::ignore;
}

/// awaitscope-PID-YYYYmmdd-HHMMSS.ascope
std::string default_name(ThreadId pid) {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::localtime_r(&now, &parts);
  std::string text(32, '\0');
  text.resize(std::strftime(text.data(), text.size(), "%Y%m%d-%H%M%S", &parts));
  return fmt::format("awaitscope-{}-{}.ascope", pid, text);
}

Result<void> open_output(const RecordOptions &options, ThreadId pid, Plan &plan) {
  const bool nameless = options.output.empty() && plan.format == Format::recording;
  const std::string path = nameless ? default_name(pid) : options.output;
  if (plan.format == Format::recording && path == "-" && ::isatty(STDOUT_FILENO) == 1) {
    return fail(ExitStatus::usage, "refusing to write a binary recording to a terminal",
                "give a file with -o, or -f folded");
  }
  Result<Output> output = Output::open(path);
  if (!output) {
    return tl::unexpected(output.error());
  }
  plan.output.emplace(std::move(*output));
  return {};
}

class RecordingSink final : public SampleSink {
public:
  RecordingSink(RecordingWriter &writer, Children children) : writer_(writer), children_(children) {}
  /// "process 4711 gunicorn: worker [app]", where there can be several.
  void meet(const MetProcess &process) override {
    if (children_ == Children::follow) {
      writer_.name_process(process.pid, fmt::format("process {} {}", process.pid, one_line(valid_utf8(process.name))));
      writer_.add_import_paths(process.import_paths);
    }
  }
  void consume(const Sample &sample, const std::string &thread_name) override { writer_.add(sample, thread_name); }
  void consume(const TaskChange &change) override { writer_.add(change); }

private:
  RecordingWriter &writer_;
  Children children_;
};

void say_attached(Target &target, const Engine &engine, std::int64_t took_ns) {
  const PythonRuntime &runtime = target.runtime();
  say(fmt::format("attached to process {} in {}: Python {} in {} (found by {}), {} threads, asyncio {}, engine {}",
                  target.process().pid(), human_duration(took_ns), runtime.layout.version.text(), runtime.image,
                  runtime.found_by, target.threads().size(), target.tasks().located() ? "found" : "not imported yet",
                  engine.name()));
}

RecordingInfo info_of(const RecordOptions &options, const Plan &plan, Target &target, const Engine &engine) {
  RecordingInfo info;
  info.tool_version = k_version;
  info.tool_command = options.words;
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) == 0) {
    info.host = host.data();
  }
  info.pid = target.process().pid();
  info.executable = target.process().executable();
  info.command = target.process().command_line();
  info.python = target.runtime().layout.version.text();
  info.python_presumed = target.runtime().layout.presumed;
  info.engine = engine.name();
  info.event = plan.event.name;
  info.event_source = plan.event.source;
  info.events_as_time = plan.event.counted && is_as_frequent_as_time(*plan.event.counted);
  info.rate_millihertz = static_cast<std::uint64_t>(std::llround(plan.sampling.rate_hz * 1000));
  info.idle_threads = plan.sampling.idle == IdleThreads::sample;
  info.task_names = plan.sampling.root_names == RootNames::read;
  info.import_paths = target.import_paths();
  info.start_ns = monotonic_ns();
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  info.start_realtime_ns = std::int64_t{now.tv_sec} * k_ns_per_second + now.tv_nsec;
  return info;
}

/// What runs beside the sampling, made before its thread is scheduled otherwise; and the engine.
struct Machinery {
  Engine &engine;
  ProcessFollower &follower;
  BlockQueue &queue;
};

struct Sampled {
  SamplingTotals totals;
  std::uint64_t samples = 0; ///< as Recorded
  std::string pace_note;     ///< as PaceNotes::finish()
};

/// Samples until the end, into the queue.
Sampled sample(const RecordOptions &options, const Plan &plan, std::unique_ptr<Target> target, const CodeTable &codes,
               const Machinery &with) {
  RecordingWriter writer(info_of(options, plan, *target, with.engine), codes,
                         [&](std::string block) { with.queue.put(std::move(block)); });
  ProgressLine progress;
  PaceNotes notes(plan.sampling);
  Sampler sampler(with.engine, plan.sampling, with.follower);
  sampler.on_progress([&](const SamplingTotals &totals) {
    writer.name_engine(with.engine.name()); // BPF may have become ready since
    writer.keep_up(monotonic_ns(), totals);
    if (with.queue.failed()) {
      StopSignals::request();
    }
    if (options.verbosity != Verbosity::quiet) {
      for (const std::string &note : notes.take(totals)) {
        progress.clear();
        say(note);
      }
      progress.show(totals, writer.samples());
    }
  });
  RecordingSink sink(writer, children_for(options));
  Sampled sampled;
  sampled.totals = sampler.run(std::move(target), sink, StopSignals::requested());
  sampled.samples = writer.samples();
  sampled.pace_note = notes.finish(sampled.totals);
  writer.name_engine(with.engine.name());
  writer.finish(sampled.totals);
  return sampled;
}

/// What was written, and what to do with it.
std::string outcome(const Plan &plan, const View &view) {
  const Output &output = *plan.output;
  if (plan.format == Format::recording) {
    const std::string size = fmt::format("{} bytes", with_thousands(static_cast<std::uint64_t>(output.size())));
    return output.is_standard()
               ? fmt::format("recording, {} → {}", size, output.name())
               : fmt::format("recording, {} → {}; next: awaitscope report {}", size, output.name(), output.name());
  }
  const bool flame = plan.format == Format::folded && !output.is_standard();
  return fmt::format("{} → {}{}", view.what, output.name(),
                     flame ? fmt::format("; next: flamegraph.pl {} > flame.svg", output.name()) : "");
}

/// Samples, and writes the recording meanwhile, or afterwards the view of it that was asked for. `first` is the process that was
/// named or launched.
Result<void> sample_and_write(const RecordOptions &options, Plan &plan, ThreadId first, std::unique_ptr<Target> target,
                              CodeTable &codes, std::int64_t began_ns) {
  Output &output = *plan.output;
  std::string memory;
  // Before the engine, which changes the scheduling of this thread.
  BlockQueue queue([&](std::string_view bytes) {
    if (plan.format == Format::recording) {
      return output.append(bytes);
    }
    memory += bytes;
    return Result<void>();
  });
  ProcessFollower follower(codes, children_for(options));
  follower.start(first, target->process().pid());
  Result<std::unique_ptr<Engine>> engine = make_engine(options.engine, target->process().pid());
  if (!engine) {
    return tl::unexpected(engine.error());
  }
  if (options.verbosity == Verbosity::verbose) {
    say_attached(*target, **engine, monotonic_ns() - began_ns);
  }
  const std::string presumed = presumed_warning(target->runtime().layout);
  if (!presumed.empty() && options.verbosity != Verbosity::quiet) {
    say(presumed);
  }
  const Sampled sampled = sample(options, plan, std::move(target), codes, {**engine, follower, queue});
  const SamplingTotals &totals = sampled.totals;
  const std::string engine_name = (*engine)->name(); // it may have got help since
  const std::vector<std::string> refusals = follower.finish();
  engine->reset(); // the rest runs at ordinary priority
  if (const Result<void> closed = queue.close(); !closed) {
    Error error = closed.error();
    error.hint += fmt::format("; what was written before can be read: awaitscope report {}", output.name());
    return tl::unexpected(error);
  }
  View view;
  if (plan.format != Format::recording) {
    Result<View> made = render(std::make_unique<MemorySource>(std::move(memory)), plan.view);
    if (!made) {
      return tl::unexpected(made.error());
    }
    view = std::move(*made);
    if (Result<void> written = output.write(view.text); !written) {
      return written;
    }
  }
  if (options.verbosity != Verbosity::quiet) {
    for (const std::string &refusal : refusals) {
      if (refusal != presumed) {
        say(refusal);
      }
    }
    for (const std::string &warning : view.warnings) {
      say(warning);
    }
    if (!sampled.pace_note.empty()) {
      say(sampled.pace_note);
    }
    say(fmt::format("{}{}; {}",
                    summary(totals, {sampled.samples, plan.sampling.rate_hz, engine_name, children_for(options)}),
                    event_summary(plan.event, totals), outcome(plan, view)));
  }
  if (options.verbosity == Verbosity::verbose) {
    say(fmt::format(std::locale("C"), "of the ticks, {} were taken by bpf alone, while the recorder slept",
                    totals.alone));
  }
  return {};
}

/// The status of the command, once it has ended.
int finish(Child &child) {
  if (const int signal = StopSignals::to_forward(); signal != 0 && !child.poll()) {
    ::kill(child.pid(), signal);
  }
  return child.wait();
}

} // namespace

Result<int> record(const RecordOptions &options) {
  const std::int64_t began_ns = monotonic_ns();
  StopSignals::install();
  Result<Plan> plan = plan_of(options);
  if (!plan) {
    return tl::unexpected(plan.error());
  }
  if (const auto engine = make_engine(options.engine); !engine) {
    return tl::unexpected(engine.error());
  }
  if (!options.command.empty() && !options.output.empty()) {
    // Before the command runs.
    if (const Result<void> opened = open_output(options, 0, *plan); !opened) {
      return tl::unexpected(opened.error());
    }
  }
  std::optional<Child> child;
  if (!options.command.empty()) {
    Result<Child> launched = Child::launch(options.command);
    if (!launched) {
      return tl::unexpected(launched.error());
    }
    child = *launched;
  }
  const ThreadId first = child ? child->pid() : *options.pid;
  CodeTable codes;
  Attached attached;
  Result<void> done;
  if (!plan->output) {
    done = open_output(options, first, *plan);
  }
  if (done) {
    Result<Attached> found =
        child ? attach_to(*child, options.command.front(), children_for(options), options.verbosity, codes)
              : attach_to(first, children_for(options), codes);
    done = found ? Result<void>() : tl::unexpected(found.error());
    attached = found ? std::move(*found) : Attached{};
  }
  if (done && !attached.note.empty() && options.verbosity != Verbosity::quiet) {
    say(attached.note);
  }
  if (done) {
    done = prepare_counting(plan->event, attached.target->process().pid());
  }
  if (done) {
    done = sample_and_write(options, *plan, first, std::move(attached.target), codes, began_ns);
  }
  if (!child) {
    return done ? Result<int>(0) : tl::unexpected(done.error());
  }
  // The command goes on whatever became of the recording, and its status is what counts.
  if (!done) {
    say_error(done.error());
  }
  const int status = finish(*child);
  const bool has_status = done || status != 0 || done.error().status == ExitStatus::no_target;
  return has_status ? status : static_cast<int>(done.error().status);
}

} // namespace awaitscope::tools
