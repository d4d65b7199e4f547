#include "awaitscope/sampler/preempt_engine.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <utility>

#include <unistd.h>

#include "awaitscope/support/clock.hpp"
#include "bounded_reads.hpp"

namespace awaitscope {
namespace {

constexpr unsigned k_max_attempts = 60;
// A thread that is moved about as often as it is followed loses its sample, not its CPU.
constexpr unsigned k_least_attempts = 4;
constexpr std::int64_t k_capture_patience_ns = 2'000'000;
constexpr Address k_cpu_id = 4; // struct rseq: cpu_id_start, cpu_id
constexpr std::int64_t k_same_switch_ns = 1'000;

/// Which CPU a thread is on, as cheaply as the target allows.
class CpuOf {
public:
  CpuOf(Target &target, TargetThread &thread)
      : target_(target), thread_(thread),
        address_(target.rseq_offset()
                     ? thread.entry.thread_pointer + static_cast<Address>(*target.rseq_offset()) + k_cpu_id
                     : 0) {}

  /// Starts a snapshot; the CPU is read behind the rest, in the same call.
  int begin(SnapshotMemory::Prefetch prefetch) {
    guard_ = {address_, 0};
    const int cpu = address_ == 0 ? thread_.watch.processor() : -1;
    const ReadStatus status = target_.memory().begin(prefetch, &guard_);
    return address_ == 0 ? cpu : status == ReadStatus::ok ? as_cpu(guard_.value) : -1;
  }

  /// Without a snapshot.
  int where() {
    std::uint32_t cpu = 0;
    const bool known = address_ != 0 && target_.memory().remote().read(address_, &cpu, sizeof cpu) == ReadStatus::ok;
    return known ? as_cpu(cpu) : thread_.watch.processor();
  }

  /// After the last read of the reading.
  int now() {
    std::uint32_t cpu = guard_.value;
    if (address_ == 0) {
      return thread_.watch.processor();
    }
    if (target_.memory().read_more() && target_.memory().remote().read(address_, &cpu, sizeof cpu) != ReadStatus::ok) {
      return -1;
    }
    return as_cpu(cpu);
  }

private:
  /// A thread that registered no rseq area holds RSEQ_CPU_ID_UNINITIALIZED (-1) or ..._REGISTRATION_FAILED (-2).
  int as_cpu(std::uint32_t cpu) {
    const auto value = static_cast<std::int32_t>(cpu);
    return value >= 0 ? value : thread_.watch.processor();
  }

  Target &target_;
  TargetThread &thread_;
  Address address_;
  SnapshotMemory::Guard guard_;
};

/// How long the thread was on a CPU at a time, on average since it was asked the time before.
std::int64_t mean_run_ns(const TargetThread &thread) {
  const std::uint64_t times = thread.stat->times_run - thread.stat_before.times_run;
  return static_cast<std::int64_t>((thread.stat->cpu_ns - thread.stat_before.cpu_ns) /
                                   std::max<std::uint64_t>(1, times));
}

} // namespace

std::optional<bool> was_on_cpu_since(TargetThread &thread) {
  const std::optional<SchedStat> now = thread.watch.schedstat();
  const SchedStat asked = *thread.stat;
  if (!now) {
    return false;
  }
  if (now->cpu_ns == asked.cpu_ns && now->wait_ns == asked.wait_ns) {
    return std::nullopt;
  }
  return now->cpu_ns - asked.cpu_ns > now->wait_ns - asked.wait_ns;
}

PreemptEngine::PreemptEngine(ThreadId process, std::future<Opened> switches)
    : process_(process), opening_(std::move(switches)), self_(::getpid(), ::gettid()) {
  finish_opening();
}

void PreemptEngine::rest_if_long() { scheduling_.lower_after(k_longest_tick_ns); }

void PreemptEngine::step_aside() {
  moved_ = true;
  rest();
  pin_.step_aside();
}

/// Of all threads whose state at the tick is still to be found out.
void PreemptEngine::for_undecided(const std::function<void(Target &, TargetThread &)> &decide) {
  for (Target *const target : targets_) {
    for (TargetThread &thread : target->threads()) {
      if (thread.run == ThreadWatch::Run::runnable && thread.stat && !thread.on_cpu) {
        decide(*target, thread);
      }
    }
  }
}

bool PreemptEngine::move_to(int cpu) {
  if (!moved_) {
    note_arrival();
    for_undecided([this](Target &target, TargetThread &thread) {
      if (is_here(target, thread)) { // one of another process
        thread.on_cpu = was_on_cpu_here(thread);
      }
    });
  }
  if (!pin_.move_to(cpu)) {
    return false;
  }
  moved_ = true;
  came_ns_ = monotonic_ns();
  arrived_ns_.reset();
  for_undecided([](Target &, TargetThread &thread) { thread.on_cpu = was_on_cpu_since(thread); });
  note_arrival();
  return true;
}

bool PreemptEngine::is_here(Target &target, TargetThread &thread) { return CpuOf(target, thread).where() == own_cpu(); }

void PreemptEngine::approach(Target &target, TargetThread &thread) {
  const RaisedFor raised(scheduling_);
  move_to(CpuOf(target, thread).where());
}

void PreemptEngine::begin_tick(std::span<Target *const> targets) {
  targets_.assign(targets.begin(), targets.end());
  tick_ns_ = came_ns_ = monotonic_ns();
  moved_ = false;
  arrived_ns_.reset();
  // At once: the kernel's next tick accounts for the sampler anew. Of one process it is hardly ever asked for.
  if (!switches_ || targets_.size() > 1 || !offset_ns_.contains(own_cpu())) {
    note_arrival();
  }
}

/// When the sampler came to this CPU, by the clock of its run queue.
void PreemptEngine::note_arrival() {
  if (!arrived_ns_) {
    arrived_ns_ = self_.accounted_ns();
    if (arrived_ns_) {
      offset_ns_[own_cpu()] = came_ns_ - *arrived_ns_;
    }
  }
}

/// Whether the sampler took the CPU that it is on from that thread.
bool PreemptEngine::was_on_cpu_here(TargetThread &thread) {
  if (!moved_ && switches_ && switches_->process() == thread.watch.pid()) {
    return false; // it took it from another one
  }
  note_arrival();
  const std::optional<std::int64_t> left_ns = arrived_ns_ ? thread.watch.accounted_ns() : std::nullopt;
  if (!left_ns) {
    return true; // without an account: any that can run
  }
  if (*left_ns > *arrived_ns_ + k_same_switch_ns) { // the sampler has lost the CPU since, and has come to it again
    arrived_ns_ = self_.accounted_ns().value_or(*arrived_ns_);
  }
  return std::abs(*left_ns - *arrived_ns_) <= k_same_switch_ns;
}

bool PreemptEngine::just_left_cpu(Target &target, TargetThread &thread) {
  constexpr std::int64_t k_long_ago_ns = 1'000'000; // whatever became of the clocks since they were compared
  const std::optional<std::int64_t> left_ns = offset_ns_.empty() ? std::nullopt : thread.watch.accounted_ns();
  const auto is_long_ago = [&](std::int64_t offset_ns) { return *left_ns + offset_ns + k_long_ago_ns < tick_ns_; };
  if (!left_ns || std::all_of(offset_ns_.begin(), offset_ns_.end(),
                              [&](const auto &offset) { return is_long_ago(offset.second); })) {
    return false; // on whatever CPU: most are
  }
  const auto offset_ns = offset_ns_.find(CpuOf(target, thread).where());
  if (offset_ns == offset_ns_.end() || is_long_ago(offset_ns->second)) {
    return false;
  }
  note_arrival();
  const std::int64_t since_tick_ns = *left_ns + offset_ns->second - tick_ns_;
  if (since_tick_ns < -k_same_switch_ns || since_tick_ns > mean_run_ns(thread)) {
    return false; // in the latter case it has come to run since the tick, too: one that waits for the GIL does so all the time
  }
  const std::optional<SchedStat> now = thread.watch.schedstat();
  return now && now->times_run == thread.stat->times_run; // else it has run since it was asked, and left it then
}

std::optional<SwitchCapture::Switch> PreemptEngine::replaced(const TargetThread &thread) const {
  const std::optional<SwitchCapture::Switch> last = switches_ ? switches_->last_switch() : std::nullopt;
  return last && last->tid == thread.watch.tid() ? last : std::nullopt;
}

bool PreemptEngine::knows_runnable(const TargetThread &thread) const {
  const std::optional<SwitchCapture::Switch> last = replaced(thread);
  return last && last->runnable;
}

std::optional<std::uint32_t> PreemptEngine::wakings(const TargetThread &thread) const {
  const bool counted = switches_ && switches_->process() == thread.watch.pid();
  return counted ? switches_->wakings(thread.watch.tid()) : std::nullopt;
}

/// Takes over the programs once they are loaded.
void PreemptEngine::finish_opening() {
  if (!opening_.valid() || opening_.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
    return;
  }
  if (Opened opened = opening_.get(); opened) {
    switches_ = std::move(*opened);
    switches_->follow(process_, ::gettid());
    if (switches_->can_arm()) {
      ticks_.emplace(*switches_, pin_);
    }
  }
}

void PreemptEngine::prepare(Target &target, bool anew) {
  finish_opening();
  if (switches_ && switches_->process() == target.process().pid()) {
    if (anew) {
      switches_->request(target.memory().expect());
    }
    if (pin_.cpu() >= 0) { // aside, it may have taken the CPU from any
      request_frames(target);
    }
  }
  pin_.come_back(); // so that the timer takes the CPU from the thread that is to be read
}

/// Those of the thread that the CPU was taken from last.
void PreemptEngine::request_frames(Target &target) {
  const ThreadId tid = switches_->last_replaced();
  if (tid == 0 || tid == frames_of_) {
    return;
  }
  const auto thread =
      std::find_if(target.threads().begin(), target.threads().end(),
                   [&](const TargetThread &candidate) { return !candidate.shared && candidate.watch.tid() == tid; });
  RecordList frames;
  if (thread != target.threads().end()) {
    frames = target.stacks().frames_of(thread->entry.state);
    frames.tid = tid;
  }
  switches_->request(frames);
  frames_of_ = tid;
}

/// The CPU was taken from the thread, and it has not run since.
bool PreemptEngine::read_at_switch(const SwitchCapture::Switch &last, Target &target, TargetThread &thread,
                                   const std::function<void()> &read, Capture &capture) {
  const std::int64_t start = monotonic_ns();
  target.memory().begin(switches_->copies());
  read();
  const bool still_here = CpuOf(target, thread).where() == own_cpu();
  const std::int64_t held = monotonic_ns() - start;
  add_held(held);
  if (!still_here) { // it came to run by a switch that was not seen
    switches_->discard_switch();
  }
  if (!switches_->holds(last)) {
    return false;
  }
  capture.status = CaptureStatus::captured;
  capture.read_ns = held;
  add_copied();
  return true;
}

Capture PreemptEngine::capture(Target &target, TargetThread &thread, const std::optional<SchedStat> &known,
                               const std::function<void()> &read) {
  const RaisedFor raised(scheduling_);
  return capture_raised(target, thread, known, read);
}

Capture PreemptEngine::capture_raised(Target &target, TargetThread &thread, const std::optional<SchedStat> &known,
                                      const std::function<void()> &read) {
  Capture capture;
  BoundedReads reads(target.memory());
  CpuOf cpu_of(target, thread);
  SnapshotMemory::Prefetch prefetch = SnapshotMemory::Prefetch::likely;
  const std::int64_t deadline = monotonic_ns() + k_capture_patience_ns;
  for (unsigned attempt = 0; attempt < k_max_attempts; ++attempt) {
    const std::int64_t now = monotonic_ns();
    if ((attempt >= k_least_attempts && now > deadline) || (attempt > 0 && now > deadline + k_longest_read_ns)) {
      break; // the latter: it was kept off the thread's CPU
    }
    reads.begin();
    if (const std::optional<SwitchCapture::Switch> last = replaced(thread)) {
      if (!thread.on_cpu) {
        thread.on_cpu = true;
      }
      if (read_at_switch(*last, target, thread, read, capture)) {
        return capture;
      }
      ++capture.retries;
      continue;
    }
    const std::optional<SchedStat> before = attempt == 0 && known ? known : thread.watch.schedstat();
    if (!before) {
      capture.status = target.process().alive() ? CaptureStatus::ended : CaptureStatus::failed;
      return capture;
    }
    const std::int64_t start = monotonic_ns();
    const int here = own_cpu();
    if (switches_ && attempt == 0) { // it may be copied on arrival: nothing is read in vain
      const int cpu = cpu_of.where();
      if (cpu >= 0 && cpu != here && move_to(cpu)) {
        continue;
      }
    }
    const int cpu = cpu_of.begin(prefetch);
    const ReadStatus status = target.memory().status();
    if (status == ReadStatus::gone || status == ReadStatus::denied) {
      capture.status = CaptureStatus::failed;
      return capture;
    }
    if (cpu < 0 || cpu != here || cpu != pin_.cpu()) {
      if (!move_to(cpu)) {
        capture.status = cpu < 0 ? CaptureStatus::unreadable : CaptureStatus::no_cpu;
        return capture;
      }
      prefetch = SnapshotMemory::Prefetch::likely;
      continue; // arrived where the thread was: read again at once
    }
    if (known && !thread.on_cpu) {
      thread.on_cpu = was_on_cpu_here(thread);
    }
    read();
    prefetch = SnapshotMemory::Prefetch::last_again;
    const bool still_here = cpu_of.now() == cpu;
    const std::optional<SchedStat> after = thread.watch.schedstat();
    const std::int64_t held = monotonic_ns() - start;
    add_held(held);
    if (still_here && after && after->times_run == before->times_run) {
      capture.status = CaptureStatus::captured;
      capture.read_ns = held;
      return capture;
    }
    ++capture.retries;
  }
  capture.status = CaptureStatus::moved;
  return capture;
}

} // namespace awaitscope
