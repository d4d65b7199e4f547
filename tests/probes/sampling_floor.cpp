// usage: sampling_floor PID RATE OUTPUT
//
// What a sampler that keeps the rules of the preempt engine cannot save, and nothing else: at each tick, on the CPU of the
// process's main thread, the reads of /proc that tell whether that thread runs and stood still, and one process_vm_readv of
// 16 KiB between them. Until SIGINT; then writes to OUTPUT, in the form of a folded line, how often. For scripts/bench, which
// compares a recorder with it on the same machine at the same time.
#include <array>
#include <charconv>
#include <csignal>
#include <ctime>
#include <fstream>
#include <iostream>
#include <string_view>

#include "awaitscope/process/own_thread.hpp"
#include "awaitscope/process/process.hpp"
#include "awaitscope/process/thread_watch.hpp"
#include "awaitscope/sampler/pacer.hpp"
#include "awaitscope/support/clock.hpp"

namespace {

using namespace awaitscope;

volatile std::sig_atomic_t g_stopped = 0; // NOLINT: what a signal handler may set

constexpr std::size_t k_stack = 16384; // a data-stack chunk (Python/pystate.c, DATA_STACK_CHUNK_SIZE)

/// Somewhere in the process's own memory.
Address place_in(const Process &process) {
  for (const MapEntry &mapping : process.maps().value_or(std::vector<MapEntry>{})) {
    if (mapping.writable && mapping.readable && mapping.end - mapping.start >= k_stack && mapping.path == "[heap]") {
      return mapping.start;
    }
  }
  return 0;
}

std::uint64_t sample(const Process &process, double rate_hz) {
  ThreadWatch watch(process.pid(), process.pid());
  ProcessMemory memory = process.memory();
  const Address place = place_in(process);
  PromptScheduling scheduling;
  scheduling.raise();
  CpuPin pin;
  Pacer pacer(monotonic_ns(), rate_hz, 1);
  std::array<std::byte, k_stack> bytes{};
  std::uint64_t samples = 0;
  for (std::uint64_t tick = 0; g_stopped == 0; ++tick) {
    const std::int64_t due_ns = pacer.next(monotonic_ns()).due_ns;
    const timespec due{due_ns / k_ns_per_second, due_ns % k_ns_per_second};
    ::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, nullptr);
    if (tick % 64 == 0) {
      pin.move_to(watch.processor());
    }
    const bool runs = watch.schedstat() && watch.run() == ThreadWatch::Run::runnable;
    if (runs && memory.read(place, bytes.data(), bytes.size()) == ReadStatus::ok && watch.schedstat()) {
      ++samples;
    }
  }
  return samples;
}

} // namespace

int main(int count, char **words) {
  ThreadId pid = 0;
  double rate_hz = 0;
  const auto parsed = [&](int place, auto &value) {
    const std::string_view text = words[place];
    return std::from_chars(text.data(), text.data() + text.size(), value).ec == std::errc{};
  };
  if (count != 4 || !parsed(1, pid) || !parsed(2, rate_hz) || !(rate_hz > 0)) {
    std::cerr << "usage: sampling_floor PID RATE OUTPUT\n";
    return 2;
  }
  std::signal(SIGINT, [](int) { g_stopped = 1; });
  const Result<Process> process = Process::open(pid);
  if (!process) {
    std::cerr << process.error().what << '\n';
    return 1;
  }
  const std::uint64_t samples = sample(*process, rate_hz);
  std::ofstream(words[3]) << "floor " << samples << '\n';
  return 0;
}
