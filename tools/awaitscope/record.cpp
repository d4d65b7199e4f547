#include "commands.hpp"

#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <functional>
#include <memory>
#include <optional>

#include <fmt/format.h>

#include "attach.hpp"
#include "awaitscope/capture/register_capture.hpp"
#include "awaitscope/process/child.hpp"
#include "awaitscope/process/kernel_stack.hpp"
#include "awaitscope/process/overseen_thread.hpp"
#include "awaitscope/process/own_thread.hpp"
#include "awaitscope/recording/block_queue.hpp"
#include "awaitscope/recording/writer.hpp"
#include "awaitscope/report/sampling_quality.hpp"
#include "awaitscope/sampler/sampler.hpp"
#include "awaitscope/support/clock.hpp"
#include "awaitscope/support/text.hpp"
#include "awaitscope/support/units.hpp"
#include "engines.hpp"
#include "events.hpp"
#include "messages.hpp"
#include "output.hpp"
#include "overseen.hpp"
#include "pace_notes.hpp"
#include "record_plan.hpp"
#include "record_summary.hpp"
#include "recorded_here.hpp"
#include "shared_recording.hpp"
#include "stop_signals.hpp"

namespace awaitscope::tools {
namespace {

void say_attached(Target &target, const Engine &engine, std::int64_t took_ns) {
  const PythonRuntime &runtime = target.runtime();
  say(fmt::format("attached to process {} in {}: Python {} in {} (found by {}), {} threads, asyncio {}, engine {}",
                  target.process().pid(), human_duration(took_ns), runtime.layout.version.text(), runtime.image,
                  runtime.found_by, target.threads().size(), target.tasks().located() ? "found" : "not imported yet",
                  engine.name()));
}

RecordingInfo info_of(const RecordOptions &options, const RecordPlan &plan, Target &target, const Engine &engine) {
  RecordingInfo info = recorded_here(options.words);
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
  info.arguments = plan.sampling.arguments ? Arguments::sampled : Arguments::none;
  info.shows_arguments = plan.sampling.arguments && plan.sampling.arguments->shown;
  info.start_ns = monotonic_ns();
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  info.start_realtime_ns = std::int64_t{now.tv_sec} * k_ns_per_second + now.tv_nsec;
  return info;
}

/// What the sampling needs. What runs beside it is made before its thread is scheduled otherwise.
struct Machinery {
  ProcessFollower &follower;
  BlockQueue &queue;
  SharedRecording &recording;
};

/// What is recorded first, and how.
struct Start {
  ThreadId first = 0; ///< the process that was named or launched
  std::unique_ptr<Target> target;
  std::int64_t began_ns = 0; ///< the attach
  EngineChoice engine;
};

/// Samples until the end, into the queue.
void sample(const RecordOptions &options, const RecordPlan &plan, Start &start, const CodeTable &codes,
            const Machinery &with) {
  std::unique_ptr<Target> target = std::move(start.target);
  const std::unique_ptr<Engine> made = start.engine.make(target->process().pid());
  Engine &engine = *made;
  if (options.verbosity == Verbosity::verbose) {
    say_attached(*target, engine, monotonic_ns() - start.began_ns);
  }
  const auto put = [&](std::string block) {
    with.queue.put(std::move(block));
    engine.rest_if_long();
  };
  with.recording.begin(info_of(options, plan, *target, engine), codes, put, [&] { return with.queue.full(); });
  ProgressLine progress(plan.sampling.duration_ns);
  PaceNotes notes(plan.sampling);
  const auto say_notes = [&](std::vector<std::string> texts) {
    texts.push_back(engine.take_note());
    for (const std::string &text : texts) {
      if (!text.empty() && options.verbosity != Verbosity::quiet) {
        progress.clear();
        say(text);
      }
    }
  };
  say_notes({});
  Sampler sampler(engine, plan.sampling, with.follower);
  sampler.on_progress([&](const SamplingTotals &totals) {
    const std::uint64_t samples = with.recording.keep_up(engine.name(), totals); // BPF may have become ready since
    if (with.queue.failed()) {
      StopSignals::request();
    }
    say_notes(notes.take(totals));
    if (options.verbosity != Verbosity::quiet) {
      progress.show(totals.elapsed_ns, samples, lost_percent(totals, samples));
    }
  });
  RecordingSink sink(with.recording, children_for(options));
  const SamplingTotals totals = sampler.run(std::move(target), sink, StopSignals::requested());
  say_notes({});
  with.recording.finish({totals, 0, notes.finish(totals), engine.name(), engine.copied(),
                         sampler.failure() ? sampler.failure() : why_no_sample(totals)});
}

/// Why a recording ended without the thread that made it.
tl::unexpected<Error> unfinished(ThreadId pid) {
  return fail(ExitStatus::failed,
              fmt::format("memory of process {} never came: the recording ends with what was sampled before", pid),
              "pages of it are to come by userfaultfd, or from a file system in user space that does not answer");
}

/// Waits until all is sampled. False if the thread that samples will not come back: then the recording was finished without it.
bool oversee(OverseenThread &thread, const RecordPlan &plan, ThreadId pid, SharedRecording &recording) {
  constexpr std::chrono::milliseconds k_poll{50};
  constexpr std::int64_t k_given_up_ns = 300'000'000;
  constexpr std::int64_t k_worth_a_line_ns = 5 * k_ns_per_second;
  const std::int64_t end_ns = plan.sampling.duration_ns ? monotonic_ns() + *plan.sampling.duration_ns : INT64_MAX;
  bool noted = false;
  while (!thread.done(k_poll)) {
    const bool over = StopSignals::requested().load() || monotonic_ns() >= end_ns;
    if (over && thread.stuck_ns() >= k_given_up_ns) {
      recording.finish_without();
      thread.abandon();
      return false;
    }
    if (!noted && thread.stuck_ns() >= k_worth_a_line_ns) {
      noted = true;
      say(fmt::format(
          "warning: memory of process {} that is being read does not come (userfaultfd, or a file system in user "
          "space): nothing is sampled meanwhile; Ctrl-C writes what there is",
          pid));
    }
  }
  return true;
}

/// Samples, and writes the recording meanwhile, or afterwards the view of it that was asked for. `leave` is called, and does not return, if a thread will not end that uses what is in here.
Result<void> sample_and_write(const RecordOptions &options, RecordPlan &plan, Start start, CodeTable &codes,
                              const std::function<void(const Result<void> &)> &leave) {
  Output &output = *plan.output;
  std::string memory;
  BlockQueue queue([&](std::string_view bytes) {
    if (plan.format == Format::recording) {
      return output.append(bytes);
    }
    memory += bytes;
    return Result<void>();
  });
  ProcessFollower follower(codes, children_for(options));
  follower.start(start.first, start.target->process().pid());
  const std::string presumed = presumed_warning(start.target->runtime().layout);
  if (!presumed.empty() && options.verbosity != Verbosity::quiet) {
    say(presumed);
  }
  const ThreadId pid = start.target->process().pid();
  SharedRecording recording;
  OverseenThread thread([&] { sample(options, plan, start, codes, {follower, queue, recording}); });
  const bool came_back = oversee(thread, plan, pid, recording);
  const Sampled sampled = recording.sampled();
  const std::vector<std::string> refusals = follower.finish();
  const auto end = [&](const Result<void> &done) {
    if (!came_back || follower.is_stuck()) {
      leave(done && !came_back ? unfinished(pid) : done);
    }
    return done;
  };
  constexpr std::chrono::milliseconds k_worth_a_line{1000};
  if (!queue.is_written_within(k_worth_a_line) && options.verbosity != Verbosity::quiet) {
    say(fmt::format("waiting until {} takes the rest of the recording; Ctrl-C twice leaves it out", output.name()));
  }
  if (const Result<void> closed = queue.close(); !closed) {
    Error error = closed.error();
    if (plan.format == Format::recording && !output.is_standard() && output.size() > 0) {
      error.hint += fmt::format("; what was written before can be read: awaitscope report {}", output.name());
    }
    return end(tl::unexpected(error));
  }
  View view;
  if (plan.format != Format::recording) {
    Result<View> made = render(std::make_unique<MemorySource>(std::move(memory)), plan.view);
    if (!made) {
      return end(tl::unexpected(made.error()));
    }
    view = std::move(*made);
    if (Result<void> written = output.write(view.text); !written) {
      return end(written);
    }
  }
  if (options.verbosity != Verbosity::quiet) {
    for (const std::string &refusal : refusals) {
      if (refusal != presumed) {
        say(refusal);
      }
    }
    say_outcome(options, plan, sampled, view);
  }
  if (plan.matches && !plan.matches->any && options.verbosity != Verbosity::quiet) {
    std::string names;
    for (const std::string &name : plan.matches->others) {
      names += (names.empty() ? "" : ", ") + one_line(valid_utf8(name));
    }
    say(fmt::format("warning: --args fits no function that was sampled, so that no arguments are recorded{}",
                    names.empty() ? "" : "; there are " + names));
  }
  if (thread.freed() > 0 && options.verbosity != Verbosity::quiet) {
    say(fmt::format("warning: {} times awaitscope had no CPU for a tenth of a second, and sampled nothing: the machine "
                    "is overloaded, or a "
                    "thread of process {} has a higher real-time priority, and keeps its CPU",
                    with_thousands(thread.freed()), pid));
  }
  if (sampled.failure) {
    Error error = *sampled.failure;
    error.hint += fmt::format("; what was recorded until then is in {}", output.name());
    return end(tl::unexpected(error));
  }
  return end({});
}

/// What native frames need beside what is read anyway; null if they are not wanted.
Result<std::unique_ptr<RegisterCapture>> open_native(const RecordOptions &options, RecordPlan &plan) {
  if (options.kernel) {
    if (const Result<void> shown = check_kernel_stacks(); !shown) {
      return tl::unexpected(shown.error());
    }
    plan.sampling.native = NativeFrames{nullptr, InterpreterFrames::fold, true};
  }
  if (!options.native) {
    return nullptr;
  }
  Result<std::unique_ptr<RegisterCapture>> opened = RegisterCapture::open();
  if (!opened) {
    return fail(opened.error().status, "--native does not work here: " + opened.error().what,
                "run awaitscope on the host, as root or with CAP_BPF and CAP_PERFMON (Linux 5.18 or later); awaitscope "
                "dump --native stops the process instead");
  }
  plan.sampling.native = NativeFrames{
      opened->get(), options.interpreter_frames ? InterpreterFrames::keep : InterpreterFrames::fold, options.kernel};
  return opened;
}

/// Says which process it is, and whether all that is wanted of it can be had.
Result<void> prepare(const Attached &attached, const RecordOptions &options, const EngineChoice &engine,
                     const RecordPlan &plan) {
  if (!attached.note.empty() && options.verbosity != Verbosity::quiet) {
    say(attached.note);
  }
  const ThreadId pid = attached.target->process().pid();
  const Result<void> checked = engine.check(pid);
  return checked ? prepare_counting(plan.event, pid) : checked;
}

/// The command; none if there is none.
Result<std::optional<Child>> launch(const RecordOptions &options, const InheritedState &inherited) {
  if (options.command.empty()) {
    return std::nullopt;
  }
  const Result<Child> launched = Child::launch(options.command, inherited);
  if (!launched) {
    return tl::unexpected(launched.error());
  }
  return std::optional(*launched);
}

} // namespace

Result<int> record(const RecordOptions &options, const InheritedState &inherited) {
  const std::int64_t began_ns = monotonic_ns();
  StopSignals::install();
  Result<RecordPlan> plan = plan_of(options);
  if (!plan) {
    return tl::unexpected(plan.error());
  }
  Result<EngineChoice> engine = EngineChoice::of(options.engine);
  if (!engine) {
    return tl::unexpected(engine.error());
  }
  const Result<std::unique_ptr<RegisterCapture>> registers = open_native(options, *plan);
  if (!registers) {
    return tl::unexpected(registers.error());
  }
  if (!options.command.empty() && !options.output.empty()) {
    // Before the command runs.
    if (const Result<void> opened = open_output(options, 0, *plan); !opened) {
      return tl::unexpected(opened.error());
    }
  }
  Result<std::optional<Child>> launched = launch(options, inherited);
  if (!launched) {
    return tl::unexpected(launched.error());
  }
  std::optional<Child> &child = *launched;
  allow_many_descriptors(); // not before: the command has the limit that it would have alone
  const ThreadId first = child ? child->pid() : *options.pid;
  if (*registers) {
    (*registers)->follow(first); // at once: those of a thread are known as soon as it has left its CPU
  }
  CodeTable codes;
  Attached attached;
  Result<void> done;
  if (!plan->output) {
    done = open_output(options, first, *plan);
  }
  const auto status_of = [&](const Result<void> &outcome) -> Result<int> {
    if (!child) {
      return outcome ? Result<int>(0) : tl::unexpected(outcome.error());
    }
    // The command goes on whatever became of the recording, and its status is what counts.
    if (!outcome) {
      say_error(outcome.error());
    }
    const int status = StopSignals::wait_for(*child);
    const bool has_status = outcome || status != 0 || outcome.error().status == ExitStatus::no_target;
    return has_status ? status : static_cast<int>(outcome.error().status);
  };
  const auto leave = [&](const Result<void> &outcome) {
    const Result<int> status = status_of(outcome);
    if (!status) {
      say_error(status.error());
    }
    std::fflush(nullptr);
    ::_exit(status ? *status
                   : static_cast<int>(status.error().status)); // no destructor: a thread still uses what they end
  };
  if (done) {
    Result<Attached> found;
    const auto attach = [&] {
      found = child ? attach_to(*child, options.command.front(), children_for(options), options.verbosity, codes)
                    : attach_to(first, children_for(options), codes);
    };
    run_overseen(first, attach, [&](const Error &error) {
      { const std::optional<Output> unwritten = std::move(plan->output); } // removes a file that was not there before
      leave(tl::unexpected(error));
    });
    done = found ? Result<void>() : tl::unexpected(found.error());
    attached = found ? std::move(*found) : Attached{};
  }
  if (done) {
    done = prepare(attached, options, *engine, *plan);
  }
  if (done) {
    done = sample_and_write(options, *plan, {first, std::move(attached.target), began_ns, std::move(*engine)}, codes,
                            leave);
  }
  return status_of(done);
}

} // namespace awaitscope::tools
