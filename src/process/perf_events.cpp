#include "awaitscope/process/perf_events.hpp"

#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>

#include <fmt/format.h>
#include <perfmon/pfmlib_perf_event.h>

#include "awaitscope/process/perf_counter.hpp"
#include "awaitscope/process/proc_fs.hpp"
#include "awaitscope/support/text.hpp"

namespace awaitscope {
namespace {

constexpr const char *k_paranoid = "/proc/sys/kernel/perf_event_paranoid";

bool is_software(const PerfEvent &event, perf_sw_ids id) {
  return event.attributes.type == PERF_TYPE_SOFTWARE && event.attributes.config == id;
}

/// The software clocks run in both modes, whatever is excluded (kernel/events/core.c, task_clock_event_update()).
bool is_clock(const PerfEvent &event) {
  return is_software(event, PERF_COUNT_SW_TASK_CLOCK) || is_software(event, PERF_COUNT_SW_CPU_CLOCK);
}

/// Happens in the kernel, whoever causes it: with the kernel excluded the count stays 0 (perf_exclude_event()).
bool is_kernels(const PerfEvent &event) {
  return is_software(event, PERF_COUNT_SW_CONTEXT_SWITCHES) || is_software(event, PERF_COUNT_SW_CPU_MIGRATIONS) ||
         event.attributes.type == PERF_TYPE_TRACEPOINT;
}

/// SYSTEM:NAME, by the number that the kernel gave it. Needs the right to look there, as root has.
std::optional<PerfEvent> tracepoint(const std::string &name) {
  const std::size_t colon = name.find(':');
  if (colon == std::string::npos || name.find('/') != std::string::npos || name.find("..") != std::string::npos) {
    return std::nullopt;
  }
  for (const char *root : {"/sys/kernel/tracing", "/sys/kernel/debug/tracing"}) {
    const std::optional<std::string> text =
        read_file(fmt::format("{}/events/{}/{}/id", root, name.substr(0, colon), name.substr(colon + 1)), 64);
    PerfEvent event{name, {}};
    if (text && std::from_chars(text->data(), text->data() + text->size(), event.attributes.config).ec == std::errc{}) {
      event.attributes.type = PERF_TYPE_TRACEPOINT;
      return event;
    }
  }
  return std::nullopt;
}

tl::unexpected<Error> unknown(const std::string &name, std::string_view why) {
  return fail(ExitStatus::usage, fmt::format("event '{}': {}", name, why),
              "use --event with page-faults, context-switches, task-clock, instructions, cycles, cache-misses or any "
              "event from `perf list`; append :u or :k for user or kernel mode only");
}

bool is_denial(int error) { return error == EACCES || error == EPERM; }

std::string paranoid() {
  std::string text = read_file(k_paranoid, 64).value_or("");
  text.resize(text.find_last_not_of('\n') + 1);
  return one_line(valid_utf8(text));
}

} // namespace

Result<PerfEvent> parse_perf_event(const std::string &name) {
  if (name.find(',') != std::string::npos) {
    return unknown(name, "one event is counted at a time");
  }
  if (const int status = ::pfm_initialize(); status != PFM_SUCCESS) {
    return fail(ExitStatus::failed, fmt::format("libpfm4 does not start: {}", ::pfm_strerror(status)),
                "record without --event");
  }
  PerfEvent event{name, {}};
  pfm_perf_encode_arg_t request{};
  request.size = sizeof request;
  request.attr = &event.attributes;
  const int status = ::pfm_get_os_event_encoding(name.c_str(), PFM_PLM0 | PFM_PLM3, PFM_OS_PERF_EVENT, &request);
  if (status != PFM_SUCCESS) {
    const std::optional<PerfEvent> found = tracepoint(name);
    return found ? Result<PerfEvent>(*found)
                 : unknown(name, status == PFM_ERR_NOTFOUND ? "not known on this machine" : ::pfm_strerror(status));
  }
  const bool part = event.attributes.exclude_user == 1 || event.attributes.exclude_kernel == 1;
  if (part && is_clock(event)) {
    return unknown(name, "a clock counts user and kernel mode together");
  }
  if (is_clock(event)) {
    event.name = is_software(event, PERF_COUNT_SW_TASK_CLOCK) ? "task-clock" : "cpu-clock";
  }
  if (event.attributes.exclude_kernel == 1 && is_kernels(event)) {
    return unknown(name, "it happens in the kernel, so that :u counts none");
  }
  return event;
}

PerfEvent instructions_event() {
  PerfEvent event{"instructions", {}};
  event.attributes.type = PERF_TYPE_HARDWARE;
  event.attributes.config = PERF_COUNT_HW_INSTRUCTIONS;
  event.attributes.exclude_hv = 1;
  return event;
}

PerfEvent task_clock_event() {
  PerfEvent event{"task-clock", {}};
  event.attributes.type = PERF_TYPE_SOFTWARE;
  event.attributes.config = PERF_COUNT_SW_TASK_CLOCK;
  // Time of the kernel's own is counted all the same (perf_swevent_event() asks, task_clock_event_update() does not), and
  // without this kernel.perf_event_paranoid 2, the default, would forbid it.
  event.attributes.exclude_kernel = 1;
  event.attributes.exclude_hv = 1;
  return event;
}

bool is_as_frequent_as_time(const PerfEvent &event) {
  const perf_event_attr &asked = event.attributes;
  return is_clock(event) || (asked.type == PERF_TYPE_HARDWARE &&
                             (asked.config == PERF_COUNT_HW_INSTRUCTIONS || asked.config == PERF_COUNT_HW_CPU_CYCLES ||
                              asked.config == PERF_COUNT_HW_REF_CPU_CYCLES));
}

Result<PerfEvent> countable(PerfEvent event) {
  tl::expected<PerfCounter, int> counter = PerfCounter::open(event, 0, Inherit::nothing);
  if (counter) {
    return event;
  }
  int error = counter.error();
  const bool whole = event.attributes.exclude_user == 0 && event.attributes.exclude_kernel == 0;
  if (is_denial(error) && whole && !is_kernels(event)) {
    // perf_event_paranoid is 2: without a capability, the kernel is not for everyone to count in. As perf(1) does.
    PerfEvent user = event;
    user.attributes.exclude_kernel = user.attributes.exclude_hv = 1;
    user.name += is_clock(event) ? "" : ":u";
    counter = PerfCounter::open(user, 0, Inherit::nothing);
    if (counter) {
      return user;
    }
    error = counter.error(); // more rights may not help either
  }
  return tl::unexpected(cannot_count(event, error));
}

Error cannot_count(const PerfEvent &event, int error) {
  const std::string why = std::strerror(error); // NOLINT(concurrency-mt-unsafe): glibc's is, of known numbers
  const std::string level = paranoid();
  switch (error) {
  case EACCES:
  case EPERM:
    return {
        ExitStatus::denied,
        fmt::format("not permitted to count {} (perf_event_open: {}; kernel.perf_event_paranoid is {})", event.name,
                    why, level.empty() ? "not there" : level),
        fmt::format(
            "run as root or with CAP_PERFMON (sudo; docker run --cap-add=PERFMON; kubectl debug --profile=sysadmin), "
            "or sysctl kernel.perf_event_paranoid={}; without it: --event none",
            event.attributes.type == PERF_TYPE_TRACEPOINT ? -1 : 1)};
  case ENOSYS:
    // Where the file is there, the kernel has the call (perf_event_open(2)): a filter hides it.
    return level.empty()
               ? Error{ExitStatus::failed, "this kernel has no perf_event_open: no event can be counted",
                       "use a kernel with CONFIG_PERF_EVENTS, or --event none"}
               : Error{ExitStatus::denied,
                       fmt::format("not permitted to count {}: a seccomp filter hides perf_event_open", event.name),
                       "docker run --cap-add=PERFMON, or --security-opt seccomp=FILE with a profile that lets "
                       "perf_event_open pass; without it: --event none"};
  case EMFILE:
  case ENFILE:
    return {ExitStatus::failed, fmt::format("cannot count {}: {}", event.name, why), "raise ulimit -n"};
  case ENOENT:
  case ENODEV:
  case EOPNOTSUPP:
    return {ExitStatus::failed, fmt::format("this machine does not count {} (perf_event_open: {})", event.name, why),
            "hardware counters are often not passed on to a virtual machine; every machine counts page-faults, "
            "context-switches and "
            "task-clock"};
  default:
    return {ExitStatus::failed, fmt::format("{} cannot be counted for a thread (perf_event_open: {})", event.name, why),
            "use --event with one that is: page-faults, context-switches, task-clock, instructions"};
  }
}

} // namespace awaitscope
