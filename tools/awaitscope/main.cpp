#include <algorithm>
#include <cstdio>
#include <exception>
#include <functional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "command_line.hpp"
#include "commands.hpp"
#include "completion.hpp"
#include "messages.hpp"
#include "output.hpp"
#include "standard_descriptors.hpp"
#include "stop_signals.hpp"
#include "usage_error.hpp"

namespace awaitscope::tools {
namespace {

/// The arguments up to the first "--", and those behind it: a launched command keeps its own flags.
struct CommandWords {
  std::vector<std::string> own;
  std::vector<std::string> command;
};

/// "help record" is "record --help".
void accept_help(std::vector<std::string> &words) {
  if (!words.empty() && words.front() == "help") {
    words.erase(words.begin());
    words.resize(std::min<std::size_t>(words.size(), 1));
    words.emplace_back("--help");
  }
}

CommandWords split(int count, char **words) {
  CommandWords arguments;
  bool behind = false;
  for (int i = 1; i < count; ++i) {
    const std::string word = words[i]; // NOLINT(cppcoreguidelines-pro-bounds-pointer-arithmetic)
    if (!behind && word == "--") {
      behind = true;
      continue;
    }
    (behind ? arguments.command : arguments.own).push_back(word);
  }
  accept_help(arguments.own);
  return arguments;
}

/// Of a command that reads a process, and has no command line to start.
Result<int> needs_pid(std::string_view name, const CommandWords &arguments, bool has_pid) {
  const bool fine = has_pid && arguments.command.empty();
  return fine ? Result<int>(0)
              : fail(ExitStatus::usage, fmt::format("{} requires a PID", name), fmt::format("awaitscope {} PID", name));
}

Result<int> complete(const CommandLine &line) {
  StopSignals::ignore_broken_writes();
  const Result<std::string> text = completion_for(line.app, line.shell);
  if (!text) {
    return tl::unexpected(text.error());
  }
  Result<Output> output = Output::open(line.shell_output, Privacy::usual);
  if (!output) {
    return tl::unexpected(output.error());
  }
  const Result<void> written = output->write(*text);
  return written ? Result<int>(0) : tl::unexpected(written.error());
}

/// Runs the command that was chosen.
Result<int> run_chosen(CommandLine &line, CommandWords &arguments, const std::vector<std::string> &words,
                       const InheritedState &inherited) {
  if (line.chosen("record")) {
    line.record.command = std::move(arguments.command);
    line.record.arguments = line.app.get_subcommand("record")->count("--args") > 0;
    line.record.words = words;
    line.record.verbosity = line.loudness.value();
    return record(line.record, inherited);
  }
  if (line.chosen("report")) {
    line.report.verbosity = line.loudness.value();
    return arguments.command.empty()
               ? report(line.report)
               : fail(ExitStatus::usage, "report reads a recording, and starts nothing", "awaitscope report FILE");
  }
  if (line.chosen("trace")) {
    line.trace.command = std::move(arguments.command);
    line.trace.words = words;
    line.trace.verbosity = line.loudness.value();
    return trace(line.trace, inherited);
  }
  if (line.chosen("caches")) {
    line.caches.verbosity = line.loudness.value();
    const Result<int> may = needs_pid("caches", arguments, line.caches.pid.has_value());
    return may ? caches(line.caches) : may;
  }
  if (line.chosen("dump") || line.chosen("tasks")) {
    DumpOptions &options = line.chosen("dump") ? line.dump : line.tasks;
    options.verbosity = line.loudness.value();
    const Result<int> may = needs_pid(line.chosen("dump") ? "dump" : "tasks", arguments, options.pid.has_value());
    return may ? dump(options) : may;
  }
  return complete(line);
}

int run(const InheritedState &inherited, int count, char **words) {
  CommandWords arguments = split(count, words);
  CommandLine line;
  try {
    std::vector<std::string> reversed(arguments.own.rbegin(), arguments.own.rend()); // what CLI11 takes
    line.app.parse(reversed);
  } catch (const CLI::Success &asked) {
    StopSignals::ignore_broken_writes();
    return line.app.exit(asked); // --help, --version
  } catch (const CLI::ParseError &error) {
    const Error wrong = usage_error(error, line, arguments.own);
    say_error(wrong);
    return static_cast<int>(wrong.status);
  }
  // NOLINTNEXTLINE(cppcoreguidelines-pro-bounds-pointer-arithmetic)
  const Result<int> result = run_chosen(line, arguments, {words, words + count}, inherited);
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
