#include "awaitscope/report/cpu_estimate.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <utility>

namespace awaitscope {
namespace {

constexpr long double k_errors = 3; // standard errors
constexpr long double k_chance = 5; // periods on a CPU without a sample: the probability is exp(-5)

/// The time that a sample stands for, in nanoseconds: a period, and its part of the ticks and samples that were lost.
long double time_of_sample(const RecordingInfo &info, const SamplingTotals &totals) {
  const long double period_ns = 1e12L / static_cast<long double>(std::max<std::uint64_t>(1, info.rate_millihertz));
  const auto late = static_cast<long double>(totals.lost_for(Loss::late));
  long double lost = -late;
  for (const std::uint64_t count : totals.lost) {
    lost += static_cast<long double>(count);
  }
  const auto ticks = static_cast<long double>(std::max<std::uint64_t>(1, totals.ticks));
  const auto samples = static_cast<long double>(std::max<std::uint64_t>(1, totals.samples));
  return period_ns * (1 + late / ticks) * (1 + lost / samples);
}

} // namespace

long double CpuEstimate::used_before_first(const Thread &thread, long double each_ns) {
  const SampleRun &first = *thread.first;
  const std::uint64_t samples = first.state == ThreadState::running ? first.count : 1;
  const auto cpu_ns = static_cast<long double>(first.cpu_ns);
  const long double stands_for_ns = each_ns * static_cast<long double>(samples);
  return cpu_ns > stands_for_ns + k_chance * each_ns ? cpu_ns - stands_for_ns : 0;
}

void CpuEstimate::add(const SampleRun &run) {
  if (run.thread >= threads_.size()) {
    threads_.resize(run.thread + std::size_t{1});
  }
  Thread &thread = threads_[run.thread];
  if (!thread.first || run.first_ns < thread.first->first_ns) {
    thread.first = run;
  }
  thread.cpu_ns += run.cpu_ns;
  thread.samples += run.state == ThreadState::running ? run.count : 0;
  thread.complete = thread.complete || run.count == 0;
}

void CpuEstimate::finish(const RecordingReader &reader) {
  struct Process {
    std::optional<long double> counted_ns; ///< by the kernel, in all its threads
    long double early_ns = 0;              ///< what threads used before their first sample
    long double alone_ns = 0;              ///< of the threads that are scaled by their own account
    long double others_ns = 0;             ///< of the rows of the others
    std::uint64_t samples = 0;             ///< of the others, on a CPU
  };
  std::map<TextId, Process> processes;
  for (const RecordedProcessCpu &counted : reader.process_cpu()) {
    processes[counted.process].counted_ns = static_cast<long double>(counted.cpu_ns);
  }
  if (reader.process_cpu().empty() && reader.totals().process_cpu_ns) { // an older recording, of one process
    processes[0].counted_ns = static_cast<long double>(*reader.totals().process_cpu_ns);
  }
  // A thread that was renamed, or stood under several roots, has several numbers in the recording.
  const std::vector<RecordedThread> &known = reader.tables().threads;
  std::map<std::pair<TextId, ThreadId>, Thread> whole;
  const auto whole_of = [&](std::size_t i) -> Thread & { return whole[{known[i].process, known[i].tid}]; };
  for (std::size_t i = 0; i < threads_.size(); ++i) {
    Thread &thread = whole_of(i);
    thread.cpu_ns += threads_[i].cpu_ns;
    thread.samples += threads_[i].samples;
    thread.complete = thread.complete || threads_[i].complete;
    const std::optional<SampleRun> &first = threads_[i].first;
    if (first && (!thread.first || first->first_ns < thread.first->first_ns)) {
      thread.first = first;
    }
  }
  const long double each_ns = time_of_sample(reader.info(), reader.totals());
  for (auto &[place, thread] : whole) {
    Process &process = processes[place.first];
    const long double early_ns = used_before_first(thread, each_ns);
    const long double cpu_ns = static_cast<long double>(thread.cpu_ns) - early_ns;
    process.early_ns += early_ns;
    thread.alone = thread.complete && thread.samples >= k_enough;
    if (thread.alone) {
      thread.ns_each = cpu_ns / static_cast<long double>(thread.samples);
      process.alone_ns += cpu_ns;
    } else {
      process.others_ns += cpu_ns;
      process.samples += thread.samples;
    }
  }
  std::map<TextId, long double> shared_ns; // of a sample of the others
  long double unsampled_ns = 0;
  for (const auto &[process, sums] : processes) {
    const long double rest_ns =
        sums.counted_ns ? std::max(0.0L, *sums.counted_ns - sums.alone_ns - sums.early_ns) : sums.others_ns;
    const auto samples = static_cast<long double>(sums.samples);
    const long double most_ns = each_ns * (samples + k_errors * std::sqrt(samples));
    const long double used_ns = std::min(rest_ns, most_ns);
    shared_ns[process] = sums.samples == 0 ? 0 : used_ns / samples;
    unsampled_ns += sums.early_ns + rest_ns - used_ns;
  }
  for (std::size_t i = 0; i < threads_.size(); ++i) {
    const Thread &thread = whole_of(i);
    threads_[i].ns_each = thread.alone ? thread.ns_each : shared_ns[known[i].process];
  }
  unsampled_ns_ = static_cast<std::uint64_t>(unsampled_ns);
}

std::uint64_t CpuEstimate::cpu_ns(std::uint32_t thread, std::uint64_t samples) const {
  return static_cast<std::uint64_t>(std::llround(threads_[thread].ns_each * static_cast<long double>(samples)));
}

} // namespace awaitscope
