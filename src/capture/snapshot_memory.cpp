#include "awaitscope/capture/snapshot_memory.hpp"

#include <algorithm>
#include <array>
#include <bit>

#include "awaitscope/support/clock.hpp"
#include "user_space.hpp"

namespace awaitscope {
namespace {

constexpr std::size_t k_first_capacity = 128; // a page or so: at 100 Hz each page that is touched is cold
constexpr std::size_t k_cache_line = 64;
constexpr std::size_t k_lasting = 1024; // tracked blocks that stay although no snapshot uses them any more
constexpr std::size_t k_portion = 1024; // blocks a call, between which the time is checked
constexpr std::size_t k_object = 256;   // what is read of most objects lies within so many bytes

/// Neighbours lie side by side: thousands of blocks are gone through in the order of their addresses.
std::size_t hash_block(std::uint64_t block) {
  constexpr unsigned k_side_by_side = 4; // bits
  const std::uint64_t group = ((block >> k_side_by_side) * 0x9E3779B97F4A7C15ULL) >> 20U;
  return (group << k_side_by_side) | (block & ((1U << k_side_by_side) - 1));
}

/// Sorts numbers of which all but the last few are in order.
void sort_tail(std::vector<std::uint64_t> &numbers) {
  const auto tail = std::is_sorted_until(numbers.begin(), numbers.end());
  std::sort(tail, numbers.end());
  std::inplace_merge(numbers.begin(), tail, numbers.end());
}

template <typename Visit> void for_each_block(std::span<const RemoteRange> ranges, unsigned block_bits, Visit visit) {
  for (const RemoteRange &range : ranges) {
    const std::uint64_t last = std::min((range.address + range.size - 1) >> block_bits, (k_end >> block_bits) - 1);
    for (std::uint64_t number = range.address >> block_bits; number <= last; ++number) {
      visit(range, number);
    }
  }
}

} // namespace

SnapshotMemory::SnapshotMemory(RemoteMemory &remote, Changes changes)
    : remote_(remote), tracks_(changes == Changes::track), slots_(k_first_capacity) {}

float SnapshotMemory::likely_use(const Slot &slot) const {
  static const std::array<float, 32> k_powers = [] {
    std::array<float, 32> powers{};
    float power = 1;
    for (float &entry : powers) {
      entry = power;
      power *= k_decay;
    }
    return powers;
  }();
  const std::uint32_t age = snapshot_ - slot.touched;
  return age < k_powers.size() ? slot.use * k_powers[age] : 0;
}

SnapshotMemory::Slot &SnapshotMemory::slot_of(std::uint64_t block) {
  if ((occupied_ + 1) * 2 > slots_.size()) {
    rebuild(slots_.size() * 2);
  }
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t at = hash_block(block) & mask;; at = (at + 1) & mask) {
    Slot &slot = slots_[at];
    if (slot.occupied && slot.block == block) {
      return slot;
    }
    if (!slot.occupied) {
      slot = Slot{};
      slot.block = block;
      slot.occupied = true;
      ++occupied_;
      return slot;
    }
  }
}

void SnapshotMemory::rebuild(std::size_t capacity) {
  std::vector<Slot> old = std::move(slots_);
  slots_.assign(capacity, Slot{});
  occupied_ = 0;
  for (const Slot &slot : old) {
    if (slot.occupied && (slot.listed || slot.snapshot == snapshot_)) {
      slot_of(slot.block) = slot;
    }
  }
}

void SnapshotMemory::start() {
  ++snapshot_;
  used_ = tracks_ ? used_ : 0;
  status_ = ReadStatus::ok;
  chosen_ = false;
  calls_at_begin_ = calls_;
  records_ = {};
  beyond_ = Beyond::fetch;
  refused_ = false;
  full_ = false;
}

/// Starts a snapshot, and lists in `wanted_` what to fetch for it.
void SnapshotMemory::choose(Prefetch prefetch) {
  start();
  sort_tail(candidates_);
  wanted_.clear();
  std::size_t kept = 0;
  for (const std::uint64_t number : candidates_) {
    Slot &slot = slot_of(number);
    const bool wanted = wants(slot, prefetch);
    if (slot.state == BlockState::present && wanted && prefetch != Prefetch::nothing) {
      wanted_.push_back(number);
    }
    slot.listed = wanted || (!tracks_ && likely_use(slot) > k_worth_fetching / 4);
    if (slot.listed) {
      candidates_[kept++] = number;
    }
  }
  candidates_.resize(kept);
  if (occupied_ > kept * 4 + k_first_capacity / 4) {
    rebuild(std::max(k_first_capacity, std::bit_ceil(kept * 4)));
  }
  if (tracks_ && used_ > kept * 8 + k_lasting) {
    forget_all();
  }
}

ReadStatus SnapshotMemory::begin(Prefetch prefetch, Guard *guard) {
  if (copy_ != nullptr) {
    start();
    return status_ = copy_->status();
  }
  // What was read since then without another begin() is of no snapshot.
  if (!chosen_ || prefetch != Prefetch::likely || calls_ != calls_at_begin_) {
    choose(prefetch);
  } else {
    wanted_ = requested_;
  }
  chosen_ = false;
  if (tracks_) {
    load_tracked(wanted_);
    if (guard != nullptr && guard->address != 0 && status_ == ReadStatus::ok) {
      status_ = remote_.read(guard->address, &guard->value, sizeof guard->value); // behind all else
    }
  } else if (guard != nullptr && guard->address != 0) {
    load_guarded(wanted_, *guard);
  } else {
    load_sorted(wanted_);
  }
  calls_at_begin_ = calls_;
  return status_;
}

/// Is the block worth prefetching?
bool SnapshotMemory::wants(const Slot &slot, Prefetch prefetch) const {
  if (tracks_) { // what the last snapshot with a keep() used, or one since
    return slot.placed && places_[slot.offset].used >= kept_at_;
  }
  const bool again = prefetch == Prefetch::last_again && slot.touched + 1 == snapshot_;
  return again || likely_use(slot) >= k_worth_fetching;
}

void SnapshotMemory::load(std::vector<std::uint64_t> &blocks) {
  std::sort(blocks.begin(), blocks.end());
  blocks.erase(std::unique(blocks.begin(), blocks.end()), blocks.end());
  load_sorted(blocks);
}

/// Neighbours are one range.
void SnapshotMemory::add_ranges(std::span<const std::uint64_t> blocks) {
  bool first = true;
  for (const std::uint64_t number : blocks) {
    const Address address = number << k_block_bits;
    if (!first && ranges_.back().address + ranges_.back().size == address) {
      ranges_.back().size += k_block_size;
    } else {
      ranges_.push_back({address, k_block_size});
    }
    first = false;
  }
}

/// Takes over what a call has read of these blocks, and marks the one that stopped it. How many need no further call.
std::size_t SnapshotMemory::settle(std::span<const std::uint64_t> blocks, const RemoteMemory::Outcome &outcome) {
  const std::size_t whole = std::min(outcome.bytes / k_block_size, blocks.size());
  for (std::size_t i = 0; i < whole; ++i) {
    Slot &slot = slot_of(blocks[i]);
    const bool had_part = !tracks_ && slot.snapshot == snapshot_ && slot.state == BlockState::present;
    if (had_part) { // it stays as it was
      std::memcpy(bytes_.data() + (used_ + i) * k_block_size + slot.has.from,
                  (slot.copied ? copies_ : bytes_.data()) + offset_of(slot, slot.has.from),
                  std::size_t{slot.has.to} - slot.has.from);
    }
    slot.snapshot = snapshot_;
    slot.state = BlockState::present;
    slot.has = k_whole;
    if (had_part && !slot.copied && blocks.size() == 1) { // which most are: it keeps its place
      std::memcpy(bytes_.data() + std::size_t{slot.offset} * k_block_size, bytes_.data() + used_ * k_block_size,
                  k_block_size);
      return 1;
    }
    slot.copied = false;
    if (!tracks_) {
      slot.offset = static_cast<std::uint32_t>(used_ + i);
    } else if (!absorb(slot, arriving_.data() + i * k_block_size)) {
      slot.state = BlockState::bad;
    }
  }
  used_ += tracks_ ? 0 : whole;
  if (outcome.status == ReadStatus::gone || outcome.status == ReadStatus::denied) {
    status_ = outcome.status;
    return blocks.size();
  }
  if (whole == blocks.size()) {
    return whole;
  }
  Slot &slot = slot_of(blocks[whole]);
  slot.snapshot = snapshot_;
  slot.state = BlockState::bad;
  return whole + 1;
}

bool SnapshotMemory::is_over() {
  ended_ = ended_ || (end_ns_ != k_never && monotonic_ns() >= end_ns_);
  return ended_ && end_ns_ != k_never;
}

/// For so many blocks more. False if there are too many.
bool SnapshotMemory::make_room(std::size_t blocks) {
  const std::size_t needed = (used_ + blocks) * k_block_size;
  full_ = full_ || needed > k_most_bytes;
  if (!full_) {
    bytes_.make_room(needed);
  }
  return !full_;
}

void SnapshotMemory::load_sorted(std::span<const std::uint64_t> blocks) {
  if (tracks_) {
    load_tracked(blocks);
    return;
  }
  if (beyond_ == Beyond::refuse) {
    refused_ = true;
    return;
  }
  while (!blocks.empty() && !is_over()) {
    const std::span<const std::uint64_t> portion = blocks.first(std::min(k_portion, blocks.size()));
    if (!make_room(portion.size())) {
      return;
    }
    ranges_.clear();
    add_ranges(portion);
    const RemoteMemory::Outcome outcome = remote_.read(ranges_, bytes_.data() + used_ * k_block_size);
    ++calls_;
    const std::size_t done = settle(portion, outcome);
    blocks = blocks.subspan(status_ == ReadStatus::ok ? done : blocks.size());
  }
}

ReadStatus SnapshotMemory::load_guarded(std::span<const std::uint64_t> blocks, Guard &guard) {
  constexpr std::size_t k_guard = sizeof guard.value;
  blocks = blocks.first(std::min(blocks.size(), k_most_bytes / k_block_size));
  const std::size_t size = blocks.size() * k_block_size;
  bytes_.make_room(size + k_guard);
  ranges_.clear();
  add_ranges(blocks);
  ranges_.push_back({guard.address, k_guard});
  const RemoteMemory::Outcome outcome = remote_.read(ranges_, bytes_.data());
  ++calls_;
  const std::size_t done = settle(blocks, outcome);
  if (outcome.status == ReadStatus::ok) {
    std::memcpy(&guard.value, bytes_.data() + size, k_guard);
  } else if (status_ == ReadStatus::ok) { // a block is gone: the rest, and the guard behind it
    load_sorted(blocks.subspan(done));
    if (status_ == ReadStatus::ok) {
      status_ = remote_.read(guard.address, &guard.value, k_guard);
    }
  }
  return status_;
}

/// Where a byte of the block is, in copies_ or in bytes_.
std::size_t SnapshotMemory::offset_of(const Slot &slot, std::size_t within) {
  return slot.copied ? std::size_t{slot.offset} + (within - slot.has.from)
                     : std::size_t{slot.offset} * k_block_size + within;
}

void SnapshotMemory::note_use(Slot &slot, std::size_t within, std::size_t size) {
  constexpr std::uint32_t k_renewed = 32; // snapshots: then what was used before no longer counts
  if (slot.touched != snapshot_) {
    constexpr float k_first_use = 0.3F; // one use alone is not worth prefetching for: 0.3 * k_decay
    slot.use = std::max(likely_use(slot) + (1 - k_decay), k_first_use);
    slot.used = snapshot_ % k_renewed == 0 ? Extent{} : slot.used;
    slot.touched = snapshot_;
    if (!slot.listed) {
      slot.listed = true;
      candidates_.push_back(slot.block);
    }
  }
  if (tracks_) {
    places_[slot.offset].used = snapshot_;
  }
  const auto from = static_cast<std::uint16_t>(within - within % k_cache_line);
  const auto to = static_cast<std::uint16_t>((within + size + k_cache_line - 1) / k_cache_line * k_cache_line);
  slot.used = slot.used.to == 0 ? Extent{from, to} : Extent{std::min(slot.used.from, from), std::max(slot.used.to, to)};
}

/// These bytes of a block, fetched if they are missing; null if they cannot be read.
const std::byte *SnapshotMemory::block(std::uint64_t number, std::size_t within, std::size_t size) {
  if (refused_) { // nothing is made of a part
    return nullptr;
  }
  if (number == last_block_ && last_snapshot_ == snapshot_ && last_extent_.covers(within, within + size)) {
    return (last_copied_ ? copies_ : bytes_.data()) + last_offset_ + (within - last_extent_.from);
  }
  if (number >= k_end >> k_block_bits) {
    return nullptr;
  }
  Slot *slot = &slot_of(number);
  const bool partly =
      slot->snapshot == snapshot_ && slot->state == BlockState::present && !slot->has.covers(within, within + size);
  if (slot->snapshot != snapshot_ || partly) {
    if (tracks_) {
      load_page(number);
    } else {
      load_sorted(std::span(&number, 1));
    }
    slot = &slot_of(number);
  }
  if (slot->snapshot != snapshot_ || slot->state != BlockState::present || !slot->has.covers(within, within + size)) {
    return nullptr;
  }
  note_use(*slot, within, size);
  last_block_ = number;
  last_snapshot_ = snapshot_;
  last_extent_ = {std::max(slot->has.from, slot->used.from), std::min(slot->has.to, slot->used.to)};
  last_copied_ = slot->copied;
  last_offset_ = offset_of(*slot, last_extent_.from);
  return (last_copied_ ? copies_ : bytes_.data()) + offset_of(*slot, within);
}

const std::byte *SnapshotMemory::view(Address address, std::size_t size) {
  if (copy_ != nullptr) {
    return copy_->view(address, size);
  }
  const std::size_t within = address & (k_block_size - 1);
  if (!records_.empty() && !refused_) {
    if (const std::byte *const bytes = record_with(address, size)) {
      return bytes;
    }
  }
  fetch_object(address, size);
  if (within + size <= k_block_size) {
    const std::byte *bytes = block(address >> k_block_bits, within, size);
    if (uses_ != nullptr) {
      uses_whole_ = uses_whole_ && bytes != nullptr;
      if (bytes != nullptr) {
        note(within, size);
      }
    }
    return bytes;
  }
  return copy(address, across_.data(), std::min(size, across_.size())) ? across_.data() : nullptr;
}

/// Of an object that is missing what most snapshots read of one, in one call, even if it lies in two blocks: what costs is the call,
/// and the cache lines, since the target has used them long ago.
void SnapshotMemory::fetch_object(Address address, std::size_t size) {
  const std::uint64_t number = address >> k_block_bits;
  const bool has_it = number == last_block_ && last_snapshot_ == snapshot_;
  if (tracks_ || beyond_ == Beyond::refuse || has_it || number >= k_end >> k_block_bits ||
      slot_of(number).snapshot == snapshot_) {
    return;
  }
  const Address from = address & ~(k_cache_line - 1);
  const Address boundary = (number + 1) << k_block_bits;
  Address to = (address + std::max(size, k_object) + k_cache_line - 1) & ~(k_cache_line - 1);
  if (to > boundary && slot_of(number + 1).snapshot == snapshot_) {
    to = boundary;
  }
  if (is_over() || !make_room(2)) {
    return;
  }
  const RemoteRange range{from, to - from};
  const RemoteMemory::Outcome outcome =
      remote_.read(std::span(&range, 1), bytes_.data() + used_ * k_block_size + (from & (k_block_size - 1)));
  ++calls_;
  if (outcome.status == ReadStatus::gone || outcome.status == ReadStatus::denied) {
    status_ = outcome.status;
    return;
  }
  // No page ends inside a block: each part is there, or is not.
  const Address end = from + outcome.bytes;
  place_part(number, from, std::min(to, boundary), end);
  if (to > boundary) {
    place_part(number + 1, boundary, to, end);
  }
}

/// Bytes of a block that were to arrive where its place in bytes_ is, as all did before `end`.
void SnapshotMemory::place_part(std::uint64_t number, Address from, Address to, Address end) {
  Slot &slot = slot_of(number);
  slot.snapshot = snapshot_;
  slot.state = to <= end ? BlockState::present : BlockState::bad;
  slot.copied = false;
  slot.has.from = static_cast<std::uint16_t>(from - (number << k_block_bits));
  slot.has.to = static_cast<std::uint16_t>(to - (number << k_block_bits));
  slot.offset = static_cast<std::uint32_t>(used_++);
}

bool SnapshotMemory::copy(Address address, void *out, std::size_t size) {
  if (copy_ != nullptr) {
    return copy_->copy(address, out, size);
  }
  auto *to = static_cast<std::byte *>(out);
  while (size > 0) {
    const std::size_t within = address & (k_block_size - 1);
    const std::size_t part = std::min(size, k_block_size - within);
    const std::byte *from = block(address >> k_block_bits, within, part);
    if (from == nullptr) {
      uses_whole_ = false;
      return false;
    }
    if (uses_ != nullptr) {
      note(within, part);
    }
    std::memcpy(to, from, part);
    to += part;
    address += part;
    size -= part;
  }
  return true;
}

void SnapshotMemory::prefetch(std::span<const RemoteRange> ranges) {
  if (copy_ != nullptr) {
    return;
  }
  wanted_.clear();
  for_each_block(ranges, k_block_bits, [&](const RemoteRange &range, std::uint64_t number) {
    const Address start = number << k_block_bits;
    const std::size_t from = range.address > start ? range.address - start : 0;
    const std::size_t to = std::min<Address>(range.address + range.size - start, k_block_size);
    const Slot &slot = slot_of(number);
    if (slot.snapshot != snapshot_ || (slot.state == BlockState::present && !slot.has.covers(from, to))) {
      wanted_.push_back(number);
    }
  });
  if (!wanted_.empty()) {
    load(wanted_);
  }
}

void SnapshotMemory::refetch(std::span<const RemoteRange> ranges) {
  if (copy_ != nullptr) {
    return;
  }
  wanted_.clear();
  for_each_block(ranges, k_block_bits, [&](const RemoteRange &, std::uint64_t number) {
    slot_of(number).snapshot = 0;
    wanted_.push_back(number);
  });
  last_snapshot_ = 0;
  load(wanted_);
}

} // namespace awaitscope
