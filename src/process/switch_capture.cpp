#include "awaitscope/process/switch_capture.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>

#include <sys/stat.h>
#include <sys/utsname.h>

namespace awaitscope {
namespace {

constexpr std::size_t k_most_ranges = SwitchCapture::k_most_ranges;
constexpr std::size_t k_longest = SwitchCapture::k_longest;

// What the tracepoint hands over (include/trace/events/sched.h, sched_switch): preempt, prev, next, and since 5.18 prev_state.
constexpr std::size_t k_preempt = 0;
constexpr std::size_t k_prev = 8;
constexpr std::size_t k_next = 16;
constexpr std::size_t k_prev_state = 24;

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

/// What the program and the sampler tell each other.
struct SwitchCapture::Shared {
  std::uint64_t sampler_task =
      0;                        ///< the kernel's address of the sampler's thread, learnt when it first lets go of a CPU
  std::uint64_t taken_from = 0; ///< and of the thread that it took the CPU from last; 0 once that has run again
  std::array<std::uint64_t, 6> apart{}; ///< what each switch reads is in a cache line that is seldom written
  std::uint64_t number = 0;             ///< how often it did
  std::uint64_t state = 0;              ///< of that thread: 0 is runnable
  std::uint64_t preempted = 0;          ///< it was, whatever it was about to do
  std::uint32_t tid = 0;
  std::uint32_t sampler_tid = 0;
  std::uint32_t process = 0;
  std::uint32_t requested = 0;
  std::array<std::uint64_t, k_most_ranges> addresses{};
  std::array<std::uint32_t, k_most_ranges> sizes{};
  std::array<std::uint8_t, k_most_ranges> copied{};
};

SwitchCapture::SwitchCapture(ThreadId process, ThreadId sampler)
    : process_(process), control_(sizeof(Shared)), copies_(k_most_ranges * k_longest) {
  if (control_.data() == nullptr || copies_.data() == nullptr) {
    return;
  }
  shared().sampler_tid = static_cast<std::uint32_t>(sampler);
  shared().process = static_cast<std::uint32_t>(process);
  attached_ = program().attach_to_tracepoint("sched_switch");
}

std::unique_ptr<SwitchCapture> SwitchCapture::open(ThreadId process, ThreadId sampler) {
  if (!tells_state() || !in_first_namespace()) {
    return nullptr;
  }
  std::unique_ptr<SwitchCapture> capture(new SwitchCapture(process, sampler)); // NOLINT: the constructor is private
  return capture->attached_.valid() ? std::move(capture) : nullptr;
}

SwitchCapture::Shared &SwitchCapture::shared() const {
  return *reinterpret_cast<Shared *>(control_.data()); // NOLINT: the kernel's memory, which the program knows as this
}

namespace {

using P = BpfProgram;
using Size = BpfProgram::Size;
constexpr auto k_context = P::r6;
constexpr auto k_index = P::r6; // once the context is read
constexpr auto k_shared = P::r7;
constexpr auto k_next_task = P::r8;
constexpr auto k_to = P::r9;

P::Place field(std::size_t offset) { return {k_shared, offset}; }

/// r1 = the shared memory + (index << bits).
void point_at_entry(P &p, std::int32_t bits) {
  p.set(P::r1, k_index);
  p.shift_left(P::r1, bits);
  p.add(P::r1, k_shared);
}

} // namespace

/// Learns the sampler's task, from its number.
void SwitchCapture::emit_introduction(P &p, P::Label end) {
  p.call(BPF_FUNC_get_current_pid_tgid);
  p.shift_left(P::r0, 32);
  p.shift_right(P::r0, 32);
  p.load(P::r1, field(offsetof(Shared, sampler_tid)), Size::word);
  p.jump_unless_equal(P::r0, P::r1, end);
  p.load(P::r1, {k_context, k_prev});
  p.store(field(offsetof(Shared, sampler_task)), P::r1);
  p.jump(end);
}

/// Notes whom the CPU was taken from, if that is a thread of the process.
void SwitchCapture::emit_moment(P &p, P::Label end) {
  p.call(BPF_FUNC_get_current_pid_tgid);
  p.set(P::r1, P::r0);
  p.shift_right(P::r1, 32);
  p.load(P::r2, field(offsetof(Shared, process)), Size::word);
  p.jump_unless_equal(P::r1, P::r2, end);
  p.store(field(offsetof(Shared, tid)), P::r0, Size::word);
  p.load(P::r1, {k_context, k_prev});
  p.store(field(offsetof(Shared, taken_from)), P::r1);
  p.load(P::r1, {k_context, k_prev_state});
  p.store(field(offsetof(Shared, state)), P::r1);
  p.load(P::r1, {k_context, k_preempt});
  p.store(field(offsetof(Shared, preempted)), P::r1);
  p.load(P::r1, field(offsetof(Shared, number)));
  p.add(P::r1, 1);
  p.store(field(offsetof(Shared, number)), P::r1);
}

void SwitchCapture::emit_copies(P &p) {
  const P::Label next = p.label();
  const P::Label could = p.label();
  const P::Label done = p.label();
  p.set(k_index, 0);
  p.bind(next);
  p.load(P::r1, field(offsetof(Shared, requested)), Size::word);
  p.jump_unless_less(k_index, P::r1, done);
  p.jump_unless_less(k_index, static_cast<std::int32_t>(k_most_ranges), done);
  point_at_entry(p, 2);
  p.load(P::r2, {P::r1, offsetof(Shared, sizes)}, Size::word);
  p.jump_if_more(P::r2, static_cast<std::int32_t>(k_longest), done);
  point_at_entry(p, 3);
  p.load(P::r3, {P::r1, offsetof(Shared, addresses)});
  p.set(P::r1, k_to);
  p.call(BPF_FUNC_probe_read_user);
  p.set(P::r2, 1);
  p.jump_if_equal(P::r0, 0, could);
  p.set(P::r2, 0);
  p.bind(could);
  point_at_entry(p, 0);
  p.store({P::r1, offsetof(Shared, copied)}, P::r2, Size::byte);
  p.add(k_to, static_cast<std::int32_t>(k_longest));
  p.add(k_index, 1);
  p.jump(next);
  p.bind(done);
}

BpfProgram SwitchCapture::program() const {
  P p;
  const P::Label not_again = p.label();
  const P::Label take = p.label();
  const P::Label end = p.label();
  p.set(k_context, P::r1);
  p.set_address(k_shared, control_);
  p.load(k_next_task, {k_context, k_next});
  p.load(P::r1, field(offsetof(Shared, taken_from)));
  p.jump_unless_equal(P::r1, k_next_task, not_again);
  p.store(field(offsetof(Shared, taken_from)), 0);
  p.bind(not_again);
  p.load(P::r1, field(offsetof(Shared, sampler_task)));
  p.jump_if_equal(P::r1, k_next_task, take);
  p.jump_unless_equal(P::r1, 0, end);
  emit_introduction(p, end);
  p.bind(take);
  emit_moment(p, end);
  p.set_address(k_to, copies_);
  emit_copies(p);
  p.bind(end);
  p.set(P::r0, 0);
  p.exit();
  return p;
}

void SwitchCapture::request(std::span<const RemoteRange> ranges) {
  Shared &to = shared();
  const std::size_t count = std::min(ranges.size(), k_most_ranges);
  for (std::size_t i = 0; i < count; ++i) {
    to.addresses[i] = ranges[i].address;
    to.sizes[i] = static_cast<std::uint32_t>(ranges[i].size);
    to.copied[i] = 0;
  }
  to.requested = static_cast<std::uint32_t>(count);
}

bool SwitchCapture::copied(std::size_t index) const {
  return index < shared().requested && shared().copied[index] != 0;
}

std::optional<SwitchCapture::Moment> SwitchCapture::moment() const {
  const Shared &now = shared();
  const Moment moment{now.number, static_cast<ThreadId>(now.tid), now.state == 0 || now.preempted != 0};
  return moment.number != 0 && stands(moment) ? std::optional(moment) : std::nullopt;
}

bool SwitchCapture::stands(const Moment &moment) const {
  Shared &now = shared();
  std::atomic_thread_fence(std::memory_order_acquire);
  return std::atomic_ref(now.taken_from).load() != 0 && std::atomic_ref(now.number).load() == moment.number;
}

} // namespace awaitscope
