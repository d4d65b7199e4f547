#include "awaitscope/process/snapshot_memory.hpp"

#include <algorithm>
#include <array>
#include <bit>

namespace awaitscope {
namespace {

constexpr std::size_t k_first_capacity = 128; // a page or so: at 100 Hz each page that is touched is cold
constexpr std::size_t k_lasting = 1024;       // tracked blocks that stay although no look uses them any more
constexpr Address k_end = Address{1} << 47U;  // of user space on x86-64
constexpr std::size_t k_object = 256;         // what is read of most objects lies within so many bytes

std::size_t hash_block(std::uint64_t block) { return (block * 0x9E3779B97F4A7C15ULL) >> 20U; }

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
  const std::uint32_t age = look_ - slot.touched;
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
    if (slot.occupied && (slot.listed || slot.look == look_)) {
      slot_of(slot.block) = slot;
    }
  }
}

ReadStatus SnapshotMemory::begin(Ahead ahead, Guard *guard) {
  ++look_;
  used_ = tracks_ ? used_ : 0;
  status_ = ReadStatus::ok;
  wanted_.clear();
  std::size_t kept = 0;
  for (const std::uint64_t number : candidates_) {
    Slot &slot = slot_of(number);
    const bool wanted = wants(slot, ahead);
    if (slot.state == BlockState::present && wanted && ahead != Ahead::nothing) {
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
  if (!std::is_sorted(wanted_.begin(), wanted_.end())) {
    std::sort(candidates_.begin(), candidates_.end());
    std::sort(wanted_.begin(), wanted_.end());
  }
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

/// Is the block worth fetching ahead?
bool SnapshotMemory::wants(const Slot &slot, Ahead ahead) const {
  if (tracks_) { // what the last look with a keep() used, or one since
    return slot.placed && places_[slot.offset].used >= kept_at_;
  }
  const bool again = ahead == Ahead::last_again && slot.touched + 1 == look_;
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
    slot.look = look_;
    slot.state = BlockState::present;
    if (tracks_) {
      take_in(slot, arriving_.data() + i * k_block_size);
    } else {
      slot.offset = static_cast<std::uint32_t>(used_ + i);
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
  slot.look = look_;
  slot.state = BlockState::bad;
  return whole + 1;
}

void SnapshotMemory::load_sorted(std::span<const std::uint64_t> blocks) {
  if (tracks_) {
    load_tracked(blocks);
    return;
  }
  if (bytes_.size() < (used_ + blocks.size()) * k_block_size) {
    bytes_.resize((used_ + blocks.size()) * k_block_size * 2);
  }
  while (!blocks.empty()) {
    ranges_.clear();
    add_ranges(blocks);
    const RemoteMemory::Outcome outcome = remote_.read(ranges_, bytes_.data() + used_ * k_block_size);
    ++calls_;
    blocks = blocks.subspan(settle(blocks, outcome));
  }
}

ReadStatus SnapshotMemory::load_guarded(std::span<const std::uint64_t> blocks, Guard &guard) {
  constexpr std::size_t k_guard = sizeof guard.value;
  const std::size_t size = blocks.size() * k_block_size;
  if (bytes_.size() < size + k_guard) {
    bytes_.resize((size + k_guard) * 2);
  }
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

const std::byte *SnapshotMemory::block(std::uint64_t number) {
  if (number == last_block_ && last_look_ == look_) {
    return bytes_.data() + last_offset_;
  }
  if (number >= k_end >> k_block_bits) {
    return nullptr;
  }
  Slot *slot = &slot_of(number);
  if (slot->look != look_) {
    if (tracks_) {
      load_page(number);
    } else {
      load_sorted(std::span(&number, 1));
    }
    slot = &slot_of(number);
  }
  if (slot->look != look_ || slot->state != BlockState::present) {
    return nullptr;
  }
  if (slot->touched != look_) {
    constexpr float k_first_use = 0.3F; // one use alone is not worth fetching ahead for: 0.3 * k_decay
    slot->use = std::max(likely_use(*slot) + (1 - k_decay), k_first_use);
    slot->touched = look_;
    if (!slot->listed) {
      slot->listed = true;
      candidates_.push_back(number);
    }
  }
  if (tracks_) {
    places_[slot->offset].used = look_;
  }
  last_block_ = number;
  last_look_ = look_;
  last_offset_ = std::size_t{slot->offset} * k_block_size;
  return bytes_.data() + last_offset_;
}

const std::byte *SnapshotMemory::view(Address address, std::size_t size) {
  const std::size_t within = address & (k_block_size - 1);
  if (within + k_object > k_block_size) {
    fetch_object(address);
  }
  if (within + size <= k_block_size) {
    const std::byte *bytes = block(address >> k_block_bits);
    if (uses_ != nullptr) {
      uses_whole_ = uses_whole_ && bytes != nullptr;
      if (bytes != nullptr) {
        note(within, size);
      }
    }
    return bytes == nullptr ? nullptr : bytes + within;
  }
  return copy(address, across_.data(), std::min(size, across_.size())) ? across_.data() : nullptr;
}

/// Of an object that may lie in two blocks, both at once: a call for the second costs ten times as much as its bytes.
void SnapshotMemory::fetch_object(Address address) {
  const std::uint64_t number = address >> k_block_bits;
  const bool has_it = number == last_block_ && last_look_ == look_;
  if (!tracks_ && !has_it && number < k_end >> k_block_bits && slot_of(number).look != look_) {
    const RemoteRange object{address, k_object};
    prefetch(std::span(&object, 1));
  }
}

bool SnapshotMemory::copy(Address address, void *out, std::size_t size) {
  auto *to = static_cast<std::byte *>(out);
  while (size > 0) {
    const std::byte *from = block(address >> k_block_bits);
    if (from == nullptr) {
      uses_whole_ = false;
      return false;
    }
    const std::size_t within = address & (k_block_size - 1);
    const std::size_t part = std::min(size, k_block_size - within);
    if (uses_ != nullptr) {
      note(within, part);
    }
    std::memcpy(to, from + within, part);
    to += part;
    address += part;
    size -= part;
  }
  return true;
}

void SnapshotMemory::prefetch(std::span<const RemoteRange> ranges) {
  wanted_.clear();
  for (const RemoteRange &range : ranges) {
    const std::uint64_t last = (range.address + range.size - 1) >> k_block_bits;
    for (std::uint64_t number = range.address >> k_block_bits; number <= last && number < k_end >> k_block_bits;
         ++number) {
      if (slot_of(number).look != look_) {
        wanted_.push_back(number);
      }
    }
  }
  if (!wanted_.empty()) {
    load(wanted_);
  }
}

} // namespace awaitscope
