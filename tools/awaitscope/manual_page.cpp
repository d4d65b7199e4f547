#include <algorithm>

#include <fmt/format.h>

#include "awaitscope/support/utf8.hpp"
#include "command_line.hpp"
#include "completion.hpp"
#include "help.hpp"
#include "version.hpp"

namespace awaitscope::tools {
namespace {

/// A line of roff that is printed as it is: no request, no escape, and hyphens that can be copied. Text beyond ASCII is in escapes.
std::string roff(std::string_view text) {
  std::string out = text.starts_with('.') || text.starts_with('\'') ? "\\&" : "";
  while (!text.empty()) {
    const CodePoint one = decode_utf8(text);
    const bool is_ascii = one.length <= 1;
    out += !is_ascii              ? fmt::format("\\[u{:04X}]", static_cast<std::uint32_t>(one.point))
           : text.front() == '\\' ? "\\e"
           : text.front() == '-'  ? "\\-"
                                  : std::string(1, text.front());
    text.remove_prefix(std::max<std::size_t>(1, one.length));
  }
  return out;
}

std::string options_in(const CLI::App &command) {
  std::string out;
  for (const std::string_view group : k_option_groups) {
    const std::vector<const CLI::Option *> options = options_of(command, group);
    out += options.empty() ? "" : fmt::format(".PP\n.I {}\n", roff(group));
    for (const CLI::Option *option : options) {
      out += fmt::format(".TP\n.B {}\n{}\n", roff(spelling_of(*option)), roff(option->get_description()));
    }
  }
  return out;
}

std::string footer_in(const CLI::App &command) {
  std::string out;
  for (const FooterLine &line : footer_of(command)) {
    out += line.is_example() ? fmt::format(".TP\n.B {}\n{}\n", roff(line.text), roff(line.explanation))
                             : fmt::format(".PP\n{}\n", roff(line.text));
  }
  return out;
}

constexpr std::string_view k_exit_status = R"(.SH EXIT STATUS
.TP
.B 0
done; that the target ended, or Ctrl\-C, is no failure
.TP
.B 1
it could not do its work
.TP
.B 2
wrong usage
.TP
.B 3
not permitted
.TP
.B 4
no such process, or not one that it can read
.PP
.B record \-\- COMMAND
returns the status of COMMAND.
.SH ENVIRONMENT
.TP
.B COLUMNS
the width that help and tables fit, if it is set
)";

} // namespace

std::string manual_page(const CLI::App &app) {
  std::string out =
      fmt::format(".TH AWAITSCOPE 1 \"\" \"awaitscope {}\" \"User Commands\"\n.SH NAME\nawaitscope \\- sampling "
                  "profiler for running Python processes\n.SH SYNOPSIS\n",
                  k_version);
  for (const CLI::App *command : commands_of(app)) {
    for (const std::string &usage : usages_of(*command)) {
      out += fmt::format(".B {}\n.br\n", roff(usage));
    }
  }
  out += fmt::format(".SH DESCRIPTION\n{}\n.SH COMMANDS\n", roff(app.get_description()));
  for (const CLI::App *command : commands_of(app)) {
    out += fmt::format(".SS {}\n{}\n", roff(command->get_name()), roff(command->get_description()));
    out += options_in(*command) + footer_in(*command);
  }
  return out + std::string(k_exit_status) + ".SH EXAMPLES\n" + footer_in(app);
}

} // namespace awaitscope::tools
