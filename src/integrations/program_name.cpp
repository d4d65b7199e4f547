#include "awaitscope/integrations/program_name.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

namespace awaitscope {
namespace {

std::string_view last_part(std::string_view path) {
  while (path.size() > 1 && path.back() == '/') {
    path.remove_suffix(1);
  }
  return path.substr(path.rfind('/') + 1);
}

/// "python", "python3.13t", "-python3" of a login shell.
bool is_interpreter(std::string_view name) {
  for (const std::string_view known : {"python", "-python"}) {
    if (name.starts_with(known)) {
      const std::string_view version = name.substr(known.size());
      return version.find_first_not_of("0123456789.td") == std::string_view::npos;
    }
  }
  return false;
}

/// multiprocessing starts its children with code of one form (Lib/multiprocessing/spawn.py, resource_tracker.py, forkserver.py).
std::string name_of_code(std::string_view code) {
  constexpr std::string_view k_from = "from multiprocessing.";
  if (code.starts_with(k_from)) {
    const std::string_view rest = code.substr(k_from.size());
    return "multiprocessing." + std::string(rest.substr(0, rest.find(' ')));
  }
  return "python -c";
}

/// What the interpreter was asked to run; its options are those of Python/initconfig.c, config_parse_cmdline(). Empty for none.
std::string name_of_run(const std::vector<std::string> &words) {
  for (std::size_t i = 1; i < words.size(); ++i) {
    const std::string_view word = words[i];
    if (word.size() < 2 || word.front() != '-') {
      return std::string(last_part(word));
    }
    if (word == "--check-hash-based-pycs") {
      ++i;
    }
    if (word.starts_with("--")) {
      continue;
    }
    const std::size_t at = word.find_first_of("cmWX", 1); // the first option that takes a value, behind others
    if (at == std::string_view::npos) {
      continue;
    }
    const bool apart = at + 1 == word.size();
    i += apart ? 1 : 0;
    const std::string_view value = !apart ? word.substr(at + 1) : i < words.size() ? std::string_view(words[i]) : "";
    if (word[at] == 'c') {
      return name_of_code(value);
    }
    if (word[at] == 'm') {
      return std::string(value);
    }
  }
  return {};
}

/// The words of a title, those that are paths without their folders.
std::string without_folders(std::string_view title) {
  std::string text;
  while (!title.empty()) {
    const std::size_t end = std::min(title.find(' '), title.size());
    text += last_part(title.substr(0, end));
    text += end < title.size() ? " " : "";
    title.remove_prefix(std::min(end + 1, title.size()));
  }
  return text;
}

} // namespace

std::string program_name(const std::vector<std::string> &command_line) {
  std::vector<std::string> words = command_line;
  while (!words.empty() && words.back().empty()) {
    words.pop_back(); // a title is shorter than the arguments that it was written over, and zeros follow it
  }
  if (words.empty()) {
    return {};
  }
  std::string &first = words.front();
  first.erase(first.find_last_not_of(' ') + 1);
  if (words.size() == 1 && first.find(' ') != std::string::npos && first.front() != '/') {
    return without_folders(first);
  }
  const std::string_view executable = last_part(first);
  std::string run = is_interpreter(executable) ? name_of_run(words) : std::string();
  return run.empty() ? std::string(executable) : run;
}

} // namespace awaitscope
