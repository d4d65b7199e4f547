// Copies memory of a thread while it cannot run: when the sampler takes its CPU, and in the interrupt of a timer.
// What each program is for is said in awaitscope/capture/switch_capture.hpp.
//
// The verifier follows every branch of a program, in each round of a loop. So long loops are calls of bpf_loop(), and an index or a
// size is bounded by a mask that the compiler cannot prove to be superfluous.
#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "switch_capture.h"

#define READ_ONCE(field) (*(volatile typeof(field) *)&(field))
#define WRITE_ONCE(field, value) (*(volatile typeof(field) *)&(field) = (value))

const char k_license[] SEC("license") = "Dual MIT/GPL"; // what the helpers ask for that read memory

struct CaptureMemory memory; // no other variable: the map of .bss is this

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 4096);
} wakeups SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, __u32);
} counter SEC(".maps");

struct RangeCopy {
  struct CaptureSlot *slot;
  uint64_t offset; // in its bytes
};

static long copy_range(uint32_t index, void *context) {
  struct RangeCopy *copy = context;
  if (index >= memory.control.range_count || index >= k_max_ranges) {
    return 1;
  }
  const uint64_t size = memory.control.sizes[index] & (2 * k_longest_range - 1);
  const uint64_t offset = copy->offset & (k_max_bytes - 1);
  const void *from = (const void *)memory.control.addresses[index];
  copy->slot->failed[index] = bpf_probe_read_user(&copy->slot->bytes[offset], size, from) != 0;
  copy->offset = offset + size;
  return 0;
}

/// Copies the ranges that were requested, one behind the other.
static __always_inline void copy_ranges(struct CaptureSlot *slot) {
  struct RangeCopy copy = {slot, 0};
  bpf_loop(k_max_ranges, copy_range, &copy, 0);
}

static __always_inline int read_word(uint64_t address, uint64_t *word) {
  return bpf_probe_read_user(word, sizeof *word, (const void *)address);
}

static __always_inline int is_known(uint64_t key) {
  const uint64_t *bucket = memory.keys[bucket_of(key) & (k_buckets - 1)];
#pragma unroll
  for (int i = 0; i < k_bucket_size; ++i) {
    if (bucket[i] == key) {
      return 1;
    }
  }
  return 0;
}

enum Keys { ignore_keys, check_keys };

struct ListCopy {
  struct CaptureSlot *slot;
  uint64_t address; // of the next record
  uint64_t copied;
  uint64_t keys; // enum Keys
};

/// One more round than there is room for records: so that a list that just fits is known to end.
static long copy_record(uint32_t index, void *context) {
  const struct CaptureControl *control = &memory.control;
  struct ListCopy *list = context;
  struct CaptureSlot *slot = list->slot;
  if (list->address == 0) {
    slot->whole = 1;
    return 1;
  }
  if (index >= k_max_records) {
    return 1;
  }
  uint8_t *record = slot->record_bytes[index];
  slot->record_addresses[index] = list->address;
  if (bpf_probe_read_user(record, control->list_size & (k_record_stride - 1), (const void *)list->address) != 0) {
    return 1;
  }
  list->copied = index + 1;
  list->address = *(uint64_t *)(record + (control->list_next & (k_record_stride - 1)));
  const uint64_t key = *(uint64_t *)(record + (control->list_key & (k_record_stride - 1)));
  return list->keys == check_keys && !is_known(key & control->list_key_mask);
}

static __always_inline int first_record(uint64_t *address) {
  const struct CaptureControl *control = &memory.control;
  if (control->list_root == 0 || read_word(control->list_root, address) != 0) {
    return -1;
  }
  if (control->list_indirect == 0) {
    return 0;
  }
  return *address == 0 ? -1 : read_word(*address + control->list_first, address);
}

/// Copies the records of the list, from the first one on.
static __always_inline void copy_records(struct CaptureSlot *slot, enum Keys keys) {
  struct ListCopy list = {slot, 0, 0, keys};
  slot->whole = 0;
  if (first_record(&list.address) == 0) {
    bpf_loop(k_max_records + 1, copy_record, &list, 0);
  }
  slot->record_count = list.copied;
}

/// How long the followed thread runs.
static __always_inline void account(struct CaptureControl *control, uint64_t prev, uint64_t next) {
  if (control->followed_task == next) {
    control->on_cpu_since_ns = bpf_ktime_get_ns();
  } else if (control->followed_task == prev && control->on_cpu_since_ns != 0) {
    control->ran_ns += bpf_ktime_get_ns() - control->on_cpu_since_ns;
    control->on_cpu_since_ns = 0;
  }
}

/// The sampler comes to run: notes which thread it replaces, if that is one of the process, and copies its memory.
static __always_inline void capture_switch(struct CaptureControl *control, const uint64_t *switched) {
  struct CaptureSlot *slot = &memory.slots[0];
  const uint64_t prev = bpf_get_current_pid_tgid();
  if (prev >> 32 != control->process) {
    return;
  }
  control->tid = (uint32_t)prev;
  control->standing_task = control->followed_task = switched[1];
  control->state = switched[3];
  control->preempted = switched[0];
  control->number += 1;
  slot->ran_ns = control->ran_ns;
  copy_ranges(slot);
  slot->record_count = 0;
  if (control->tid == control->list_tid) {
    copy_records(slot, ignore_keys);
  }
}

/// include/trace/events/sched.h: preempt, prev, next, and since 5.18 prev_state.
SEC("raw_tp/sched_switch")
int at_switch(struct bpf_raw_tracepoint_args *context) {
  struct CaptureControl *control = &memory.control;
  const uint64_t prev = context->args[1];
  const uint64_t next = context->args[2];
  if (control->standing_task == next || control->sampler_task == prev) {
    control->standing_task = 0;
  }
  account(control, prev, next);
  if (control->sampler_task == next) {
    const uint64_t switched[] = {context->args[0], prev, next, context->args[3]};
    capture_switch(control, switched);
  } else if (control->sampler_task == 0 && control->sampler_tid != 0 &&
             (uint32_t)bpf_get_current_pid_tgid() == control->sampler_tid) {
    control->sampler_task = prev; // the tracepoint is passed by the thread that leaves
  }
  return 0;
}

/// Is every guarded word what it was?
static __always_inline int guards_hold(const struct CaptureControl *control) {
  for (uint32_t i = 0; i < k_max_guards && i < control->guard_count; ++i) {
    uint64_t word = 0;
    if (read_word(control->guard_addresses[i], &word) != 0 ||
        (word & control->guard_masks[i]) != control->guard_values[i]) {
      return 0;
    }
  }
  return 1;
}

/// Copies memory of the followed thread, which the timer has interrupted. Not 0 if that is certain to be all that a sample needs.
static __always_inline int capture_tick(const struct CaptureControl *control, struct CaptureSlot *slot) {
  if (bpf_get_current_task() != control->followed_task || control->on_cpu_since_ns == 0) {
    return 0;
  }
  slot->ran_ns = control->ran_ns + (slot->time_ns - control->on_cpu_since_ns);
  if (control->counts != 0 &&
      bpf_perf_event_read_value(&counter, 0, (struct bpf_perf_event_value *)slot->count, sizeof slot->count) != 0) {
    return 0;
  }
  if (!guards_hold(control)) {
    return 0;
  }
  copy_ranges(slot);
  copy_records(slot, check_keys);
  return slot->whole != 0;
}

/// What is used of the kernel's; libbpf finds out where it is there.
struct task_struct {
  int pid;
  int tgid;
} __attribute__((preserve_access_index));

SEC("raw_tp/sched_waking")
int at_waking(struct bpf_raw_tracepoint_args *context) {
  const struct task_struct *woken = (const struct task_struct *)context->args[0];
  if ((uint32_t)BPF_CORE_READ(woken, tgid) == memory.control.process) {
    __sync_fetch_and_add(&memory.wakings[BPF_CORE_READ(woken, pid) & (k_waking_counts - 1)], 1);
  }
  return 0;
}

SEC("raw_tp/hrtimer_expire_entry")
int at_timer(void *context) {
  struct CaptureControl *control = &memory.control;
  if (READ_ONCE(control->armed) == 0) {
    return 0;
  }
  const uint64_t now = bpf_ktime_get_ns();
  const uint64_t tick = READ_ONCE(control->next_tick);
  if (tick >= READ_ONCE(control->armed) || tick >= k_max_ticks || control->due_ns[tick] > now) {
    return 0;
  }
  if (__sync_val_compare_and_swap(&control->next_tick, tick, tick + 1) != tick) {
    return 0; // another CPU was here as well
  }
  struct CaptureSlot *slot = &memory.slots[1 + tick];
  slot->time_ns = now;
  if (capture_tick(control, slot)) {
    slot->took_ns = bpf_ktime_get_ns() - now;
    WRITE_ONCE(slot->state, k_tick_captured);
  } else {
    WRITE_ONCE(slot->state, k_tick_needs_sampler);
    bpf_ringbuf_output(&wakeups, slot, sizeof slot->time_ns, BPF_RB_FORCE_WAKEUP);
  }
  return 0;
}
