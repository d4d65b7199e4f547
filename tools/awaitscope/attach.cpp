#include "attach.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

#include "awaitscope/integrations/program_name.hpp"
#include "awaitscope/sampler/python_search.hpp"
#include "awaitscope/support/clock.hpp"
#include "awaitscope/support/text.hpp"
#include "messages.hpp"
#include "stop_signals.hpp"

namespace awaitscope::tools {
namespace {

/// "4711 (app.py)"
std::string described(const Target &target) {
  return fmt::format("{} ({})", target.process().pid(),
                     one_line(valid_utf8(program_name(target.process().command_line()))));
}

Attached first_of(PythonSearch &search, ThreadId named, Children children) {
  Attached attached;
  attached.target = std::move(search.found.front());
  if (attached.target->process().pid() != named && children == Children::ignore) {
    attached.note =
        fmt::format("process {} is not Python: reading {}, which it has started", named, described(*attached.target));
  }
  return attached;
}

Error several(const PythonSearch &search) {
  constexpr std::size_t k_most_named = 5;
  std::string names;
  for (std::size_t i = 0; i < std::min(k_most_named, search.found.size()); ++i) {
    names += fmt::format("{}{}", names.empty() ? "" : ", ", described(*search.found[i]));
  }
  Error error = search.why_not;
  error.hint =
      fmt::format("it has started {} Python processes, {}{}: give one of these PIDs, or record all of them with "
                  "--subprocesses",
                  search.found.size(), names, search.found.size() > k_most_named ? ", …" : "");
  return error;
}

} // namespace

Result<Attached> attach_to(ThreadId pid, Children children, CodeTable &codes) {
  PythonSearch search = find_pythons(pid, codes);
  if (search.found.empty()) {
    return tl::unexpected(search.why_not);
  }
  if (search.found.size() > 1 && children == Children::ignore) {
    return tl::unexpected(several(search));
  }
  return first_of(search, pid, children);
}

Result<Attached> attach_to(Child &child, const std::string &command, Children children, Verbosity verbosity,
                           CodeTable &codes) {
  // `env python`, a shell script, a slow import: nearly all are a Python by then.
  constexpr std::int64_t k_patience_ns = 5 * k_ns_per_second;
  constexpr useconds_t k_pause_us = 5000;
  constexpr useconds_t k_long_pause_us = 100'000;
  const std::int64_t deadline = monotonic_ns() + k_patience_ns;
  bool noted = false;
  while (true) {
    PythonSearch search = find_pythons(child.pid(), codes);
    if (!search.found.empty()) {
      return first_of(search, child.pid(), children);
    }
    if (child.poll()) { // first: of a corpse there is nothing else to say
      return fail(ExitStatus::no_target, fmt::format("'{}' has ended, and no Python was found in it", command),
                  "record a command that is, or starts, a supported Python, and runs for a while");
    }
    if (search.why_not.status != ExitStatus::no_target || StopSignals::requested().load()) {
      return tl::unexpected(search.why_not);
    }
    if (monotonic_ns() > deadline && !std::exchange(noted, true) && verbosity != Verbosity::quiet) {
      say(fmt::format("{}; waiting for it to start one", search.why_not.what));
    }
    ::usleep(noted ? k_long_pause_us : k_pause_us);
  }
}

} // namespace awaitscope::tools
