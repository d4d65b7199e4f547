#include "record_plan.hpp"
#include "option_effects.hpp"

#include <functional>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

#include "awaitscope/support/library_paths.hpp"
#include "awaitscope/support/units.hpp"
#include "recording_name.hpp"

namespace awaitscope::tools {
namespace {

/// The functions whose arguments are read.
std::function<bool(const CodeInfo &)> choice_of(const std::vector<std::string> &patterns,
                                                std::shared_ptr<ArgumentMatches> matches) {
  if (patterns.empty()) {
    return [](const CodeInfo &code) { return is_program_file(code.file); };
  }
  return [patterns, matches = std::move(matches)](const CodeInfo &code) {
    constexpr std::size_t k_most_others = 5;
    const std::string file = code.file.substr(code.file.rfind('/') + 1); // npos + 1 is 0
    const bool chosen = passes(code, patterns) || passes(code.file, patterns) || passes(file, patterns);
    matches->any = matches->any || chosen;
    if (!matches->any && matches->others.size() < k_most_others && is_program_file(code.file)) {
      matches->others.insert(fmt::format("{} ({})", code.function, file));
    }
    return chosen;
  };
}

/// How often, how long, and at which cost.
Result<void> plan_pace(const RecordOptions &options, SamplerOptions &sampling) {
  const Result<double> rate = parse_rate(options.rate);
  if (!rate) {
    return tl::unexpected(rate.error());
  }
  sampling.rate_hz = *rate;
  if (!options.max_overhead.empty()) {
    const Result<double> share = parse_percent(options.max_overhead);
    if (!share) {
      return tl::unexpected(share.error());
    }
    sampling.most_delay = 0;
    if (*share > 0) {
      sampling.most_share = *share;
    }
  }
  if (!options.duration.empty()) {
    const Result<std::int64_t> duration = parse_duration(options.duration);
    if (!duration) {
      return tl::unexpected(duration.error());
    }
    sampling.duration_ns = *duration;
  }
  return {};
}

/// Refuses options that do not go together. The format and the view are planned.
Result<void> check_fit(const RecordOptions &options, const RecordPlan &plan) {
  if (!options.view.filter.processes.empty() && (plan.format == Format::recording || !options.subprocesses)) {
    return fail(ExitStatus::usage,
                plan.format == Format::recording ? "--process filters views, and a recording holds every process"
                                                 : "--process needs --subprocesses",
                plan.format == Format::recording ? "give it to awaitscope report, or add -f with a view"
                                                 : "add --subprocesses: without it one process is recorded");
  }
  if (options.event == "none" && plan.format != Format::recording && plan.view.profile.metric == Metric::events) {
    return fail(ExitStatus::usage, "--metric events has nothing to show with --event none",
                "name an event with --event");
  }
  if (options.show_arguments && !options.arguments) {
    return fail(ExitStatus::usage, "--show-args has no effect without --args", "add --args, or leave it out");
  }
  if (const Result<void> fits = check_native(options.native, options.interpreter_frames); !fits) {
    return tl::unexpected(fits.error());
  }
  if (options.native && (options.engine == "preempt" || options.engine == "stop")) {
    return fail(
        ExitStatus::usage,
        fmt::format("--native needs BPF programs to know registers, and --engine {} goes without", options.engine),
        "leave --engine out");
  }
  const bool of_requests = options.request_paths || !options.request_id.empty();
  if (of_requests && plan.format != Format::recording && plan.format != Format::request) {
    return fail(ExitStatus::usage,
                fmt::format("{} has no effect on the format '{}'",
                            options.request_paths ? "--request-paths" : "--request-id", name_of(plan.format)),
                "leave it out, or choose -f request, or write a recording");
  }
  constexpr std::string_view k_header_letters = "-_0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  if (options.request_id.find_first_not_of(k_header_letters) != std::string::npos) {
    return fail(ExitStatus::usage, "--request-id takes the name of a header: letters, digits and hyphens",
                "for example --request-id X-Request-Id");
  }
  if (options.arguments && plan.format != Format::recording && plan.format != Format::cache) {
    return fail(ExitStatus::usage, fmt::format("--args has no effect on the format '{}'", name_of(plan.format)),
                "leave it out, or choose -f cache, or write a recording");
  }
  return {};
}

} // namespace

Result<RecordPlan> plan_of(const RecordOptions &options) {
  if (options.pid.has_value() == !options.command.empty()) {
    const std::string pattern = options.argument_patterns.empty() ? "" : options.argument_patterns.back();
    if (!options.pid && !pattern.empty()) {
      return fail(
          ExitStatus::usage, "neither a PID nor a command was given",
          fmt::format("'{}' is taken for a function: write --args behind the PID, or --args=FUNCTION", pattern));
    }
    return fail(ExitStatus::usage,
                options.pid ? "both a PID and a command were given" : "neither a PID nor a command was given",
                "awaitscope record PID, or awaitscope record -- COMMAND ARGUMENT…");
  }
  RecordPlan plan;
  if (const Result<void> pace = plan_pace(options, plan.sampling); !pace) {
    return tl::unexpected(pace.error());
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
  if (const Result<void> fits = check_fit(options, plan); !fits) {
    return tl::unexpected(fits.error());
  }
  const Result<EventPlan> event = plan_event(options.event);
  if (!event) {
    return tl::unexpected(event.error());
  }
  plan.event = *event;
  plan.sampling.event = event->counted;
  plan.sampling.idle = options.view.idle ? IdleThreads::sample : IdleThreads::skip;
  // Views of suspended tasks need them, whatever else was asked for.
  const bool of_tasks = plan.format == Format::latency || view->profile.metric == Metric::await;
  plan.sampling.all_tasks = options.view.all_tasks || of_tasks ? AllTasks::watch : AllTasks::skip;
  const bool of_requests = plan.format == Format::requests || plan.format == Format::request ||
                           plan.format == Format::blockers || plan.format == Format::queries;
  const bool calls =
      plan.format == Format::recording || plan.format == Format::latency || plan.format == Format::cache || of_requests;
  plan.sampling.plain_calls = calls ? PlainCalls::follow : PlainCalls::skip;
  plan.sampling.root_names = options.view.task_names ? RootNames::read : RootNames::skip;
  plan.sampling.request_details = {options.request_paths, options.request_id};
  plan.sampling.labels = options.django_frames ? LabelFrames::read : LabelFrames::skip;
  if (options.arguments || plan.format == Format::cache) {
    std::vector<std::string> patterns = options.argument_patterns;
    std::erase(patterns, ""); // of an --args without a value
    plan.matches = patterns.empty() ? nullptr : std::make_shared<ArgumentMatches>();
    plan.sampling.arguments = ArgumentChoice{choice_of(patterns, plan.matches), options.show_arguments};
  }
  return plan;
}

Children children_for(const RecordOptions &options) {
  return options.subprocesses ? Children::follow : Children::ignore;
}

Result<void> open_output(const RecordOptions &options, ThreadId pid, RecordPlan &plan) {
  const bool nameless = options.output.empty() && plan.format == Format::recording;
  const std::string path = nameless ? recording_name(pid) : options.output;
  if (plan.format == Format::recording && path == "-" && ::isatty(STDOUT_FILENO) == 1) {
    return fail(ExitStatus::usage, "refusing to write a binary recording to a terminal",
                "give a file with -o, or -f folded");
  }
  const Privacy privacy = plan.format == Format::recording ? Privacy::owner_only : Privacy::usual;
  Result<Output> output = nameless ? Output::create(path) : Output::open(path, privacy);
  if (!output) {
    return tl::unexpected(output.error());
  }
  plan.output.emplace(std::move(*output));
  return {};
}

} // namespace awaitscope::tools
