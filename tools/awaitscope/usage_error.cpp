#include "usage_error.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "awaitscope/support/text.hpp"

namespace awaitscope::tools {
namespace {

bool is_number(std::string_view word) {
  return !word.empty() && word.find_first_not_of("0123456789") == std::string_view::npos;
}

Error wrong(std::string what, std::string hint) { return {ExitStatus::usage, std::move(what), std::move(hint)}; }

/// The first word is not a command.
Error unknown_command(const CommandLine &line, const std::string &word) {
  std::vector<std::string> names;
  for (const CLI::App *command : commands_of(line.app)) {
    names.push_back(command->get_name());
  }
  const std::vector<std::string_view> views(names.begin(), names.end());
  if (is_number(word)) {
    return wrong(
        fmt::format("'{}' is not a command", word),
        fmt::format("awaitscope record {0} samples this process, awaitscope dump {0} prints its stacks", word));
  }
  if (word.ends_with(".ascope")) {
    return wrong(fmt::format("'{}' is not a command", word), fmt::format("awaitscope report {} shows it", word));
  }
  if (word.ends_with(".py")) {
    return wrong(fmt::format("'{}' is not a command", word),
                 fmt::format("awaitscope record -- python3 {} runs and samples it", word));
  }
  return wrong(fmt::format("unknown command '{}'{}", word, did_you_mean(closest_name(word, views))),
               "awaitscope --help lists the commands");
}

Error option_first(const std::string &option, const std::string &command) {
  return wrong(fmt::format("'{}' stands before the command", option),
               fmt::format("options stand behind it: awaitscope {} {} …", command, option));
}

/// Where to read on.
std::string see_help(const CLI::App *command) {
  return command == nullptr ? "see awaitscope --help" : fmt::format("see awaitscope {} --help", command->get_name());
}

Error unknown_option(const CLI::App *command, const CLI::App &app, const std::string &word) {
  std::vector<std::string> names;
  const CLI::App &of = command == nullptr ? app : *command;
  for (const CLI::Option *option : of.get_options()) {
    for (const std::string &name : option->get_lnames()) {
      names.push_back("--" + name);
    }
  }
  const std::vector<std::string_view> views(names.begin(), names.end());
  const std::string name = word.substr(0, word.find('='));
  const std::string_view close = name.starts_with("--") ? closest_name(name, views) : std::string_view();
  return wrong(fmt::format("unknown option '{}'{}", name, did_you_mean(close)), see_help(command));
}

/// A word that no option and no argument takes.
Error unexpected(const CLI::App *command, const CLI::App &app, const std::string &word) {
  if (word.starts_with('-') && word.size() > 1) {
    const CLI::Option *pid = command == nullptr ? nullptr : command->get_option_no_throw("--pid");
    return pid != nullptr && is_number(word.substr(1))
               ? wrong(fmt::format("'{}' is not a PID", word), see_help(command))
               : unknown_option(command, app, word);
  }
  const CLI::Option *pid = command == nullptr ? nullptr : command->get_option_no_throw("--pid");
  if (pid == nullptr || pid->count() > 0) {
    return wrong(fmt::format("unexpected argument '{}'", word), see_help(command));
  }
  const std::string name = command->get_name();
  return wrong(fmt::format("'{}' is not a PID", word),
               name == "record" || name == "trace"
                   ? fmt::format("to start a command, put -- before it: awaitscope {} -- {} …", name, word)
                   : fmt::format("awaitscope {} PID", name));
}

/// That a message of CLI11 names ("--rate: 1 required HZ missing"); null if it names none.
const CLI::Option *option_in(const std::string &message, const CLI::App &command) {
  const CLI::Option *found = nullptr;
  for (const CLI::Option *option : command.get_options()) {
    const std::string &name = option->get_name();
    const bool longer = found == nullptr || name.size() > found->get_name().size();
    found = longer && message.find(name) != std::string::npos ? option : found;
  }
  return found;
}

/// A value that is missing, or is no number.
Error wrong_value(const CLI::ParseError &error, const CLI::App *command) {
  const std::string message = error.what();
  const CLI::Option *option = command == nullptr ? nullptr : option_in(message, *command);
  if (option == nullptr) {
    return wrong(message, see_help(command));
  }
  const std::string name = option->get_name();
  if (message.ends_with(" missing")) {
    return wrong(fmt::format("{} requires a value: {}", name, option->get_type_name()), see_help(command));
  }
  if (option->results().size() > 1) {
    return wrong(fmt::format("{} was given more than once", name), see_help(command));
  }
  const std::string value = option->results().empty() ? std::string() : option->results().front();
  return wrong(fmt::format("'{}' is not a valid {}", value, option->get_type_name()), see_help(command));
}

} // namespace

Error usage_error(const CLI::ParseError &error, const CommandLine &line, const std::vector<std::string> &words) {
  const auto named = std::find_if(words.begin(), words.end(), [](const std::string &word) { return word[0] != '-'; });
  const std::vector<const CLI::App *> commands = commands_of(line.app);
  const auto found = std::find_if(commands.begin(), commands.end(), [&](const CLI::App *command) {
    return named != words.end() && command->get_name() == *named;
  });
  const CLI::App *command = found == commands.end() ? nullptr : *found;
  if (command == nullptr && named != words.end()) {
    const auto behind = std::find_first_of(named, words.end(), commands.begin(), commands.end(),
                                           [](const auto &word, const auto *each) { return each->get_name() == word; });
    return named != words.begin() && behind != words.end() ? option_first(words.front(), *behind)
                                                           : unknown_command(line, *named);
  }
  const std::vector<std::string> extra = line.app.remaining(true);
  if (!extra.empty()) {
    return unexpected(command, line.app, extra.front());
  }
  if (command == nullptr) {
    return wrong("no command was given",
                 "awaitscope record PID samples a process; awaitscope --help lists the commands");
  }
  if (dynamic_cast<const CLI::RequiredError *>(&error) != nullptr) {
    return wrong(
        fmt::format("{} requires a {}", command->get_name(), command->get_name() == "report" ? "recording" : "value"),
        command->get_name() == "report" ? "awaitscope report FILE" : see_help(command));
  }
  return wrong_value(error, command);
}

} // namespace awaitscope::tools
