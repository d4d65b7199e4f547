#include "commands.hpp"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

#include "awaitscope/process/child.hpp"
#include "awaitscope/process/process.hpp"
#include "awaitscope/recording/block_queue.hpp"
#include "awaitscope/support/clock.hpp"
#include "awaitscope/support/units.hpp"
#include "messages.hpp"
#include "output.hpp"
#include "recorded_here.hpp"
#include "recording_name.hpp"
#include "stop_signals.hpp"
#include "trace_attach.hpp"
#include "trace_folder.hpp"
#include "trace_recording.hpp"
#include "view.hpp"

namespace awaitscope::tools {
namespace {

constexpr useconds_t k_trace_poll_us = 50'000;

/// MODULE:FUNCTION
Result<void> check_function(const std::string &function) {
  const std::size_t colon = function.find(':');
  const bool good = colon != std::string::npos && colon > 0 && colon + 1 < function.size() &&
                    function.find(':', colon + 1) == std::string::npos;
  return good ? Result<void>()
              : fail(ExitStatus::usage, fmt::format("'{}' is not MODULE:FUNCTION", function),
                     "name a function as it is imported: shop.prices:total, shop.prices:Order.total, __main__:work");
}

Result<AgentOrder> order_of(const TraceOptions &options) {
  if (options.pid.has_value() == !options.command.empty()) {
    return fail(ExitStatus::usage,
                options.pid ? "both a PID and a command were given" : "neither a PID nor a command was given",
                "awaitscope trace -m MODULE:FUNCTION -p PID, or awaitscope trace -m MODULE:FUNCTION -- COMMAND");
  }
  if (options.functions.empty()) {
    return fail(ExitStatus::usage, "no function was named", "add -m MODULE:FUNCTION, once for each");
  }
  if (options.subprocesses && options.pid) {
    return fail(ExitStatus::usage, "--subprocesses needs a command: a running process is traced alone",
                "awaitscope trace --subprocesses -m MODULE:FUNCTION -- COMMAND");
  }
  for (const std::string &function : options.functions) {
    if (const Result<void> good = check_function(function); !good) {
      return tl::unexpected(good.error());
    }
  }
  AgentOrder order{options.functions, 0, options.subprocesses};
  if (!options.duration.empty()) {
    const Result<std::int64_t> duration = parse_duration(options.duration);
    if (!duration) {
      return tl::unexpected(duration.error());
    }
    order.duration_ns = *duration;
  }
  const Result<Format> format = format_of({}, options.output, Format::recording);
  if (!format) {
    return tl::unexpected(format.error());
  }
  if (*format != Format::recording) {
    return fail(ExitStatus::usage, "trace writes a recording, and no view", "give -o a name that ends in .ascope");
  }
  return order;
}

Result<Output> open_output(const std::string &path, ThreadId pid) {
  if (path == "-" && ::isatty(STDOUT_FILENO) == 1) {
    return fail(ExitStatus::usage, "refusing to write a binary recording to a terminal", "give a file with -o");
  }
  return path.empty() ? Output::create(recording_name(pid)) : Output::open(path, Privacy::owner_only);
}

RecordingInfo info_of(const TraceOptions &options) {
  RecordingInfo info = recorded_here(options.words);
  info.command = options.command;
  info.engine = "trace";
  info.arguments = Arguments::traced;
  info.start_ns = monotonic_ns();
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  info.start_realtime_ns = std::int64_t{now.tv_sec} * k_ns_per_second + now.tv_nsec;
  return info;
}

/// This environment, with the agent's sitecustomize in front of what the program imports.
std::vector<std::string> environment_with(const TraceFolder &folder) {
  constexpr std::string_view k_path = "PYTHONPATH=";
  std::vector<std::string> environment;
  std::string path = fmt::format("{}{}/site", k_path, folder.path());
  for (char **variable = ::environ; variable != nullptr && *variable != nullptr; ++variable) { // NOLINT: C's own list
    const std::string_view text = *variable;
    if (!text.starts_with(k_path)) {
      environment.emplace_back(text);
    } else if (text.size() > k_path.size()) {
      path += fmt::format(":{}", text.substr(k_path.size()));
    }
  }
  environment.push_back(std::move(path));
  return environment;
}

Result<Child> launch(const TraceOptions &options, const AgentOrder &order, const InheritedState &inherited,
                     std::optional<TraceFolder> &folder) {
  Result<TraceFolder> made = TraceFolder::create("/", ::geteuid(), ::getegid());
  if (!made) {
    return tl::unexpected(made.error());
  }
  folder.emplace(std::move(*made));
  if (const Result<void> site = folder->make_subfolder("site"); !site) {
    return tl::unexpected(site.error());
  }
  for (const Result<void> &step :
       {folder->write("site/sitecustomize.py", launched_agent(*folder, order)), folder->hand_over()}) {
    if (!step) {
      return tl::unexpected(step.error());
    }
  }
  if (options.verbosity != Verbosity::quiet) {
    say(fmt::format("running code in '{}': it counts the calls, and takes itself out at the end",
                    options.command.front()));
  }
  return Child::launch(options.command, inherited, environment_with(*folder));
}

/// What goes on while a trace is taken.
class Trace {
public:
  Trace(TraceFolder &folder, TraceRecording &recording, const AgentOrder &order, Child *child, ThreadId attached)
      : folder_(folder), recording_(recording), order_(order), child_(child) {
    if (attached != 0) {
      if (Result<Process> found = Process::open(attached)) {
        process_.emplace(std::move(*found));
      }
    }
  }

  /// Until the time is over, the user asks to stop, or nothing is left that is traced.
  void run() {
    while (!over()) {
      recording_.poll();
      ::usleep(k_trace_poll_us);
    }
    dismiss();
    recording_.finish();
  }

  /// An agent did not say that it has ended, though its process goes on.
  [[nodiscard]] bool unanswered() const { return unanswered_; }

private:
  [[nodiscard]] bool target_ended() const {
    return child_ != nullptr ? child_->poll().has_value() : !process_ || !process_->alive();
  }

  [[nodiscard]] bool over() const {
    const TraceProgress &progress = recording_.progress();
    const bool time_over =
        order_.duration_ns != 0 && progress.ready_ns != 0 && monotonic_ns() >= progress.ready_ns + order_.duration_ns;
    const bool all_ended = progress.processes != 0 && progress.running == 0 && !order_.subprocesses;
    return time_over || all_ended || progress.refused || StopSignals::requested().load() || target_ended();
  }

  /// Lets the agents take themselves out, and reads what they have left.
  void dismiss() {
    constexpr std::int64_t k_patience_ns = 2 * k_ns_per_second; // they look five times a second
    constexpr useconds_t k_short_us = 5000;
    folder_.dismiss();
    const std::int64_t deadline_ns = monotonic_ns() + k_patience_ns;
    while (true) {
      const bool gone = target_ended(); // before the last look
      recording_.poll();
      const TraceProgress &progress = recording_.progress();
      if (progress.running == 0 || gone) {
        return;
      }
      if (monotonic_ns() >= deadline_ns) {
        unanswered_ = true;
        return;
      }
      ::usleep(k_short_us);
    }
  }

  TraceFolder &folder_;
  TraceRecording &recording_;
  const AgentOrder &order_;
  Child *child_; ///< none: attached
  std::optional<Process> process_;
  bool unanswered_ = false;
};

/// What kept it from counting anything; none if it counted, or could have.
std::optional<Error> failure_of(const TraceProgress &progress, const TraceOptions &options) {
  if (progress.refused) {
    return progress.refused;
  }
  if (progress.processes == 0 && !options.command.empty()) {
    return Error{ExitStatus::failed, fmt::format("'{}' ran no Python that could be traced", options.command.front()),
                 "Python loads no sitecustomize with -S, -I or -E; --subprocesses traces what a Python starts"};
  }
  if (!progress.missing.empty() && progress.calls == 0) {
    return progress.missing.front();
  }
  return std::nullopt;
}

void say_what_came(const TraceProgress &progress, const TraceOptions &options, const Output &output, bool unanswered) {
  for (const Error &missing : progress.missing) {
    say(fmt::format("warning: {}; {}", missing.what, missing.hint));
  }
  if (progress.lost > 0) {
    say(fmt::format("warning: {} calls were counted, and are not in the recording: their file had no room",
                    with_thousands(progress.lost)));
  }
  if (progress.failures > 0) {
    say(fmt::format("warning: {} calls could not be read, and may be missing ({}): please report this",
                    with_thousands(progress.failures), progress.failure));
  }
  if (progress.replaced > 0) {
    say("warning: the counts are incomplete: the program has set a profile function of its own (sys.setprofile, "
        "cProfile), which takes "
        "the place of ours before Python 3.12");
  }
  if (progress.running > 0 && !unanswered) {
    say(fmt::format(
        "warning: {} ended without a word (os._exit, a signal): calls of its last 0.2 seconds may be missing",
        progress.running == 1 ? "a process" : fmt::format("each of {} processes", progress.running)));
  }
  if (unanswered) {
    say("warning: the target has not taken the tracing out yet: it will as soon as it runs Python");
  }
  const std::string processes = options.subprocesses ? fmt::format(" of {} processes", progress.processes) : "";
  const std::string size = with_thousands(static_cast<std::uint64_t>(output.size()));
  say(fmt::format("{} calls{}, {} lost; recording, {} bytes → {}{}", with_thousands(progress.calls), processes,
                  with_thousands(progress.lost), size, output.name(),
                  output.is_standard() ? "" : fmt::format("; next: awaitscope report {}", output.name())));
}

} // namespace

Result<int> trace(const TraceOptions &options, const InheritedState &inherited) {
  StopSignals::install();
  const Result<AgentOrder> order = order_of(options);
  if (!order) {
    return tl::unexpected(order.error());
  }
  std::optional<Output> output;
  if (!options.output.empty()) { // before anything runs
    Result<Output> opened = open_output(options.output, 0);
    if (!opened) {
      return tl::unexpected(opened.error());
    }
    output.emplace(std::move(*opened));
  }
  RecordingInfo info = info_of(options);
  std::optional<TraceFolder> folder;
  std::optional<Child> child;
  TraceTarget target;
  if (options.pid) {
    Result<TraceTarget> attached = attach_agent(*options.pid, *order, options.verbosity, folder);
    if (!attached) {
      return tl::unexpected(attached.error());
    }
    target = std::move(*attached);
    info.import_paths = target.import_paths;
    if (!target.note.empty() && options.verbosity != Verbosity::quiet) {
      say(target.note);
    }
  } else {
    Result<Child> launched = launch(options, *order, inherited, folder);
    if (!launched) {
      return tl::unexpected(launched.error());
    }
    child = *launched;
  }
  Result<void> done;
  if (!output) {
    Result<Output> opened = open_output({}, child ? child->pid() : target.pid);
    if (opened) {
      output.emplace(std::move(*opened));
    } else {
      done = tl::unexpected(opened.error());
    }
  }
  if (done) {
    BlockQueue queue([&](std::string_view bytes) { return output->append(bytes); });
    TraceRecording recording(*folder, std::move(info), options.subprocesses,
                             [&](std::string block) { queue.put(std::move(block)); });
    Trace trace(*folder, recording, *order, child ? &*child : nullptr, target.pid);
    trace.run();
    done = queue.close();
    if (const std::optional<Error> failure = failure_of(recording.progress(), options); done && failure) {
      output->discard();
      done = tl::unexpected(*failure);
    } else if (done && options.verbosity != Verbosity::quiet) {
      say_what_came(recording.progress(), options, *output, trace.unanswered());
    }
  }
  folder.reset();
  if (!child) {
    return done ? Result<int>(0) : tl::unexpected(done.error());
  }
  // The command goes on whatever became of the trace, and its status is what counts.
  if (!done) {
    say_error(done.error());
  }
  const int status = StopSignals::wait_for(*child);
  return done || status != 0 ? status : static_cast<int>(done.error().status);
}

} // namespace awaitscope::tools
