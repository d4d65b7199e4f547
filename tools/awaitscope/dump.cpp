#include "commands.hpp"

#include <array>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "attach.hpp"
#include "awaitscope/export/dump.hpp"
#include "awaitscope/export/tasks.hpp"
#include "awaitscope/process/own_thread.hpp"
#include "awaitscope/sampler/native_snapshot.hpp"
#include "awaitscope/sampler/snapshot_taker.hpp"
#include "awaitscope/support/text.hpp"
#include "awaitscope/support/units.hpp"
#include "engines.hpp"
#include "messages.hpp"
#include "option_effects.hpp"
#include "output.hpp"
#include "overseen.hpp"
#include "stop_signals.hpp"
#include "terminal.hpp"
#include "view.hpp"

namespace awaitscope::tools {

namespace {

/// What was read of the process.
struct Reading {
  ProcessSnapshot snapshot;
  std::vector<std::string> import_paths; ///< to shorten file names by
};

Result<Reading> reading_of(const DumpOptions &options, CodeTable &codes) {
  Result<ReadingEngine> reading = make_reading_engine(options.engine);
  if (!reading) {
    return tl::unexpected(reading.error());
  }
  Result<Attached> attached = attach_to(*options.pid, Children::ignore, codes);
  if (!attached) {
    return tl::unexpected(attached.error());
  }
  if (!attached->note.empty() && options.verbosity != Verbosity::quiet) {
    say(attached->note);
  }
  std::vector<std::string> import_paths = attached->target->import_paths();
  Result<ProcessSnapshot> snapshot =
      options.native
          ? take_native_snapshot(*attached->target, codes,
                                 options.interpreter_frames ? InterpreterFrames::keep : InterpreterFrames::fold)
          : take_snapshot(*attached->target, *reading->engine, reading->may_stop);
  if (!snapshot) {
    return tl::unexpected(snapshot.error());
  }
  return Reading{std::move(*snapshot), std::move(import_paths)};
}

std::string not_of_one_instant(const ProcessSnapshot &snapshot) {
  std::string text =
      "warning: threads ran while others were read; each stack is whole, but they are not of one instant";
  if (snapshot.pieces > 0) {
    text = fmt::format(
        "warning: the process did not pause for as long as it takes to read it: {} tasks were read in {} pieces "
        "within {}; each is whole, but they are not of one instant",
        with_thousands(snapshot.tasks.size()), with_thousands(snapshot.pieces), human_duration(snapshot.took_ns));
  }
  if (snapshot.left_out > 0) {
    text += fmt::format("; {} that kept changing are missing", with_thousands(snapshot.left_out));
  }
  return text;
}

Result<FrameOrder> parse_order(const std::string &name) {
  constexpr std::array<std::string_view, 2> k_names{"innermost", "outermost"};
  if (name == k_names[0] || name == k_names[1]) {
    return name == k_names[0] ? FrameOrder::innermost_first : FrameOrder::outermost_first;
  }
  return fail(ExitStatus::usage, fmt::format("unknown order '{}'{}", name, did_you_mean(closest_name(name, k_names))),
              "use --order innermost or outermost");
}

/// Warnings of the reading.
void say_notes(const ProcessSnapshot &snapshot) {
  if (!snapshot.warning.empty()) {
    say(snapshot.warning);
  }
  if (snapshot.stopped_ns > 0) {
    say(fmt::format("the process was stopped for {} to be read", human_duration(snapshot.stopped_ns)));
  }
  if (const std::string lost = snapshot.native ? snapshot.native->text() : ""; !lost.empty()) {
    say("warning: native frames are missing in " + lost);
  }
  if (!snapshot.consistent) {
    say(not_of_one_instant(snapshot));
  }
}

/// Names of some tasks, for who asked for others.
void say_nothing_matches(const DumpOptions &options, const ProcessSnapshot &snapshot, const CodeTable &codes) {
  constexpr std::size_t k_most_named = 8;
  std::set<std::string> names;
  for (const TaskSnapshot &task : snapshot.tasks) {
    names.insert(codes.at(task.coroutine).function);
  }
  std::string listed;
  std::size_t count = 0;
  for (const std::string &name : names) {
    listed += ++count <= k_most_named ? fmt::format("{}{}", listed.empty() ? "" : ", ", name) : "";
  }
  const std::vector<std::string_view> views(names.begin(), names.end());
  say(fmt::format("no task matches '{}'{}; the process has {}{}", options.text,
                  did_you_mean(closest_name(options.text, views)), listed.empty() ? "no tasks" : "tasks of " + listed,
                  count > k_most_named ? fmt::format(" and {} more", count - k_most_named) : ""));
}

std::string text_of(const DumpOptions &options, const Reading &reading, const CodeTable &codes, FrameOrder order) {
  if (options.tasks_only) {
    const std::vector<TaskNode> tree =
        task_tree(reading.snapshot, codes, options.full ? EqualTasks::keep : EqualTasks::fold, options.text);
    if (tree.empty() && !options.text.empty() && options.verbosity != Verbosity::quiet) {
      say_nothing_matches(options, reading.snapshot, codes);
    }
    return options.json ? tasks_json(reading.snapshot, tree, codes)
                        : tasks_text(reading.snapshot, tree, codes,
                                     {output_width(), options.done ? DoneTasks::show : DoneTasks::hide});
  }
  return options.json ? dump_json(reading.snapshot, codes)
                      : dump_text(reading.snapshot, codes,
                                  {output_width(), order, options.full_paths ? FileNames::full : FileNames::importable,
                                   reading.import_paths});
}

} // namespace

Result<int> dump(const DumpOptions &options) {
  StopSignals::install();
  allow_many_descriptors();
  const Result<FrameOrder> order = parse_order(options.order);
  if (!order) {
    return tl::unexpected(order.error());
  }
  if (options.json && (options.full_paths || options.order != DumpOptions().order || options.done)) {
    return fail(ExitStatus::usage, "--order, --full-paths and --done have no effect on JSON", "leave them out");
  }
  if (options.native && options.engine == "preempt") {
    return fail(ExitStatus::usage, "--native stops the process, which --engine preempt never does", "leave one out");
  }
  if (const Result<void> fits = check_native(options.native, options.interpreter_frames); !fits) {
    return tl::unexpected(fits.error());
  }
  if (is_ending_of_recordings(options.output)) {
    return fail(ExitStatus::usage,
                fmt::format("{} writes text or JSON, and '{}' promises something else",
                            options.tasks_only ? "tasks" : "dump", options.output),
                "use another name; pictures are made of recordings: awaitscope record PID");
  }
  Result<Output> output = Output::open(options.output, Privacy::usual);
  if (!output) {
    return tl::unexpected(output.error());
  }
  CodeTable codes;
  Result<Reading> reading;
  run_overseen(*options.pid, *output, [&] { reading = reading_of(options, codes); });
  if (!reading) {
    return tl::unexpected(reading.error());
  }
  if (options.verbosity != Verbosity::quiet) {
    say_notes(reading->snapshot);
  }
  if (const Result<void> written = output->write(text_of(options, *reading, codes, *order)); !written) {
    return tl::unexpected(written.error());
  }
  return 0;
}

} // namespace awaitscope::tools
