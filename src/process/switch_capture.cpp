#include "awaitscope/process/switch_capture.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>

#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/utsname.h>

#include "awaitscope/support/clock.hpp"
#include "capture_programs.hpp"

namespace awaitscope {
namespace {

using capture::Shared;
using capture::Slot;

bool tells_state() {
  utsname system{};
  std::array<int, 2> release{}; // of the kernel
  return ::uname(&system) == 0 && std::sscanf(system.release, "%d.%d", release.data(), &release[1]) == 2 && // NOLINT
         release >= std::array{5, 18};
}

/// The program counts threads as the first PID namespace does.
bool in_first_namespace() {
  constexpr ino_t k_first = 0xEFFFFFFC; // include/linux/proc_ns.h, PROC_PID_INIT_INO
  struct stat status {};
  return ::stat("/proc/self/ns/pid", &status) == 0 && status.st_ino == k_first;
}

} // namespace

struct SwitchCapture::Programs {
  BpfMemory shared_memory{sizeof(Shared)};
  BpfMemory slots_memory{sizeof(Slot) * (1 + k_most_ahead)};
  BpfMemory keys_memory{sizeof(std::uint64_t) * capture::k_bucket << capture::k_bucket_bits};
  BpfWakeup wakeup;
  BpfEvent counter;
  std::array<UniqueFd, k_most_ahead> timers;
  UniqueFd at_switch;
  UniqueFd at_timer;

  void open_timers(const capture::Memories &memories);
  [[nodiscard]] bool has_memory() const {
    return shared_memory.data() != nullptr && slots_memory.data() != nullptr && keys_memory.data() != nullptr;
  }
  // The kernel's memory, which the programs know as this.
  [[nodiscard]] Shared &shared() const { return *reinterpret_cast<Shared *>(shared_memory.data()); }          // NOLINT
  [[nodiscard]] std::uint64_t *keys() const { return reinterpret_cast<std::uint64_t *>(keys_memory.data()); } // NOLINT
  [[nodiscard]] Slot &slot(std::size_t index) const {
    return *(reinterpret_cast<Slot *>(slots_memory.data()) + index); // NOLINT
  }
};

/// Where it fails, there are no moments ahead.
void SwitchCapture::Programs::open_timers(const capture::Memories &memories) {
  for (UniqueFd &timer : timers) {
    timer = UniqueFd(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  }
  if (wakeup.valid() && counter.map() >= 0 && timers.back().valid()) {
    at_timer = capture::at_timer(memories, wakeup.map()).attach_to_tracepoint("hrtimer_expire_entry");
  }
}

SwitchCapture::SwitchCapture(ThreadId process, ThreadId sampler)
    : process_(process), programs_(std::make_unique<Programs>()) {
  if (!programs_->has_memory()) {
    return;
  }
  programs_->shared().sampler_tid = static_cast<std::uint32_t>(sampler);
  programs_->shared().process = static_cast<std::uint32_t>(process);
  const capture::Memories memories{programs_->shared_memory, programs_->slots_memory, programs_->keys_memory,
                                   programs_->counter.map()};
  programs_->at_switch = capture::at_switch(memories).attach_to_tracepoint("sched_switch");
  if (programs_->at_switch.valid()) {
    programs_->open_timers(memories);
  }
}

SwitchCapture::~SwitchCapture() = default;

std::unique_ptr<SwitchCapture> SwitchCapture::open(ThreadId process, ThreadId sampler) {
  if (!tells_state() || !in_first_namespace()) {
    return nullptr;
  }
  std::unique_ptr<SwitchCapture> capture(new SwitchCapture(process, sampler)); // NOLINT: the constructor is private
  return capture->programs_->at_switch.valid() ? std::move(capture) : nullptr;
}

void SwitchCapture::request(std::span<const RemoteRange> ranges) {
  Shared &to = programs_->shared();
  std::size_t count = 0;
  std::size_t bytes = 0;
  for (const RemoteRange &range : ranges.first(std::min(ranges.size(), k_most_ranges))) {
    bytes += range.size;
    if (range.size > k_longest || bytes >= k_most_bytes) {
      break;
    }
    to.addresses[count] = range.address;
    to.sizes[count++] = static_cast<std::uint32_t>(range.size);
  }
  to.requested = static_cast<std::uint32_t>(count);
  programs_->slot(0).failed.fill(1); // of those that find no room nothing is said
}

void SwitchCapture::request(const RecordList &list) {
  Shared &to = programs_->shared();
  to.list_root = list.root;
  to.list_indirect = list.indirect ? 1 : 0;
  to.list_first = list.first;
  to.list_next = list.next;
  to.list_key = list.key;
  to.list_key_mask = list.key_mask;
  to.list_size = list.size;
  to.list_tid = static_cast<std::uint64_t>(list.tid);
}

Copies SwitchCapture::copies_at(std::size_t index) const {
  const Shared &now = programs_->shared();
  const Slot &slot = programs_->slot(index);
  return {slot.bytes.data(), std::span(slot.failed).first(std::min<std::size_t>(now.requested, k_most_ranges)),
          std::span(slot.record_addresses).first(std::min<std::size_t>(slot.records, k_most_records)),
          slot.record_bytes.data(), std::min<std::size_t>(now.list_size, k_longest_record)};
}

Copies SwitchCapture::copies() const { return copies_at(0); }

std::uint64_t SwitchCapture::ran_ns() const { return programs_->slot(0).ran_ns; }

bool SwitchCapture::can_go_ahead() const { return programs_->at_timer.valid(); }

void SwitchCapture::know(std::span<const std::uint64_t> keys) {
  for (const std::uint64_t key : keys) {
    std::uint64_t *const bucket = programs_->keys() + capture::bucket_of(key) * capture::k_bucket;
    std::uint64_t *const end = bucket + capture::k_bucket;
    if (std::find(bucket, end, key) == end) {
      std::copy_backward(bucket, end - 1, end);
      *bucket = key;
    }
  }
}

void SwitchCapture::forget_keys() { std::fill_n(programs_->keys(), capture::k_bucket << capture::k_bucket_bits, 0); }

void SwitchCapture::go_ahead(std::span<const std::int64_t> due_ns, std::span<const GuardedWord> guards) {
  stay();
  Shared &to = programs_->shared();
  const std::size_t count = std::min(due_ns.size(), k_most_ahead);
  to.guards = std::min(guards.size(), k_most_guards);
  for (std::size_t i = 0; i < to.guards; ++i) {
    to.guard_addresses[i] = guards[i].address;
    to.guard_masks[i] = guards[i].mask;
    to.guard_values[i] = guards[i].value;
  }
  for (std::size_t i = 0; i < count; ++i) {
    programs_->slot(i + 1).state = 0;
    programs_->slot(i + 1).failed.fill(1);
    to.due_ns[i] = static_cast<std::uint64_t>(due_ns[i]);
  }
  std::atomic_ref(to.next_moment).store(0);
  std::atomic_ref(to.armed).store(static_cast<std::uint32_t>(count));
  for (std::size_t i = 0; i < count; ++i) {
    const itimerspec at{{}, {due_ns[i] / k_ns_per_second, due_ns[i] % k_ns_per_second}};
    ::timerfd_settime(programs_->timers[i].get(), TFD_TIMER_ABSTIME, &at, nullptr);
  }
}

bool SwitchCapture::count(const PerfCounter *counter) {
  programs_->shared().counts = counter != nullptr ? 1 : 0;
  return counter == nullptr || programs_->counter.set(counter->descriptor());
}

void SwitchCapture::stay() {
  constexpr int k_patience = 100'000; // times a look: what has begun takes some microseconds
  Shared &to = programs_->shared();
  std::atomic_ref(to.armed).store(0);
  for (std::size_t i = 0; i < std::min<std::size_t>(std::atomic_ref(to.next_moment).load(), k_most_ahead); ++i) {
    for (int look = 0; look < k_patience && !ahead(i); ++look) {
    }
  }
}

void SwitchCapture::wait(std::int64_t until_ns) { programs_->wakeup.wait(until_ns); }

std::optional<SwitchCapture::Ahead> SwitchCapture::ahead(std::size_t index) const {
  Slot &slot = programs_->slot(index + 1);
  const auto state = static_cast<capture::MomentState>(std::atomic_ref(slot.state).load());
  if (state == capture::MomentState::empty) {
    return std::nullopt;
  }
  return Ahead{state == capture::MomentState::captured,
               static_cast<std::int64_t>(slot.time_ns),
               static_cast<std::int64_t>(slot.took_ns),
               slot.ran_ns,
               EventCount{slot.count[0], slot.count[1], slot.count[2]},
               copies_at(index + 1)};
}

ThreadId SwitchCapture::last_taken_from() const { return static_cast<ThreadId>(programs_->shared().tid); }

std::optional<SwitchCapture::Moment> SwitchCapture::moment() const {
  const Shared &now = programs_->shared();
  const Moment moment{now.number, static_cast<ThreadId>(now.tid), now.state == 0 || now.preempted != 0};
  return moment.number != 0 && stands(moment) ? std::optional(moment) : std::nullopt;
}

bool SwitchCapture::stands(const Moment &moment) const {
  Shared &now = programs_->shared();
  std::atomic_thread_fence(std::memory_order_acquire);
  return std::atomic_ref(now.taken_from).load() != 0 && std::atomic_ref(now.number).load() == moment.number;
}

void SwitchCapture::end_moment() { std::atomic_ref(programs_->shared().taken_from).store(0); }

} // namespace awaitscope
