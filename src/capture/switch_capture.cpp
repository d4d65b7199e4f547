#include "awaitscope/capture/switch_capture.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <utility>

#include <sys/timerfd.h>
#include <sys/utsname.h>

#include "awaitscope/support/clock.hpp"
#include "awaitscope/support/unique_fd.hpp"
#include "first_namespace.hpp"
#include "programs.hpp"

namespace awaitscope {
namespace {

using capture::CaptureControl;
using capture::CaptureSlot;

static_assert(Copies::k_max_ranges == capture::k_max_ranges && Copies::k_longest_range == capture::k_longest_range);
static_assert(Copies::k_max_bytes == capture::k_max_bytes && Copies::k_record_stride == capture::k_record_stride);
static_assert(SwitchCapture::k_max_ticks == capture::k_max_ticks);
static_assert(SwitchCapture::k_max_guards == capture::k_max_guards);

/// Does the tracepoint hand over the state of the thread that leaves?
bool has_previous_state() {
  utsname system{};
  std::array<int, 2> release{}; // of the kernel
  return ::uname(&system) == 0 && std::sscanf(system.release, "%d.%d", release.data(), &release[1]) == 2 && // NOLINT
         release >= std::array{5, 18};
}

std::span<std::uint64_t, capture::k_bucket_size> bucket_for(capture::CaptureMemory &memory, std::uint64_t key) {
  return memory.keys[capture::bucket_of(key)]; // NOLINT: below k_buckets
}

} // namespace

/// One timer a tick, which fires on the CPU that it was set on.
struct SwitchCapture::Timers {
  std::array<UniqueFd, k_max_ticks> files;

  Timers() {
    for (UniqueFd &file : files) {
      file = UniqueFd(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
    }
  }
};

SwitchCapture::SwitchCapture(std::unique_ptr<capture::Programs> programs)
    : programs_(std::move(programs)), timers_(std::make_unique<Timers>()) {}

SwitchCapture::~SwitchCapture() = default;

Result<std::unique_ptr<SwitchCapture>> SwitchCapture::open() {
  if (!has_previous_state()) {
    return fail(ExitStatus::failed, "the BPF programs need Linux 5.18 or later", "use --engine preempt");
  }
  if (!capture::in_first_namespace()) {
    return tl::unexpected(capture::other_namespace());
  }
  Result<std::unique_ptr<capture::Programs>> programs = capture::load_programs();
  if (!programs) {
    return tl::unexpected(programs.error());
  }
  return std::unique_ptr<SwitchCapture>(new SwitchCapture(std::move(*programs))); // NOLINT: the constructor is private
}

CaptureControl &SwitchCapture::control() const { return programs_->memory().control; }

void SwitchCapture::follow(ThreadId process, ThreadId sampler) {
  control().process = static_cast<std::uint32_t>(process);
  std::atomic_ref(control().sampler_tid).store(static_cast<std::uint32_t>(sampler));
}

ThreadId SwitchCapture::process() const { return static_cast<ThreadId>(control().process); }

void SwitchCapture::request(std::span<const RemoteRange> ranges) {
  CaptureControl &to = control();
  std::size_t count = 0;
  std::size_t bytes = 0;
  for (const RemoteRange &range : ranges.first(std::min(ranges.size(), Copies::k_max_ranges))) {
    bytes += range.size;
    if (range.size > Copies::k_longest_range || bytes >= Copies::k_max_bytes) {
      break;
    }
    to.addresses[count] = range.address;                        // NOLINT: below k_max_ranges
    to.sizes[count++] = static_cast<std::uint32_t>(range.size); // NOLINT
  }
  to.range_count = static_cast<std::uint32_t>(count);
  std::ranges::fill(programs_->memory().slots[0].failed, 1); // of those that find no room nothing is said
}

void SwitchCapture::request(const RecordList &list) {
  CaptureControl &to = control();
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
  const CaptureSlot &slot = programs_->memory().slots[index]; // NOLINT
  const std::size_t ranges = std::min<std::size_t>(control().range_count, Copies::k_max_ranges);
  const std::size_t records = std::min<std::size_t>(slot.record_count, capture::k_max_records);
  return {std::as_bytes(std::span(slot.bytes)).data(), std::span(slot.failed).first(ranges),
          std::span(slot.record_addresses).first(records), std::as_bytes(std::span(slot.record_bytes)).data(),
          std::min<std::size_t>(control().list_size, Copies::k_longest_record)};
}

Copies SwitchCapture::copies() const { return copies_at(0); }

std::uint64_t SwitchCapture::ran_ns() const { return programs_->memory().slots[0].ran_ns; }

std::optional<std::uint32_t> SwitchCapture::wakings(ThreadId tid) const {
  if (!programs_->at_wakings()) {
    return std::nullopt;
  }
  const std::size_t index = static_cast<std::uint32_t>(tid) % capture::k_waking_counts;
  return std::atomic_ref(programs_->memory().wakings[index]).load(); // NOLINT: below k_waking_counts
}

bool SwitchCapture::can_arm() const { return programs_->at_timers() && timers_->files.back().valid(); }

void SwitchCapture::add_keys(std::span<const std::uint64_t> keys) {
  for (const std::uint64_t key : keys) {
    const auto bucket = bucket_for(programs_->memory(), key);
    if (std::ranges::find(bucket, key) == bucket.end()) {
      std::copy_backward(bucket.begin(), bucket.end() - 1, bucket.end());
      bucket.front() = key;
    }
  }
}

void SwitchCapture::clear_keys() {
  for (auto &bucket : programs_->memory().keys) {
    std::ranges::fill(bucket, 0);
  }
}

void SwitchCapture::arm(std::span<const std::int64_t> due_ns, std::span<const GuardedWord> guards) {
  disarm();
  CaptureControl &to = control();
  due_ns = due_ns.first(std::min(due_ns.size(), k_max_ticks));
  to.guard_count = std::min(guards.size(), k_max_guards);
  for (std::size_t i = 0; i < to.guard_count; ++i) {
    to.guard_addresses[i] = guards[i].address; // NOLINT: below k_max_guards
    to.guard_masks[i] = guards[i].mask;        // NOLINT
    to.guard_values[i] = guards[i].value;      // NOLINT
  }
  for (std::size_t i = 0; i < due_ns.size(); ++i) {
    CaptureSlot &slot = programs_->memory().slots[i + 1]; // NOLINT: below k_max_ticks
    slot.state = capture::k_tick_pending;
    std::ranges::fill(slot.failed, 1);
    to.due_ns[i] = static_cast<std::uint64_t>(due_ns[i]); // NOLINT
  }
  std::atomic_ref(to.next_tick).store(0);
  std::atomic_ref(to.armed).store(static_cast<std::uint32_t>(due_ns.size()));
  for (std::size_t i = 0; i < due_ns.size(); ++i) {
    const itimerspec at{{}, {due_ns[i] / k_ns_per_second, due_ns[i] % k_ns_per_second}};
    ::timerfd_settime(timers_->files[i].get(), TFD_TIMER_ABSTIME, &at, nullptr);
  }
}

bool SwitchCapture::count(const PerfCounter *counter) {
  control().counts = counter != nullptr ? 1 : 0;
  return counter == nullptr || programs_->count(counter->descriptor());
}

void SwitchCapture::disarm() {
  constexpr int k_patience = 100'000; // polls: what has begun takes some microseconds
  std::atomic_ref(control().armed).store(0);
  const std::uint64_t begun = std::atomic_ref(control().next_tick).load();
  for (std::size_t i = 0; i < std::min<std::size_t>(begun, k_max_ticks); ++i) {
    for (int poll = 0; poll < k_patience && !tick(i); ++poll) {
    }
  }
}

void SwitchCapture::wait(std::int64_t until_ns) { programs_->wait(until_ns); }

std::optional<SwitchCapture::Tick> SwitchCapture::tick(std::size_t index) const {
  CaptureSlot &slot = programs_->memory().slots[index + 1]; // NOLINT
  const std::uint32_t state = std::atomic_ref(slot.state).load();
  if (state == capture::k_tick_pending) {
    return std::nullopt;
  }
  return Tick{state == capture::k_tick_captured,
              static_cast<std::int64_t>(slot.time_ns),
              static_cast<std::int64_t>(slot.took_ns),
              slot.ran_ns,
              EventCount{slot.count[0], slot.count[1], slot.count[2]},
              copies_at(index + 1)};
}

ThreadId SwitchCapture::last_replaced() const { return static_cast<ThreadId>(control().tid); }

std::optional<SwitchCapture::Switch> SwitchCapture::last_switch() const {
  const CaptureControl &now = control();
  const Switch last{now.number, static_cast<ThreadId>(now.tid), now.state == 0 || now.preempted != 0};
  return last.number != 0 && holds(last) ? std::optional(last) : std::nullopt;
}

bool SwitchCapture::holds(const Switch &last) const {
  CaptureControl &now = control();
  std::atomic_thread_fence(std::memory_order_acquire);
  return std::atomic_ref(now.standing_task).load() != 0 && std::atomic_ref(now.number).load() == last.number;
}

void SwitchCapture::discard_switch() { std::atomic_ref(control().standing_task).store(0); }

} // namespace awaitscope
