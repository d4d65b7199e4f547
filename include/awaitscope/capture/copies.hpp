#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "awaitscope/model/ids.hpp"

// What the kernel can be asked to copy of a thread's memory, and what it has copied.

namespace awaitscope {

/// A list in the target's memory, each record of which points at the next one. Offsets in bytes.
struct RecordList {
  ThreadId tid = 0;      ///< whose list it is
  Address root = 0;      ///< where the pointer to the first record is; 0: there is no list
  bool indirect = false; ///< rather that to something which has that pointer at `first`
  std::uint32_t first = 0;
  std::uint32_t next = 0; ///< in a record, where the pointer to the next one is; a null pointer ends the list
  std::uint32_t key = 0;  ///< and where the record's key is
  std::uint64_t key_mask = ~std::uint64_t{0};
  std::uint32_t size = 0; ///< of a record, as far as it is copied: at most Copies::k_longest_record
};

/// A word of the target's memory, as it was.
struct GuardedWord {
  Address address = 0;
  std::uint64_t mask = ~std::uint64_t{0};
  std::uint64_t value = 0; ///< of the bits in the mask
};

/// What was copied at one time. Points into memory that the kernel shares, and holds until something else is copied there.
struct Copies {
  static constexpr std::size_t k_max_ranges = 128;
  static constexpr std::size_t k_longest_range = 1024;  ///< bytes
  static constexpr std::size_t k_max_bytes = 32 * 1024; ///< of all ranges together
  static constexpr std::size_t k_longest_record = 248;  ///< bytes
  static constexpr std::size_t k_record_stride = 256;

  const std::byte *bytes = nullptr;        ///< the ranges of the request, one behind the other
  std::span<const std::uint8_t> failed;    ///< for each of them: 0 if it could be copied
  std::span<const Address> records;        ///< the addresses of the list's records, from the first one on
  const std::byte *record_bytes = nullptr; ///< k_record_stride bytes apart
  std::size_t record_size = 0;
};

} // namespace awaitscope
