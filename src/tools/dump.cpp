#include "commands.hpp"

#include <utility>

#include <fmt/format.h>

#include "attach.hpp"
#include "awaitscope/export/dump.hpp"
#include "awaitscope/export/tasks.hpp"
#include "awaitscope/process/own_thread.hpp"
#include "awaitscope/sampler/snapshot_taker.hpp"
#include "awaitscope/support/units.hpp"
#include "engines.hpp"
#include "messages.hpp"
#include "output.hpp"
#include "overseen.hpp"
#include "stop_signals.hpp"

namespace awaitscope::tools {

namespace {

Result<ProcessSnapshot> snapshot_of(const DumpOptions &options, CodeTable &codes) {
  Result<std::unique_ptr<Engine>> engine = make_engine(options.engine);
  if (!engine) {
    return tl::unexpected(engine.error());
  }
  Result<Attached> attached = attach_to(*options.pid, Children::ignore, codes);
  if (!attached) {
    return tl::unexpected(attached.error());
  }
  if (!attached->note.empty() && options.verbosity != Verbosity::quiet) {
    say(attached->note);
  }
  return take_snapshot(*attached->target, **engine);
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

} // namespace

Result<int> dump(const DumpOptions &options) {
  StopSignals::install();
  allow_many_descriptors();
  Result<Output> output = Output::open(options.output, Privacy::usual);
  if (!output) {
    return tl::unexpected(output.error());
  }
  CodeTable codes;
  Result<ProcessSnapshot> snapshot;
  run_overseen(
      *options.pid, [&] { snapshot = snapshot_of(options, codes); },
      [&](const Error &error) {
        { const Output unwritten = std::move(*output); } // removes a file that was not there before
        leave_with(error);
      });
  if (!snapshot) {
    return tl::unexpected(snapshot.error());
  }
  if (!snapshot->warning.empty() && options.verbosity != Verbosity::quiet) {
    say(snapshot->warning);
  }
  if (!snapshot->consistent && options.verbosity != Verbosity::quiet) {
    say(not_of_one_instant(*snapshot));
  }
  const auto tree = [&] {
    return task_tree(*snapshot, codes, options.full ? EqualTasks::keep : EqualTasks::fold, options.text);
  };
  const Result<void> written = output->write(
      options.tasks_only ? (options.json ? tasks_json(*snapshot, tree(), codes) : tasks_text(*snapshot, tree(), codes))
      : options.json     ? dump_json(*snapshot, codes)
                         : dump_text(*snapshot, codes));
  if (!written) {
    return tl::unexpected(written.error());
  }
  return 0;
}

} // namespace awaitscope::tools
