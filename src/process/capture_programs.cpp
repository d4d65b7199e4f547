#include "capture_programs.hpp"

namespace awaitscope::capture {
namespace {

using P = BpfProgram;
using Size = BpfProgram::Size;

// What the tracepoint hands over (include/trace/events/sched.h, sched_switch): preempt, prev, next, and since 5.18 prev_state.
constexpr std::size_t k_preempt = 0;
constexpr std::size_t k_prev = 8;
constexpr std::size_t k_next = 16;
constexpr std::size_t k_prev_state = 24;

// Registers that calls leave alone.
constexpr auto k_context = P::r6;
constexpr auto k_index = P::r6; // once the context is read
constexpr auto k_shared = P::r7;
constexpr auto k_next_task = P::r8;
constexpr auto k_slot = P::r8; // once the next task is known
constexpr auto k_at = P::r9;

// The kernel follows every branch of a program before it accepts it, in each round of a loop: bounds are kept by masks instead.
constexpr std::int32_t k_range_mask = 2 * static_cast<std::int32_t>(k_longest) - 1;
constexpr std::int32_t k_record_mask = static_cast<std::int32_t>(k_record) - 1;

P::Place field(std::size_t offset) { return {k_shared, offset}; }
P::Place slot_field(std::size_t offset) { return {k_slot, offset}; }

/// r1 = base + (index << bits).
void point_at_entry(P &p, P::Register base, std::int32_t bits) {
  p.set(P::r1, k_index);
  p.shift_left(P::r1, bits);
  p.add(P::r1, base);
}

/// So that the kernel sees that the index stays inside.
void end_unless_below(P &p, std::size_t limit, P::Label end) {
  p.jump_unless_less(k_index, static_cast<std::int32_t>(limit), end);
}

/// r2 = the size of the range.
void load_size(P &p) {
  point_at_entry(p, k_shared, 2);
  p.load(P::r2, {P::r1, offsetof(Shared, sizes)}, Size::word);
  p.mask(P::r2, k_range_mask);
}

/// Copies the ranges that were requested, one behind the other.
void emit_ranges(P &p) {
  const P::Label next = p.label();
  const P::Label done = p.label();
  p.set(k_index, 0);
  p.set(k_at, 0); // in Slot::bytes
  p.bind(next);
  p.load(P::r1, field(offsetof(Shared, requested)), Size::word);
  p.jump_unless_less(k_index, P::r1, done);
  end_unless_below(p, k_most_ranges, done);
  load_size(p);
  point_at_entry(p, k_shared, 3);
  p.load(P::r3, {P::r1, offsetof(Shared, addresses)});
  p.set(P::r1, k_slot);
  p.add(P::r1, k_at);
  p.add(P::r1, static_cast<std::int32_t>(offsetof(Slot, bytes)));
  p.call(BPF_FUNC_probe_read_user);
  point_at_entry(p, k_slot, 0);
  p.store({P::r1, offsetof(Slot, failed)}, P::r0, Size::byte); // an error number
  load_size(p);
  p.add(k_at, P::r2);
  p.mask(k_at, static_cast<std::int32_t>(k_most_bytes) - 1);
  p.add(k_index, 1);
  p.jump(next);
  p.bind(done);
}

/// r1 = where the record's bytes are in the slot.
void point_at_record(P &p) {
  static_assert(k_record == 128);
  point_at_entry(p, k_slot, 7);
  p.add(P::r1, static_cast<std::int32_t>(offsetof(Slot, record_bytes)));
}

/// Reads the pointer at k_at to there.
void emit_follow(P &p, P::Label end) {
  p.set(P::r1, k_slot);
  p.add(P::r1, static_cast<std::int32_t>(offsetof(Slot, word)));
  p.set(P::r2, sizeof(std::uint64_t));
  p.set(P::r3, k_at);
  p.call(BPF_FUNC_probe_read_user);
  p.jump_unless_equal(P::r0, 0, end);
  p.load(k_at, slot_field(offsetof(Slot, word)));
}

/// Counts the record whose bytes r1 points at if its key is not known.
void emit_key(P &p, const Memories &memories) {
  p.load(P::r2, field(offsetof(Shared, list_key)));
  p.mask(P::r2, k_record_mask);
  p.add(P::r1, P::r2);
  p.load(P::r2, {P::r1, 0});
  p.load(P::r3, field(offsetof(Shared, list_key_mask)));
  p.mask(P::r2, P::r3);
  p.set(P::r3, P::r2);
  p.set_wide(P::r4, k_mix);
  p.multiply(P::r3, P::r4);
  p.shift_left(P::r3, 32);
  p.shift_right(P::r3, 64 - static_cast<std::int32_t>(k_bucket_bits));
  static_assert(k_bucket == 8);
  p.shift_left(P::r3, 6); // 8 keys of 8 bytes
  p.set_address(P::r5, memories.keys);
  p.add(P::r5, P::r3);
  p.set(P::r1, -static_cast<std::int32_t>(k_bucket - 1));
  for (std::size_t i = 0; i < k_bucket; ++i) { // r1 += this one is another
    p.load(P::r3, {P::r5, i * sizeof(std::uint64_t)});
    p.change(P::r3, P::r2);
    p.set(P::r4, P::r3);
    p.negate(P::r4);
    p.merge(P::r3, P::r4);
    p.shift_right(P::r3, 63);
    p.add(P::r1, P::r3);
  }
  p.load(P::r2, slot_field(offsetof(Slot, unknown))); // r1 is 1, or no more than 0 if it is there
  p.negate(P::r1);
  p.shift_right(P::r1, 63);
  p.merge(P::r2, P::r1);
  p.store(slot_field(offsetof(Slot, unknown)), P::r2);
}

enum class Keys : std::uint8_t { ignore, check };

/// Copies the records of the list, from the first one on.
void emit_records(P &p, const Memories &memories, Keys keys) {
  const P::Label direct = p.label();
  const P::Label next = p.label();
  const P::Label more = p.label();
  const P::Label done = p.label();
  p.store(slot_field(offsetof(Slot, whole)), 0);
  p.store(slot_field(offsetof(Slot, unknown)), 0);
  p.set(k_index, 0);
  p.load(k_at, field(offsetof(Shared, list_root)));
  p.jump_if_equal(k_at, 0, done);
  emit_follow(p, done);
  p.load(P::r1, field(offsetof(Shared, list_indirect)));
  p.jump_if_equal(P::r1, 0, direct);
  p.jump_if_equal(k_at, 0, done);
  p.load(P::r1, field(offsetof(Shared, list_first)));
  p.add(k_at, P::r1);
  emit_follow(p, done);
  p.bind(direct);
  p.bind(next);
  p.jump_unless_equal(k_at, 0, more);
  p.store(slot_field(offsetof(Slot, whole)), 1);
  p.jump(done);
  p.bind(more);
  end_unless_below(p, k_most_records, done);
  point_at_entry(p, k_slot, 3);
  p.store({P::r1, offsetof(Slot, record_addresses)}, k_at);
  point_at_record(p);
  p.load(P::r2, field(offsetof(Shared, list_size)));
  p.mask(P::r2, k_record_mask);
  p.set(P::r3, k_at);
  p.call(BPF_FUNC_probe_read_user);
  p.jump_unless_equal(P::r0, 0, done);
  point_at_record(p);
  p.load(P::r2, field(offsetof(Shared, list_next)));
  p.mask(P::r2, k_record_mask);
  p.add(P::r2, P::r1);
  p.load(k_at, {P::r2, 0});
  if (keys == Keys::check) {
    emit_key(p, memories);
  }
  p.add(k_index, 1);
  p.jump(next);
  p.bind(done);
  p.store(slot_field(offsetof(Slot, records)), k_index, Size::word);
}

/// Learns the sampler's task, from its number.
void emit_introduction(P &p, P::Label end) {
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
void emit_moment(P &p, P::Label end) {
  p.call(BPF_FUNC_get_current_pid_tgid);
  p.set(P::r1, P::r0);
  p.shift_right(P::r1, 32);
  p.load(P::r2, field(offsetof(Shared, process)), Size::word);
  p.jump_unless_equal(P::r1, P::r2, end);
  p.store(field(offsetof(Shared, tid)), P::r0, Size::word);
  p.load(P::r1, {k_context, k_prev});
  p.store(field(offsetof(Shared, taken_from)), P::r1);
  p.store(field(offsetof(Shared, followed)), P::r1);
  p.load(P::r1, {k_context, k_prev_state});
  p.store(field(offsetof(Shared, state)), P::r1);
  p.load(P::r1, {k_context, k_preempt});
  p.store(field(offsetof(Shared, preempted)), P::r1);
  p.load(P::r1, field(offsetof(Shared, number)));
  p.add(P::r1, 1);
  p.store(field(offsetof(Shared, number)), P::r1);
}

/// How long the followed thread runs.
void emit_account(P &p) {
  const P::Label comes = p.label();
  const P::Label done = p.label();
  p.load(P::r1, field(offsetof(Shared, followed)));
  p.jump_if_equal(P::r1, k_next_task, comes);
  p.load(P::r2, {k_context, k_prev});
  p.jump_unless_equal(P::r1, P::r2, done);
  p.load(k_at, field(offsetof(Shared, on_since_ns)));
  p.jump_if_equal(k_at, 0, done);
  p.call(BPF_FUNC_ktime_get_ns);
  p.subtract(P::r0, k_at);
  p.load(P::r1, field(offsetof(Shared, ran_ns)));
  p.add(P::r0, P::r1);
  p.store(field(offsetof(Shared, ran_ns)), P::r0);
  p.store(field(offsetof(Shared, on_since_ns)), 0);
  p.jump(done);
  p.bind(comes);
  p.call(BPF_FUNC_ktime_get_ns);
  p.store(field(offsetof(Shared, on_since_ns)), P::r0);
  p.bind(done);
}

/// Goes on only if every guarded word is what it was.
void emit_guards(P &p, P::Label otherwise) {
  const P::Label next = p.label();
  const P::Label done = p.label();
  p.set(k_index, 0);
  p.bind(next);
  p.load(P::r1, field(offsetof(Shared, guards)));
  p.jump_unless_less(k_index, P::r1, done);
  end_unless_below(p, k_most_guards, done);
  point_at_entry(p, k_shared, 3);
  p.load(k_at, {P::r1, offsetof(Shared, guard_addresses)});
  emit_follow(p, otherwise);
  point_at_entry(p, k_shared, 3);
  p.load(P::r2, {P::r1, offsetof(Shared, guard_masks)});
  p.mask(k_at, P::r2);
  p.load(P::r1, {P::r1, offsetof(Shared, guard_values)});
  p.jump_unless_equal(P::r1, k_at, otherwise);
  p.add(k_index, 1);
  p.jump(next);
  p.bind(done);
}

/// Reads the counter of the followed thread, if that has one.
void emit_count(P &p, const Memories &memories, P::Label otherwise) {
  const P::Label done = p.label();
  p.load(P::r1, field(offsetof(Shared, counts)));
  p.jump_if_equal(P::r1, 0, done);
  p.set_map(P::r1, memories.counter);
  p.set(P::r2, 0);
  p.set(P::r3, k_slot);
  p.add(P::r3, static_cast<std::int32_t>(offsetof(Slot, count)));
  p.set(P::r4, sizeof Slot::count);
  p.call(BPF_FUNC_perf_event_read_value);
  p.jump_unless_equal(P::r0, 0, otherwise);
  p.bind(done);
}

} // namespace

BpfProgram at_switch(const Memories &memories) {
  P p;
  const P::Label not_again = p.label();
  const P::Label not_let_go = p.label();
  const P::Label take = p.label();
  const P::Label end = p.label();
  p.set(k_context, P::r1);
  p.set_address(k_shared, memories.shared);
  p.load(k_next_task, {k_context, k_next});
  p.load(P::r1, field(offsetof(Shared, taken_from)));
  p.jump_unless_equal(P::r1, k_next_task, not_again);
  p.store(field(offsetof(Shared, taken_from)), 0);
  p.bind(not_again);
  p.load(P::r1, field(offsetof(Shared, sampler_task)));
  p.load(P::r2, {k_context, k_prev});
  p.jump_unless_equal(P::r1, P::r2, not_let_go);
  p.store(field(offsetof(Shared, taken_from)), 0);
  p.bind(not_let_go);
  emit_account(p);
  p.load(P::r1, field(offsetof(Shared, sampler_task)));
  p.jump_if_equal(P::r1, k_next_task, take);
  p.jump_unless_equal(P::r1, 0, end);
  emit_introduction(p, end);
  p.bind(take);
  emit_moment(p, end);
  p.set_address(k_slot, memories.slots);
  p.load(P::r1, field(offsetof(Shared, ran_ns)));
  p.store(slot_field(offsetof(Slot, ran_ns)), P::r1);
  emit_ranges(p);
  p.store(slot_field(offsetof(Slot, records)), 0, Size::word);
  p.load(P::r1, field(offsetof(Shared, tid)), Size::word);
  p.load(P::r2, field(offsetof(Shared, list_tid)));
  p.jump_unless_equal(P::r1, P::r2, end);
  emit_records(p, memories, Keys::ignore);
  p.bind(end);
  p.set(P::r0, 0);
  p.exit();
  return p;
}

BpfProgram at_timer(const Memories &memories, int ring) {
  P p;
  const P::Label asks = p.label();
  const P::Label end = p.label();
  p.set_address(k_shared, memories.shared);
  p.load(P::r1, field(offsetof(Shared, armed)), Size::word);
  p.jump_if_equal(P::r1, 0, end);
  p.call(BPF_FUNC_ktime_get_ns);
  p.set(k_at, P::r0);
  p.load(k_index, field(offsetof(Shared, next_moment)));
  p.load(P::r1, field(offsetof(Shared, armed)), Size::word);
  p.jump_unless_less(k_index, P::r1, end);
  end_unless_below(p, k_most_moments, end);
  point_at_entry(p, k_shared, 3);
  p.load(P::r1, {P::r1, offsetof(Shared, due_ns)});
  p.jump_if_more(P::r1, k_at, end);
  p.set(P::r0, k_index); // another CPU may be here as well
  p.set(P::r1, k_index);
  p.add(P::r1, 1);
  p.compare_exchange(field(offsetof(Shared, next_moment)), P::r1);
  p.jump_unless_equal(P::r0, k_index, end);
  p.set_address(k_slot, memories.slots);
  p.set(P::r1, k_index);
  p.add(P::r1, 1);
  p.multiply(P::r1, static_cast<std::int32_t>(sizeof(Slot)));
  p.add(k_slot, P::r1);
  p.store(slot_field(offsetof(Slot, time_ns)), k_at);
  p.call(BPF_FUNC_get_current_task);
  p.load(P::r1, field(offsetof(Shared, followed)));
  p.jump_unless_equal(P::r0, P::r1, asks);
  p.load(P::r1, field(offsetof(Shared, on_since_ns)));
  p.jump_if_equal(P::r1, 0, asks);
  p.subtract(k_at, P::r1);
  p.load(P::r1, field(offsetof(Shared, ran_ns)));
  p.add(k_at, P::r1);
  p.store(slot_field(offsetof(Slot, ran_ns)), k_at);
  emit_count(p, memories, asks);
  emit_guards(p, asks);
  emit_ranges(p);
  emit_records(p, memories, Keys::check);
  p.load(P::r1, slot_field(offsetof(Slot, whole)));
  p.jump_if_equal(P::r1, 0, asks);
  p.load(P::r1, slot_field(offsetof(Slot, unknown)));
  p.jump_unless_equal(P::r1, 0, asks);
  p.call(BPF_FUNC_ktime_get_ns);
  p.load(P::r1, slot_field(offsetof(Slot, time_ns)));
  p.subtract(P::r0, P::r1);
  p.store(slot_field(offsetof(Slot, took_ns)), P::r0);
  p.store(slot_field(offsetof(Slot, state)), static_cast<std::int32_t>(MomentState::captured), Size::word);
  p.jump(end);
  p.bind(asks);
  p.store(slot_field(offsetof(Slot, state)), static_cast<std::int32_t>(MomentState::asks), Size::word);
  p.set_map(P::r1, ring);
  p.set(P::r2, k_slot);
  p.set(P::r3, sizeof(std::uint64_t));
  p.set(P::r4, BPF_RB_FORCE_WAKEUP);
  p.call(BPF_FUNC_ringbuf_output);
  p.bind(end);
  p.set(P::r0, 0);
  p.exit();
  return p;
}

} // namespace awaitscope::capture
