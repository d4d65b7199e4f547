/// The part of SnapshotMemory that begins with what the kernel has copied.
#include <algorithm>

#include "awaitscope/capture/snapshot_memory.hpp"
#include "user_space.hpp"

namespace awaitscope {

std::span<const RemoteRange> SnapshotMemory::expect() {
  static_assert(k_block_size <= Copies::k_longest_range);
  if (chosen_ && calls_ == calls_at_begin_) {
    return request_; // nothing was read since
  }
  choose(Prefetch::likely);
  requested_ = wanted_;
  request_.clear();
  for (const std::uint64_t number : requested_) {
    const Extent used = slot_of(number).used;
    request_.push_back({(number << k_block_bits) + used.from, std::size_t{used.to} - used.from});
  }
  chosen_ = true;
  return request_;
}

ReadStatus SnapshotMemory::begin(const Copies &copies, Beyond beyond) {
  if (!chosen_ || calls_ != calls_at_begin_) {
    start();
  }
  chosen_ = false;
  copies_ = copies.bytes;
  records_ = copies.records;
  record_bytes_ = copies.record_bytes;
  record_size_ = copies.record_size;
  near_record_ = 0;
  beyond_ = beyond;
  std::size_t done = 0;
  std::size_t offset = 0;
  for (; done < std::min(requested_.size(), copies.failed.size()); ++done) {
    if (copies.failed[done] == 0) {
      Slot &slot = slot_of(requested_[done]);
      slot.snapshot = snapshot_;
      slot.state = BlockState::present;
      slot.copied = true;
      slot.offset = static_cast<std::uint32_t>(offset);
      slot.has.from = static_cast<std::uint16_t>(request_[done].address & (k_block_size - 1));
      slot.has.to = static_cast<std::uint16_t>(slot.has.from + request_[done].size);
    }
    offset += request_[done].size;
  }
  if (done < requested_.size() && beyond_ == Beyond::fetch) {
    load_sorted(std::span(requested_).subspan(done));
  }
  calls_at_begin_ = calls_;
  return status_;
}

/// These bytes, if they lie in the record; else null.
const std::byte *SnapshotMemory::record(std::size_t index, Address address, std::size_t size) const {
  const Address within = address - records_[index]; // huge if it lies before
  return within <= record_size_ && size <= record_size_ - within
             ? record_bytes_ + index * Copies::k_record_stride + within
             : nullptr;
}

/// These bytes of the record that they lie in; else null.
const std::byte *SnapshotMemory::record_with(Address address, std::size_t size) {
  for (std::size_t i = near_record_; i < std::min(near_record_ + 2, records_.size()); ++i) {
    if (const std::byte *const bytes = record(i, address, size)) {
      near_record_ = i;
      return bytes;
    }
  }
  const std::uint64_t number = address >> k_block_bits;
  const std::size_t within = address & (k_block_size - 1);
  if (number >= k_end >> k_block_bits) {
    return nullptr;
  }
  if (const Slot &slot = slot_of(number); slot.snapshot == snapshot_ && slot.state == BlockState::present &&
                                          slot.has.covers(within, std::min(within + size, k_block_size))) {
    return nullptr;
  }
  for (std::size_t i = 0; i < records_.size(); ++i) {
    if (const std::byte *const bytes = record(i, address, size)) {
      near_record_ = i;
      return bytes;
    }
  }
  return nullptr;
}

} // namespace awaitscope
