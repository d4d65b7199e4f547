#include "commands.hpp"

#include <csignal>
#include <memory>

#include <fmt/format.h>

#include "awaitscope/export/folded.hpp"
#include "awaitscope/process/child.hpp"
#include "awaitscope/recording/recording.hpp"
#include "awaitscope/report/profile.hpp"
#include "awaitscope/sampler/sampler.hpp"
#include "awaitscope/support/clock.hpp"
#include "awaitscope/support/units.hpp"
#include "engines.hpp"
#include "messages.hpp"
#include "output.hpp"
#include "stop_signals.hpp"

namespace awaitscope::tools {
namespace {

/// What the command line asked for, parsed and checked.
struct Plan {
  SamplerOptions sampling;
  Output output;
};

bool ends_with(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

Result<void> check_format(const RecordOptions &options) {
  std::string format = options.format;
  if (format.empty()) {
    const bool folded = ends_with(options.output, ".folded") || ends_with(options.output, ".txt");
    format = folded ? "folded" : ends_with(options.output, ".speedscope.json") ? "speedscope" : "recording";
  }
  if (format != "folded") {
    return fail(ExitStatus::usage, fmt::format("format '{}' is not in this version", format),
                "use -f folded, or an output that ends in .folded");
  }
  return {};
}

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
  if (!options.duration.empty()) {
    const Result<std::int64_t> duration = parse_duration(options.duration);
    if (!duration) {
      return tl::unexpected(duration.error());
    }
    plan.sampling.duration_ns = *duration;
  }
  if (const Result<void> format = check_format(options); !format) {
    return tl::unexpected(format.error());
  }
  plan.sampling.idle = options.idle ? IdleThreads::sample : IdleThreads::skip;
  plan.sampling.root_names = options.task_names ? RootNames::read : RootNames::skip;
  Result<Output> output = Output::open(options.output);
  if (!output) {
    return tl::unexpected(output.error());
  }
  plan.output = std::move(*output);
  return plan;
}

class RecordingSink final : public SampleSink {
public:
  explicit RecordingSink(Recording &recording) : recording_(recording) {}
  void consume(const Sample &sample, const std::string &thread_name) override { recording_.add(sample, thread_name); }

private:
  Recording &recording_;
};

/// A command that was just started needs a moment until it is a Python: `env python`, a shell script, a slow import.
Result<void> attach_to_child(Child &child, CodeTable &codes, std::unique_ptr<Target> &target) {
  constexpr std::int64_t k_patience_ns = 5 * k_ns_per_second;
  constexpr useconds_t k_pause_us = 5000;
  const std::int64_t deadline = monotonic_ns() + k_patience_ns;
  while (true) {
    Result<Process> process = Process::open(child.pid());
    if (!process) {
      return tl::unexpected(process.error());
    }
    target = std::make_unique<Target>(std::move(*process), codes);
    Result<void> attached = target->attach();
    if (attached || attached.error().status == ExitStatus::denied || monotonic_ns() > deadline ||
        StopSignals::requested().load()) {
      return attached;
    }
    ::usleep(k_pause_us);
  }
}

Result<void> attach(const RecordOptions &options, std::optional<Child> &child, CodeTable &codes,
                    std::unique_ptr<Target> &target) {
  if (child) {
    return attach_to_child(*child, codes, target);
  }
  Result<Process> process = Process::open(*options.pid);
  if (!process) {
    return tl::unexpected(process.error());
  }
  target = std::make_unique<Target>(std::move(*process), codes);
  return target->attach();
}

std::string folded(const Recording &recording, const RecordOptions &options) {
  ProfileOptions profile;
  profile.idle = options.idle;
  profile.loop_frames = options.loop_frames;
  profile.task_frames = options.task_frames;
  profile.task_names = options.task_names;
  FrameNames names(recording.codes, recording.import_paths,
                   options.full_paths ? FileNames::full : FileNames::importable,
                   options.lines ? Lines::executing : Lines::definition);
  return folded_text(wall_profile(recording, profile), names);
}

void say_attached(Target &target, const Engine &engine, std::int64_t took_ns) {
  const PythonRuntime &runtime = target.runtime();
  say(fmt::format("attached to process {} in {}: Python {} in {} (found by {}), {} threads, asyncio {}, engine {}",
                  target.process().pid(), human_duration(took_ns), runtime.layout.version.text(), runtime.image,
                  runtime.found_by, target.threads().size(), target.tasks().located() ? "found" : "not imported yet",
                  engine.name()));
}

/// Samples into the recording and writes it.
Result<void> sample_and_write(const RecordOptions &options, Plan &plan, Target &target, Recording &recording,
                              std::int64_t began_ns) {
  Result<std::unique_ptr<Engine>> engine = make_engine(options.engine);
  if (!engine) {
    return tl::unexpected(engine.error());
  }
  recording.import_paths = target.import_paths();
  if (options.verbosity == Verbosity::verbose) {
    say_attached(target, **engine, monotonic_ns() - began_ns);
  }
  const std::string engine_name = (*engine)->name();
  {
    ProgressLine progress;
    Sampler sampler(target, **engine, plan.sampling);
    if (options.verbosity != Verbosity::quiet) {
      sampler.on_progress([&](const SamplingTotals &totals) { progress.show(totals); });
    }
    RecordingSink sink(recording);
    recording.totals = sampler.run(sink, StopSignals::requested());
    engine->reset(); // the rest runs at ordinary priority
  }
  Result<void> written = plan.output.write(folded(recording, options));
  if (written && options.verbosity != Verbosity::quiet) {
    const std::string next =
        plan.output.is_standard() ? "" : fmt::format("; next: flamegraph.pl {} > flame.svg", plan.output.name());
    say(fmt::format("{}; folded stacks, unit samples, in {}{}",
                    summary(recording.totals, plan.sampling.rate_hz, engine_name), plan.output.name(), next));
  }
  return written;
}

/// The status of the command, once it has ended.
int finish(Child &child) {
  if (const int signal = StopSignals::to_forward(); signal != 0) {
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
  std::optional<Child> child;
  if (!options.command.empty()) {
    Result<Child> launched = Child::launch(options.command);
    if (!launched) {
      return tl::unexpected(launched.error());
    }
    child = *launched;
  }
  Recording recording;
  std::unique_ptr<Target> target;
  Result<void> done = attach(options, child, recording.codes, target);
  if (done) {
    done = sample_and_write(options, *plan, *target, recording, began_ns);
  }
  if (!child) {
    return done ? Result<int>(0) : tl::unexpected(done.error());
  }
  // The command goes on whatever became of the recording, and its status is what counts.
  if (!done) {
    say_error(done.error());
  }
  const int status = finish(*child);
  return done || status != 0 ? status : static_cast<int>(done.error().status);
}

} // namespace awaitscope::tools
