#include "trace_attach.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

#include <fmt/format.h>
#include <sys/random.h>
#include <unistd.h>

#include "attach.hpp"
#include "awaitscope/cpython/remote_script.hpp"
#include "awaitscope/process/proc_fs.hpp"
#include "awaitscope/support/clock.hpp"
#include "messages.hpp"
#include "overseen.hpp"
#include "stop_signals.hpp"
#include "trace_agent.hpp"

namespace awaitscope::tools {
namespace {

constexpr std::string_view k_script = "agent.py";
constexpr std::string_view k_claim = "claim"; ///< the first agent makes it

/// What the interpreter is asked to run. It may be asked more than once, and then runs it again inside the first one, as soon as that
/// runs Python: so an agent claims the trace before its first import. posix is built in, and loaded before any program.
constexpr std::string_view k_starter = R"(import posix
try:
    posix.close(posix.open({}, posix.O_CREAT | posix.O_EXCL | posix.O_WRONLY | posix.O_CLOEXEC, 0o600))
    agent = {}
except OSError:  # another one has it
    agent = b""
exec(agent)
)";

/// Bytes as a Python expression that needs no escapes.
std::string python_bytes(std::string_view bytes) {
  std::string digits;
  for (const char byte : bytes) {
    digits += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  }
  return fmt::format("bytes.fromhex(\"{}\")", digits);
}

std::string python_text(std::string_view text) { return python_bytes(text) + R"(.decode("utf-8", "surrogateescape"))"; }

std::string order_text(const TraceFolder &folder, const AgentOrder &order, bool launched) {
  std::array<char, 16> key{}; // of the hashes; nobody keeps it
  if (::getrandom(key.data(), key.size(), 0) != static_cast<ssize_t>(key.size())) {
    std::snprintf(key.data(), key.size(), "%lld", static_cast<long long>(monotonic_ns()));
  }
  std::string functions;
  for (const std::string &function : order.functions) {
    functions += python_text(function) + ", ";
  }
  return fmt::format("\nrun({}, {}, [{}], {}, {}, {})\n", python_text(folder.path()),
                     python_bytes({key.data(), key.size()}), functions,
                     static_cast<double>(order.duration_ns) / static_cast<double>(k_ns_per_second),
                     order.subprocesses ? "True" : "False", launched ? "True" : "False");
}

struct Owner {
  uid_t user = 0;
  gid_t group = 0;
};

/// The effective user and group of a process: the second number of each line of /proc/PID/status (proc(5)).
Owner owner_of(ThreadId pid) {
  const std::string status = read_file(fmt::format("/proc/{}/status", pid)).value_or(std::string());
  const auto second = [&](const char *line) {
    unsigned real = 0;
    unsigned effective = 0;
    const std::size_t at = status.find(line);
    return at != std::string::npos &&
                   std::sscanf(status.c_str() + at + std::string_view(line).size(), "%u %u", &real, &effective) == 2
               ? effective
               : 0;
  };
  return {second("\nUid:"), second("\nGid:")};
}

/// By a signal or a debugger (proc(5), State: T, t).
bool is_stopped(ThreadId pid) {
  const std::string status = read_file(fmt::format("/proc/{}/status", pid)).value_or(std::string());
  return status.find("\nState:\tT") != std::string::npos || status.find("\nState:\tt") != std::string::npos;
}

/// The thread states of the main interpreter, the main thread's first: there is none where a script would do more, or less.
std::vector<ThreadEntry> candidates(Target &target) {
  std::vector<ThreadEntry> entries = target.interpreters().threads();
  std::erase_if(entries, [](const ThreadEntry &entry) { return entry.interpreter_id != 0; });
  const ThreadId main = target.process().inner_id(target.process().pid());
  std::stable_partition(entries.begin(), entries.end(),
                        [&](const ThreadEntry &entry) { return entry.native_id == main; });
  return entries;
}

/// Until an agent has begun, or the time is over.
Result<void> ask(Target &target, const RemoteScript &script, const TraceFolder &folder, std::int64_t duration_ns,
                 Verbosity verbosity) {
  constexpr std::int64_t k_turn_ns = 100'000'000; // of one thread
  constexpr std::int64_t k_patience_ns = 2 * k_ns_per_second;
  constexpr std::int64_t k_least_ns = 10 * k_ns_per_second; // also for a short trace: a busy machine takes its time
  constexpr useconds_t k_poll_us = 2000;
  const std::int64_t began_ns = monotonic_ns();
  const std::string claim(k_claim);
  bool noted = false;
  while (true) {
    target.memory().begin();
    for (const ThreadEntry &entry : candidates(target)) {
      if (Result<void> asked = script.request(entry.state, fmt::format("{}/{}", folder.path(), k_script)); !asked) {
        return asked;
      }
      const std::int64_t turn_ends_ns = monotonic_ns() + k_turn_ns;
      while (!folder.has(claim) && monotonic_ns() < turn_ends_ns && !StopSignals::requested().load()) {
        ::usleep(k_poll_us);
      }
      if (folder.has(claim)) {
        return {};
      }
      script.withdraw(entry.state);
      ::usleep(k_poll_us); // it may have begun before
      if (folder.has(claim)) {
        return {};
      }
      const bool over = duration_ns != 0 && monotonic_ns() - began_ns >= std::max(duration_ns, k_least_ns);
      const bool stopped = is_stopped(target.process().pid());
      if (!noted && (stopped || monotonic_ns() - began_ns > k_patience_ns) && verbosity != Verbosity::quiet) {
        noted = true;
        say(fmt::format("process {} {} at the moment; waiting until it does", target.process().pid(),
                        stopped ? "does not run (it is stopped: kill -CONT)" : "runs no Python"));
      }
      if (over || StopSignals::requested().load()) {
        return fail(ExitStatus::failed, fmt::format("process {} ran no Python until now", target.process().pid()),
                    "trace it while it works");
      }
    }
    if (!target.process().alive()) {
      return tl::unexpected(no_such_process(target.process().pid()));
    }
  }
}

Result<Address> main_interpreter(Target &target) {
  target.memory().begin();
  const Address interpreter = target.interpreters().main_interpreter();
  return interpreter != 0 ? Result<Address>(interpreter) : tl::unexpected(no_such_process(target.process().pid()));
}

} // namespace

std::string attached_agent(const TraceFolder &folder, const AgentOrder &order) {
  return fmt::format(fmt::runtime(k_starter), python_text(fmt::format("{}/{}", folder.path(), k_claim)),
                     python_bytes(std::string(k_trace_agent) + order_text(folder, order, false)));
}

std::string launched_agent(const TraceFolder &folder, const AgentOrder &order) {
  return std::string(k_trace_agent) + order_text(folder, order, true) + "load_own_sitecustomize()\n";
}

Result<TraceTarget> attach_agent(ThreadId pid, const AgentOrder &order, Verbosity verbosity,
                                 std::optional<TraceFolder> &folder) {
  CodeTable codes;
  Result<Attached> attached;
  run_overseen(
      pid, [&] { attached = attach_to(pid, Children::ignore, codes); }, leave_with);
  if (!attached) {
    return tl::unexpected(attached.error());
  }
  Target &target = *attached->target;
  const ThreadId found = target.process().pid();
  const Result<Address> interpreter = main_interpreter(target);
  if (!interpreter) {
    return tl::unexpected(interpreter.error());
  }
  const Result<RemoteScript> script = RemoteScript::prepare(target.process(), target.runtime(), *interpreter);
  if (!script) {
    return tl::unexpected(script.error());
  }
  const Owner owner = owner_of(found);
  Result<TraceFolder> made = TraceFolder::create(fmt::format("/proc/{}/root", found), owner.user, owner.group);
  if (!made) {
    return tl::unexpected(made.error());
  }
  folder.emplace(std::move(*made));
  for (const Result<void> &step :
       {folder->write(std::string(k_script), attached_agent(*folder, order)), folder->hand_over()}) {
    if (!step) {
      return tl::unexpected(step.error());
    }
  }
  if (verbosity != Verbosity::quiet) {
    say(fmt::format("running code in process {}: it counts the calls, and takes itself out at the end", found));
  }
  if (const Result<void> begun = ask(target, *script, *folder, order.duration_ns, verbosity); !begun) {
    return tl::unexpected(begun.error());
  }
  return TraceTarget{found, target.runtime().layout.version.text(), target.import_paths(), attached->note};
}

} // namespace awaitscope::tools
