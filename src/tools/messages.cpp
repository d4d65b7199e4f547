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

std::string losses(const SamplingTotals &totals) {
  std::string text;
  for (std::size_t i = 0; i < totals.lost.size(); ++i) {
    if (totals.lost[i] > 0) {
      text += fmt::format("{}{} {}", text.empty() ? "" : ", ", with_thousands(totals.lost[i]),
                          name_of(static_cast<Loss>(i)));
    }
  }
  return text.empty() ? "none" : text;
}

} // namespace

void say(std::string_view text) { put(fmt::format("awaitscope: {}\n", one_line(valid_utf8(text)))); }

void say_error(const Error &error) {
  put(fmt::format("awaitscope: error: {}\nhint: {}\n", one_line(valid_utf8(error.what)),
                  one_line(valid_utf8(error.hint))));
}

ProgressLine::ProgressLine() : terminal_(::isatty(STDERR_FILENO) == 1) {}

ProgressLine::~ProgressLine() { clear(); }

void ProgressLine::show(const SamplingTotals &totals, std::uint64_t samples) {
  if (!terminal_) {
    return;
  }
  shown_ = true;
  put(fmt::format("\r\x1b[Kawaitscope: {} samples, {}, lost: {}  (Ctrl-C stops and writes)", with_thousands(samples),
                  human_duration(totals.elapsed_ns), losses(totals)));
  std::fflush(stderr);
}

void ProgressLine::clear() {
  if (shown_) {
    put("\r\x1b[K");
    shown_ = false;
  }
}

std::optional<Error> why_no_sample(const SamplingTotals &totals) {
  if (totals.samples > 0 || totals.lost_for(Loss::no_cpu) == 0) {
    return std::nullopt;
  }
  return Error{
      ExitStatus::failed,
      fmt::format("no sample was taken: the process runs on a CPU that this one may not use (lost: {})",
                  losses(totals)),
      "run awaitscope in the cpuset of the process (the cpuset line of its /proc cgroup file; docker exec; kubectl "
      "debug --target=CONTAINER), or as root outside of any"};
}

std::string summary(const SamplingTotals &totals, const Recorded &recorded) {
  const std::string processes =
      recorded.children == Children::follow
          ? fmt::format(" of {} process{}", with_thousands(totals.processes), totals.processes == 1 ? "" : "es")
          : std::string();
  const std::string lowered =
      totals.slowest_millihertz == 0
          ? std::string()
          : fmt::format(", lowered to {:.3g} Hz at times", static_cast<double>(totals.slowest_millihertz) / 1000);
  const double share = totals.elapsed_ns <= 0
                           ? 0
                           : 100 * static_cast<double>(totals.tool_cpu_ns) / static_cast<double>(totals.elapsed_ns);
  const auto mean = totals.samples == 0 ? 0 : totals.read_ns / static_cast<std::int64_t>(totals.samples);
  std::string looks;
  if (totals.task_looks > 0) {
    looks = fmt::format("; looks at all tasks: {}, {} each, {} at most", with_thousands(totals.task_looks),
                        human_duration(totals.task_look_ns / static_cast<std::int64_t>(totals.task_looks)),
                        human_duration(totals.longest_task_look_ns));
  }
  return fmt::format(
      "{} samples{} at {} ticks in {} ({:g} Hz asked{}, engine {}, {:.2f} % of a CPU used); lost: {}; "
      "read again: {}; with an "
      "[unreadable] part: {}; "
      "target never stopped, paused {} per sample, {} at most; "
      "delayed by {} per tick at most, {} at a time{}",
      with_thousands(recorded.samples), processes, with_thousands(totals.ticks), human_duration(totals.elapsed_ns),
      recorded.rate_hz, lowered, recorded.engine, share, losses(totals), with_thousands(totals.retries),
      with_thousands(totals.partial), human_duration(mean), human_duration(totals.longest_read_ns),
      human_duration(totals.busy_ns / static_cast<std::int64_t>(std::max<std::uint64_t>(totals.ticks, 1))),
      human_duration(totals.longest_busy_ns), looks);
}

} // namespace awaitscope::tools
