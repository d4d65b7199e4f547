#include "messages.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include <fmt/format.h>
#include <unistd.h>

#include "awaitscope/support/text.hpp"
#include "awaitscope/support/units.hpp"

namespace awaitscope::tools {
namespace {

void put(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stderr); }

} // namespace

void say(std::string_view text) { put(fmt::format("awaitscope: {}\n", one_line(valid_utf8(text)))); }

void say_error(const Error &error) {
  put(fmt::format("awaitscope: error: {}\nhint: {}\n", one_line(valid_utf8(error.what)),
                  one_line(valid_utf8(error.hint))));
}

ProgressLine::ProgressLine(std::optional<std::int64_t> duration_ns)
    : duration_ns_(duration_ns), terminal_(::isatty(STDERR_FILENO) == 1) {}

ProgressLine::~ProgressLine() { clear(); }

void ProgressLine::show(std::int64_t elapsed_ns, std::uint64_t samples, double lost_percent) {
  if (!terminal_) {
    return;
  }
  shown_ = true;
  const auto seconds = [](std::int64_t time_ns) { return static_cast<double>(time_ns) / 1e9; };
  const std::string of = duration_ns_ ? fmt::format(" of {:g}", seconds(*duration_ns_)) : std::string();
  put(fmt::format("\r\x1b[Kawaitscope: {:.1f}{} s, {} samples, {:.1f} % lost (Ctrl-C ends and writes)",
                  seconds(elapsed_ns), of, with_thousands(samples), lost_percent));
  std::fflush(stderr);
}

void ProgressLine::clear() {
  if (shown_) {
    put("\r\x1b[K");
    shown_ = false;
  }
}

std::optional<Error> why_no_sample(const SamplingTotals &totals) {
  const std::uint64_t no_cpu = totals.lost_for(Loss::no_cpu);
  const std::uint64_t unstopped = totals.lost_for(Loss::unstopped);
  if (totals.samples > 0 || no_cpu + unstopped == 0) {
    return std::nullopt;
  }
  if (no_cpu == 0) {
    return Error{
        ExitStatus::failed,
        fmt::format("no sample was taken: the process's threads did not stop ({} lost)", with_thousands(unstopped)),
        "end what traces it (gdb, strace), or use --engine preempt"};
  }
  return Error{
      ExitStatus::failed,
      fmt::format("no sample was taken: the process runs on a CPU that this one may not use ({} lost)",
                  with_thousands(no_cpu)),
      "run awaitscope in the cpuset of the process (the cpuset line of its /proc cgroup file; docker exec; kubectl "
      "debug --target=CONTAINER), or as root outside of any"};
}

} // namespace awaitscope::tools
