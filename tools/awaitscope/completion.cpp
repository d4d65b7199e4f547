#include "completion.hpp"

#include <fmt/format.h>

#include "awaitscope/support/text.hpp"
#include "command_line.hpp"

namespace awaitscope::tools {
namespace {

std::string joined(const std::vector<std::string_view> &words) {
  std::string text;
  for (const std::string_view word : words) {
    text += fmt::format("{}{}", text.empty() ? "" : " ", word);
  }
  return text;
}

/// "-o", "--output".
std::vector<std::string> flags_of(const CLI::Option &option) {
  std::vector<std::string> flags;
  for (const std::string &name : option.get_snames()) {
    flags.push_back("-" + name);
  }
  for (const std::string &name : option.get_lnames()) {
    flags.push_back("--" + name);
  }
  return flags;
}

bool takes_value(const CLI::Option &option) { return option.get_type_size() != 0; }

std::vector<const CLI::Option *> all_options_of(const CLI::App &command) {
  std::vector<const CLI::Option *> options;
  for (const std::string_view group : k_option_groups) {
    const std::vector<const CLI::Option *> some = options_of(command, group);
    options.insert(options.end(), some.begin(), some.end());
  }
  return options;
}

const CLI::Option *positional_of(const CLI::App &command) {
  const auto positionals = command.get_options([](const CLI::Option *option) { return option->get_positional(); });
  return positionals.empty() ? nullptr : positionals.front();
}

// ---- bash

constexpr std::string_view k_pids = "$(pgrep -f python 2>/dev/null)";

/// The shell code that fills COMPREPLY with values of an option.
std::string bash_values(const CLI::Option &option) {
  if (const auto values = known_values(option); !values.empty()) {
    return fmt::format(R"(COMPREPLY=($(compgen -W "{}" -- "$current")))", joined(values));
  }
  if (option.get_type_name() == "PID") {
    return fmt::format(R"(COMPREPLY=($(compgen -W "{}" -- "$current")))", k_pids);
  }
  return option.get_type_name() == "FILE"
             ? R"(compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$current")))"
             : ":";
}

std::string bash_completion(const CLI::App &app) {
  std::string values;
  std::string options;
  std::string names;
  for (const CLI::App *command : commands_of(app)) {
    const std::string &name = command->get_name();
    std::string flags;
    for (const CLI::Option *option : all_options_of(*command)) {
      std::string patterns;
      for (const std::string &flag : flags_of(*option)) {
        flags += (flags.empty() ? "" : " ") + flag;
        patterns += fmt::format("{}{}:{}", patterns.empty() ? "" : " | ", name, flag);
      }
      if (takes_value(*option) && !patterns.empty()) {
        values += fmt::format("    {}) {}; return ;;\n", patterns, bash_values(*option));
      }
    }
    const CLI::Option *positional = positional_of(*command);
    options += fmt::format("    {}) options='{}'; positional() {{ {}; }} ;;\n", name, flags,
                           positional == nullptr ? ":" : bash_values(*positional));
    names += " " + name;
  }
  return fmt::format(R"(# bash completion for awaitscope; made by: awaitscope completion bash
_awaitscope() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD - 1]}} command= options= i
  COMPREPLY=()
  if [[ $current == = ]]; then # --format=
    current=
  elif [[ $previous == = ]]; then
    previous=${{COMP_WORDS[COMP_CWORD - 2]}}
  fi
  for ((i = 1; i < COMP_CWORD; ++i)); do
    case ${{COMP_WORDS[i]}} in
    --) # a command to start, and its files
      compopt -o filenames 2>/dev/null
      COMPREPLY=($(compgen -c -f -- "$current"))
      return
      ;;
    -*) ;;
    *) [[ -n $command ]] || command=${{COMP_WORDS[i]}} ;;
    esac
  done
  case $command:$previous in
{}  esac
  case $command in
    '') options='{} --help --version'; positional() {{ COMPREPLY=($(compgen -W "$options" -- "$current")); }} ;;
{}    *) return ;;
  esac
  if [[ $current == -* ]]; then
    COMPREPLY=($(compgen -W "$options" -- "$current"))
  else
    positional
  fi
  unset -f positional
}}
complete -F _awaitscope awaitscope
)",
                     values, names.substr(1), options);
}

// ---- zsh

/// Within single quotes, in a specification of _arguments, where brackets and colons have a meaning.
std::string zsh_text(std::string_view text) {
  std::string out;
  for (const char letter : text) {
    if (letter == '\'') {
      out += R"('\'')";
      continue;
    }
    out += letter == '[' || letter == ']' || letter == ':' || letter == '\\' ? "\\" : "";
    out += letter;
  }
  return out;
}

std::string zsh_values(const CLI::Option &option) {
  if (const auto values = known_values(option); !values.empty()) {
    return fmt::format("({})", joined(values));
  }
  return option.get_type_name() == "PID" ? "_pids" : option.get_type_name() == "FILE" ? "_files" : "";
}

std::string zsh_completion(const CLI::App &app) {
  std::string names;
  std::string cases;
  for (const CLI::App *command : commands_of(app)) {
    names += fmt::format("    '{}:{}'\n", command->get_name(), zsh_text(command->get_description()));
    cases += fmt::format("  {})\n    _arguments -s", command->get_name());
    for (const CLI::Option *option : all_options_of(*command)) {
      const std::string value =
          takes_value(*option) ? fmt::format(":{}:{}", zsh_text(option->get_type_name()), zsh_values(*option)) : "";
      for (const std::string &flag : flags_of(*option)) {
        cases += fmt::format(" \\\n      '*{}[{}]{}'", flag, zsh_text(option->get_description()), value);
      }
    }
    if (const CLI::Option *positional = positional_of(*command)) {
      cases += fmt::format(" \\\n      ':{}:{}'", zsh_text(positional->get_type_name()), zsh_values(*positional));
    }
    cases += " \\\n      '*::command:_normal'\n    ;;\n";
  }
  return fmt::format(R"(#compdef awaitscope
# zsh completion for awaitscope; made by: awaitscope completion zsh
_awaitscope() {{
  local -a commands
  commands=(
{}  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
{}  esac
}}
if [[ $funcstack[1] == _awaitscope ]]; then
  _awaitscope "$@"
else
  compdef _awaitscope awaitscope
fi
)",
                     names, cases);
}

// ---- fish

/// Within single quotes.
std::string fish_text(std::string_view text) {
  std::string out;
  for (const char letter : text) {
    out += letter == '\'' || letter == '\\' ? "\\" : "";
    out += letter;
  }
  return out;
}

/// What follows an option, or is an argument: values of its own, files, or anything.
std::string fish_values(const CLI::Option &option) {
  if (const auto values = known_values(option); !values.empty()) {
    return fmt::format(" -x -a '{}'", joined(values));
  }
  return option.get_type_name() == "PID"    ? " -x -a '(__fish_complete_pids)'"
         : option.get_type_name() == "FILE" ? " -r -F"
                                            : " -x";
}

std::string fish_completion(const CLI::App &app) {
  std::string out = "# fish completion for awaitscope; made by: awaitscope completion fish\n"
                    "complete -c awaitscope -f\n"
                    "complete -c awaitscope -n __fish_use_subcommand -l help -d 'print this help'\n"
                    "complete -c awaitscope -n __fish_use_subcommand -l version -d 'print the version'\n";
  for (const CLI::App *command : commands_of(app)) {
    out += fmt::format("complete -c awaitscope -n __fish_use_subcommand -a {} -d '{}'\n", command->get_name(),
                       fish_text(command->get_description()));
    const std::string in =
        fmt::format("complete -c awaitscope -n '__fish_seen_subcommand_from {}'", command->get_name());
    for (const CLI::Option *option : all_options_of(*command)) {
      if (!option->nonpositional()) {
        continue;
      }
      out += in;
      for (const std::string &name : option->get_snames()) {
        out += " -s " + name;
      }
      for (const std::string &name : option->get_lnames()) {
        out += " -l " + name;
      }
      out += fmt::format("{} -d '{}'\n", takes_value(*option) ? fish_values(*option) : "",
                         fish_text(option->get_description()));
    }
    if (const CLI::Option *positional = positional_of(*command)) {
      const bool file = positional->get_type_name() == "FILE";
      out += in + (file ? " -F\n" : " -f" + fish_values(*positional).substr(3) + "\n");
    }
  }
  return out;
}

} // namespace

Result<std::string> completion_for(const CLI::App &app, const std::string &shell) {
  if (shell == "bash") {
    return bash_completion(app);
  }
  if (shell == "zsh") {
    return zsh_completion(app);
  }
  if (shell == "fish") {
    return fish_completion(app);
  }
  if (shell == "man") {
    return manual_page(app);
  }
  constexpr std::array<std::string_view, 4> k_known{"bash", "zsh", "fish", "man"};
  return fail(ExitStatus::usage, fmt::format("unknown shell '{}'{}", shell, did_you_mean(closest_name(shell, k_known))),
              "use bash, zsh or fish; man for the manual page");
}

} // namespace awaitscope::tools
