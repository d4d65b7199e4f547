#include "help.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "awaitscope/support/text_width.hpp"
#include "command_line.hpp"
#include "terminal.hpp"

namespace awaitscope::tools {
namespace {

/// A name at the left, and what it is in a column at the right, or below it where the name is long or the terminal narrow.
std::string described(const std::string &name, const std::string &what, std::size_t column, std::size_t width) {
  constexpr std::size_t k_least_for_words = 30;
  const std::size_t indent = column + k_least_for_words > width ? 6 : column;
  const std::string left = "  " + name;
  const bool beside = indent == column && text_width(left) + 2 <= column;
  const std::string text = wrapped(std::string(indent, ' ') + what, width, indent);
  return beside ? left + std::string(column - text_width(left), ' ') + text.substr(indent) : left + "\n" + text;
}

std::string groups_of(const CLI::App &app, std::size_t width) {
  constexpr std::size_t k_column = 26;
  std::string out;
  for (const std::string_view group : k_option_groups) {
    const std::vector<const CLI::Option *> options = options_of(app, group);
    out += options.empty() ? "" : fmt::format("\n{}:\n", group);
    for (const CLI::Option *option : options) {
      out += described(spelling_of(*option), option->get_description(), k_column, width);
    }
  }
  return out;
}

std::string list_of(const std::vector<const CLI::App *> &commands, std::size_t width) {
  constexpr std::size_t k_column = 14;
  std::string out = commands.empty() ? "" : "\nCommands:\n";
  for (const CLI::App *command : commands) {
    out += described(command->get_name(), command->get_description(), k_column, width);
  }
  return out;
}

std::string examples_of(const CLI::App &app, std::size_t width) {
  std::string out;
  std::string sentences;
  std::size_t longest = 0;
  for (const FooterLine &line : footer_of(app)) {
    longest = std::max(longest, line.explanation.empty() ? 0 : text_width(line.text));
  }
  for (const FooterLine &line : footer_of(app)) {
    if (!line.is_example()) {
      sentences += "\n" + wrapped(line.text, width);
    } else if (line.explanation.empty()) {
      out += "  " + line.text + "\n";
    } else {
      out += described(line.text, line.explanation, longest + 4, width);
    }
  }
  return (out.empty() ? "" : "\nExamples:\n" + out) + sentences;
}

} // namespace

std::vector<FooterLine> footer_of(const CLI::App &command) {
  std::vector<FooterLine> lines;
  for (const std::string &text : CLI::detail::split(command.get_footer(), '\n')) {
    const std::size_t tab = text.find('\t');
    lines.push_back({text.substr(0, tab), tab == std::string::npos ? "" : text.substr(tab + 1)});
  }
  return lines;
}

std::string spelling_of(const CLI::Option &option) {
  if (!option.nonpositional()) {
    return option.get_name(true, false);
  }
  std::string text;
  for (const std::string &name : option.get_snames()) {
    text += fmt::format("{}-{}", text.empty() ? "" : ", ", name);
  }
  for (const std::string &name : option.get_lnames()) {
    text += fmt::format("{}--{}", text.empty() ? "" : ", ", name);
  }
  const bool takes_value = option.get_type_size() != 0;
  const std::string value = takes_value ? option.get_type_name() : std::string();
  const bool optional = takes_value && option.get_expected_min() == 0;
  return value.empty() ? text : optional ? fmt::format("{} [{}]", text, value) : fmt::format("{} {}", text, value);
}

std::vector<std::string> usages_of(const CLI::App &command) {
  if (command.get_parent() == nullptr) {
    return {"awaitscope COMMAND [OPTION…]"};
  }
  const std::string &name = command.get_name();
  std::string positionals;
  for (const CLI::Option *option : command.get_options([](const CLI::Option *one) { return one->get_positional(); })) {
    const std::string word = option->get_name(true, false);
    const bool required = option->get_required() || word == "PID";
    positionals += required ? " " + word.substr(0, word.find(',')) : fmt::format(" [{}]", word);
  }
  std::vector<std::string> usages{fmt::format("awaitscope {} [OPTION…]{}", name, positionals)};
  if (name == "record" || name == "trace") {
    usages.push_back(fmt::format("awaitscope {} [OPTION…] -- COMMAND [ARGUMENT…]", name));
  }
  return usages;
}

std::string HelpFormatter::make_help(const CLI::App *app, std::string, CLI::AppFormatMode) const {
  const std::size_t width = output_width();
  std::string out = wrapped(app->get_description(), width) + "\n";
  std::string_view label = "Usage: ";
  for (const std::string &usage : usages_of(*app)) {
    out += fmt::format("{}{}\n", label, usage);
    label = "       ";
  }
  return out + list_of(commands_of(*app), width) + groups_of(*app, width) + examples_of(*app, width);
}

} // namespace awaitscope::tools
