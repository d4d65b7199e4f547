#pragma once

#include <string>

#include <CLI/CLI.hpp>

namespace awaitscope::tools {

/// One line of a command's footer: a command with what it is for (behind a tab), or a sentence.
struct FooterLine {
  std::string text;
  std::string explanation;
  [[nodiscard]] bool is_example() const { return text.starts_with("awaitscope ") && !text.ends_with("."); }
};
std::vector<FooterLine> footer_of(const CLI::App &command);

/// "-d, --duration SECONDS"; "FILE".
std::string spelling_of(const CLI::Option &option);

/// The ways to call a command: "awaitscope record [OPTION…] PID".
std::vector<std::string> usages_of(const CLI::App &command);

/// Help in lines that fit the terminal: usage, options in their groups, examples.
class HelpFormatter : public CLI::Formatter {
public:
  std::string make_help(const CLI::App *app, std::string name, CLI::AppFormatMode mode) const override;
};

} // namespace awaitscope::tools
