#include "awaitscope/sampler/preempt_engine.hpp"

#include "awaitscope/support/clock.hpp"

namespace awaitscope {
namespace {

constexpr unsigned k_max_attempts = 60;
// A thread that is moved about as often as it is followed loses its sample, not its CPU.
constexpr unsigned k_least_attempts = 4;
constexpr std::int64_t k_patience_ns = 2'000'000;
constexpr Address k_cpu_id = 4; // struct rseq: cpu_id_start, cpu_id

/// Tells whether a thread stood still during a look, as cheaply as the target allows.
class Witness {
public:
  Witness(Target &target, TargetThread &thread)
      : target_(target), thread_(thread),
        address_(target.rseq_offset()
                     ? thread.entry.thread_pointer + static_cast<Address>(*target.rseq_offset()) + k_cpu_id
                     : 0) {}

  /// Before begin(). False if the thread has ended.
  bool prepare(const std::optional<SchedStat> &known) {
    if (address_ != 0) {
      switches_ = own_switches();
      return true;
    }
    before_ = known ? known : thread_.watch.schedstat();
    return before_.has_value();
  }

  static constexpr int k_no_rseq = -2; ///< it has to be prepared again, and will look elsewhere

  /// Starts a snapshot. The CPU that the thread is on; -1 if that cannot be told.
  int begin(SnapshotMemory::Ahead ahead) {
    if (address_ == 0) {
      const int cpu = thread_.watch.processor();
      target_.memory().begin(ahead);
      return cpu;
    }
    SnapshotMemory::Guard guard{address_, 0};
    const ReadStatus status = target_.memory().begin(ahead, &guard);
    if (status != ReadStatus::ok) {
      return -1;
    }
    cpu_ = static_cast<std::int32_t>(guard.value);
    if (cpu_ < 0) { // RSEQ_CPU_ID_UNINITIALIZED (-1) or ..._REGISTRATION_FAILED (-2)
      address_ = 0;
      return k_no_rseq;
    }
    return cpu_;
  }

  /// After the last read of the look: has the thread stood still since before begin(), which found it on `cpu`?
  bool stood_still(int cpu) {
    if (address_ == 0) {
      const std::optional<SchedStat> after = thread_.watch.processor() == cpu ? thread_.watch.schedstat() : std::nullopt;
      return after && after->times_run == before_->times_run;
    }
    if (target_.memory().read_more() &&
        target_.memory().remote().read(address_, &cpu_, sizeof cpu_) != ReadStatus::ok) {
      return false;
    }
    return cpu_ == cpu && own_switches() == switches_;
  }

private:
  Target &target_;
  TargetThread &thread_;
  Address address_;          ///< of the cpu_id in the thread's rseq area; 0: none
  std::int32_t cpu_ = -1;    ///< what stood there when it was last read
  std::uint64_t switches_ = 0;
  std::optional<SchedStat> before_;
};

} // namespace

Capture PreemptEngine::capture(Target &target, TargetThread &thread, const std::optional<SchedStat> &known,
                               const std::function<void()> &look) {
  Capture capture;
  Witness witness(target, thread);
  SnapshotMemory::Ahead ahead = SnapshotMemory::Ahead::likely;
  const std::int64_t began = monotonic_ns();
  std::int64_t start = began;
  for (unsigned attempt = 0; attempt < k_max_attempts; ++attempt) {
    start = attempt == 0 ? began : monotonic_ns();
    if (attempt >= k_least_attempts && start - began > k_patience_ns) {
      break;
    }
    if (!witness.prepare(attempt == 0 ? known : std::nullopt)) {
      capture.status = target.process().alive() ? CaptureStatus::ended : CaptureStatus::failed;
      return capture;
    }
    const int cpu = witness.begin(ahead);
    const ReadStatus status = target.memory().status();
    if (status == ReadStatus::gone || status == ReadStatus::denied) {
      capture.status = CaptureStatus::failed;
      return capture;
    }
    if (cpu == Witness::k_no_rseq) {
      continue;
    }
    if (cpu < 0 || cpu != pin_.cpu() || cpu != own_cpu()) {
      if (!pin_.move_to(cpu)) {
        capture.status = thread.watch.schedstat() ? CaptureStatus::no_cpu : CaptureStatus::ended;
        return capture;
      }
      ahead = SnapshotMemory::Ahead::likely;
      continue; // arrived where the thread was: read again at once
    }
    look();
    ahead = SnapshotMemory::Ahead::last_again;
    if (witness.stood_still(cpu)) {
      capture.status = CaptureStatus::captured;
      capture.read_ns = monotonic_ns() - start;
      return capture;
    }
    ++capture.retries;
  }
  capture.status = CaptureStatus::moved;
  return capture;
}

} // namespace awaitscope
