#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "awaitscope/process/bpf_program.hpp"
#include "awaitscope/process/switch_capture.hpp"

namespace awaitscope::capture {

constexpr std::size_t k_most_ranges = SwitchCapture::k_most_ranges;
constexpr std::size_t k_longest = SwitchCapture::k_longest;
constexpr std::size_t k_most_bytes = SwitchCapture::k_most_bytes;
constexpr std::size_t k_most_records = SwitchCapture::k_most_records;
constexpr std::size_t k_record = SwitchCapture::k_record_stride;
constexpr std::size_t k_most_moments = SwitchCapture::k_most_ahead;
constexpr std::size_t k_most_guards = SwitchCapture::k_most_guards;

/// The table of known keys: each is anywhere in its bucket, which is one cache line. 0 is no key.
constexpr unsigned k_bucket_bits = 8;
constexpr std::size_t k_bucket = 8;         ///< keys
constexpr std::uint64_t k_mix = 0x9E3779B1; ///< spreads keys over the table: 2^32 over the golden ratio
constexpr std::size_t bucket_of(std::uint64_t key) {
  return static_cast<std::size_t>((key * k_mix & 0xFFFFFFFF) >> (32 - k_bucket_bits));
}

/// What the programs and the sampler tell each other.
struct Shared {
  std::uint64_t sampler_task =
      0; ///< the kernel's address of the sampler's thread, learnt when it first lets go of a CPU
  std::uint64_t taken_from =
      0;                      ///< and of the thread that it took the CPU from last; 0 once either of them was switched
  std::uint64_t followed = 0; ///< the same, also when it has run again
  std::uint32_t armed = 0;    ///< how many moments are to come, those that were there included
  std::array<std::uint64_t, 4> apart{}; ///< what each switch reads is in a cache line that is seldom written
  std::uint64_t number = 0;             ///< how often it took a CPU from a thread
  std::uint64_t state = 0;              ///< of that thread: 0 is runnable
  std::uint64_t preempted = 0;          ///< it was, whatever it was about to do
  std::uint32_t tid = 0;
  std::uint32_t sampler_tid = 0;
  std::uint32_t process = 0;
  std::uint32_t requested = 0;
  std::uint64_t on_since_ns = 0; ///< when the followed thread came to run; 0: it does not
  std::uint64_t ran_ns = 0;      ///< how long it did before that
  std::uint64_t next_moment = 0;
  std::array<std::uint64_t, k_most_moments> due_ns{};
  // The list of records: RecordList.
  std::uint64_t list_root = 0;
  std::uint64_t list_first = 0;
  std::uint64_t list_indirect = 0;
  std::uint64_t list_next = 0;
  std::uint64_t list_key = 0;
  std::uint64_t list_key_mask = 0;
  std::uint64_t list_size = 0;
  std::uint64_t list_tid = 0; ///< whose it is
  std::uint64_t counts = 0;   ///< not 0: the counter in Memories::counter is read
  std::uint64_t guards = 0;
  std::array<std::uint64_t, k_most_guards> guard_addresses{};
  std::array<std::uint64_t, k_most_guards> guard_masks{};
  std::array<std::uint64_t, k_most_guards> guard_values{};
  std::array<std::uint64_t, k_most_ranges> addresses{};
  std::array<std::uint32_t, k_most_ranges> sizes{};
};

enum class MomentState : std::uint32_t { empty = 0, captured = 1, asks = 2 };

/// What was copied at one moment.
struct Slot {
  std::uint64_t time_ns = 0;
  std::uint64_t took_ns = 0;
  std::uint64_t ran_ns = 0; ///< of Shared, as of this moment
  std::uint32_t state = 0;  ///< MomentState
  std::uint32_t records = 0;
  std::uint64_t whole = 0;                          ///< all records were copied
  std::uint64_t unknown = 0;                        ///< not 0: the key of one of them is not known
  std::uint64_t word = 0;                           ///< scratch
  std::array<std::uint64_t, 3> count{};             ///< counted, enabled and running, as perf tells them
  std::array<std::uint8_t, k_most_ranges> failed{}; ///< 0: the range was copied
  std::array<std::uint64_t, k_most_records> record_addresses{};
  std::array<std::byte, k_most_records * k_record> record_bytes{};
  std::array<std::byte, k_most_bytes + 2 * k_longest> bytes{};
};

/// The memory of both programs.
struct Memories {
  const BpfMemory &shared; ///< Shared
  const BpfMemory &slots;  ///< the first one for what is copied when the sampler comes, the others for moments
  const BpfMemory &keys;   ///< std::uint64_t, by bucket_of()
  int counter = -1;        ///< a map of one perf event of the followed thread
};

/// To be attached to the tracepoint sched_switch.
BpfProgram at_switch(const Memories &memories);

/// To be attached to the tracepoint hrtimer_expire_entry: `ring` wakes the sampler.
BpfProgram at_timer(const Memories &memories, int ring);

} // namespace awaitscope::capture
