#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>

#include "commands.hpp"

namespace awaitscope::tools {

/// -q and -v of any command.
struct Loudness {
  bool quiet = false;
  bool verbose = false;
  [[nodiscard]] Verbosity value() const {
    return quiet ? Verbosity::quiet : verbose ? Verbosity::verbose : Verbosity::normal;
  }
};

/// All commands with their options. Help, completions and the manual page are made from it.
struct CommandLine {
  CommandLine();
  CommandLine(const CommandLine &) = delete;
  CommandLine &operator=(const CommandLine &) = delete;

  [[nodiscard]] bool chosen(const char *command) const { return app.get_subcommand(command)->parsed(); }

  CLI::App app;
  RecordOptions record;
  ReportOptions report;
  DumpOptions dump;
  DumpOptions tasks;
  CachesOptions caches;
  TraceOptions trace;
  std::string shell;        ///< of `completion`
  std::string shell_output; ///< likewise
  Loudness loudness;
};

/// What the value of an option may be; empty: anything.
std::vector<std::string_view> known_values(const CLI::Option &option);

/// "dump", "report": those that a user may give, in the order of the help.
std::vector<const CLI::App *> commands_of(const CLI::App &app);

/// The options of one group, in their order, positional ones included.
std::vector<const CLI::Option *> options_of(const CLI::App &command, std::string_view group);

/// The groups of options, in the order of the help.
inline constexpr std::array<std::string_view, 5> k_option_groups{"Target", "Sampling", "Filters", "Output", "Options"};

} // namespace awaitscope::tools
