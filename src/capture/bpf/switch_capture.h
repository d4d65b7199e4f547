#pragma once

#include <stdint.h> // NOLINT: C as well

// What the BPF programs and the sampler share: one value, mapped by both. Zero at first.

#ifdef __cplusplus
namespace awaitscope::capture {
#endif

enum {
  k_max_ranges = 128,
  k_longest_range = 1024, // bytes
  k_max_bytes = 32768,    // of all ranges together
  k_max_records = 256,
  k_record_stride = 256, // bytes
  k_max_ticks = 8,
  k_max_guards = 8,
  k_bucket_bits = 8,
  k_buckets = 1 << k_bucket_bits,
  k_bucket_size = 8,    // keys: one cache line
  k_waking_counts = 1024, // a power of 2
};

// NOLINTBEGIN: C

/// The table of known keys: each is anywhere in its bucket. 0 is no key.
static inline uint64_t bucket_of(uint64_t key) {
  const uint64_t golden = 0x9E3779B1; // 2^32 over the golden ratio: spreads keys over the table
  return ((key * golden) & 0xFFFFFFFF) >> (32 - k_bucket_bits);
}

struct CaptureControl {
  // What each switch and each waking reads is in a cache line that is seldom written. Tasks are the kernel's addresses of threads.
  uint64_t sampler_task;  // 0 until the sampler first leaves a CPU
  uint64_t standing_task; // the thread that the sampler replaced on its CPU; 0 once either of them was switched
  uint64_t followed_task; // the same, also when it has run again
  uint32_t armed;         // how many ticks the programs sample, those that are over included
  uint32_t process;
  uint32_t unused[8];

  uint64_t number; // how often the sampler replaced a thread of the process
  uint64_t state;  // of that thread: 0 is runnable
  uint64_t preempted; // it was, whatever it was about to do
  uint32_t tid;
  uint32_t sampler_tid;
  uint32_t range_count;
  uint32_t unused_too;
  uint64_t on_cpu_since_ns; // when the followed thread came to run; 0: it does not
  uint64_t ran_ns;          // how long it did before that
  uint64_t next_tick;
  uint64_t due_ns[k_max_ticks];

  // The list of records: RecordList.
  uint64_t list_root;
  uint64_t list_first;
  uint64_t list_indirect;
  uint64_t list_next;
  uint64_t list_key;
  uint64_t list_key_mask;
  uint64_t list_size;
  uint64_t list_tid;

  uint64_t counts; // not 0: the perf event of the followed thread is read
  uint64_t guard_count;
  uint64_t guard_addresses[k_max_guards];
  uint64_t guard_masks[k_max_guards];
  uint64_t guard_values[k_max_guards];
  uint64_t addresses[k_max_ranges];
  uint32_t sizes[k_max_ranges];
} __attribute__((aligned(64)));

enum TickState { k_tick_pending = 0, k_tick_captured = 1, k_tick_needs_sampler = 2 };

/// What was copied at one time.
struct CaptureSlot {
  uint64_t time_ns;
  uint64_t took_ns;
  uint64_t ran_ns; // of CaptureControl, as of this time
  uint32_t state;  // TickState
  uint32_t record_count;
  uint64_t whole;    // all records were copied, and their keys are known if that was asked
  uint64_t count[3]; // counted, enabled and running, as perf has them
  uint8_t failed[k_max_ranges]; // 0: the range was copied
  uint64_t record_addresses[k_max_records];
  uint8_t record_bytes[k_max_records][k_record_stride];
  uint8_t bytes[k_max_bytes + 2 * k_longest_range];
};

struct CaptureMemory {
  struct CaptureControl control;
  uint64_t keys[k_buckets][k_bucket_size];
  uint32_t wakings[k_waking_counts]; // of threads of the process, by the last bits of their numbers
  struct CaptureSlot slots[1 + k_max_ticks]; // the first one for what is copied at switches, the others for ticks
};

// NOLINTEND

#ifdef __cplusplus
} // namespace awaitscope::capture
#endif
