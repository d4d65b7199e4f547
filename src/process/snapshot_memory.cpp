#include "awaitscope/process/snapshot_memory.hpp"

#include <algorithm>
#include <array>

namespace awaitscope {
namespace {

constexpr std::size_t k_first_capacity = 1024;
constexpr std::uint64_t k_max_block = (std::uint64_t{1} << 47U) >> 9U; // the end of user space on x86-64

std::size_t hash_block(std::uint64_t block) { return (block * 0x9E3779B97F4A7C15ULL) >> 20U; }

} // namespace

SnapshotMemory::SnapshotMemory(RemoteMemory &remote) : remote_(remote), slots_(k_first_capacity) {}

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
    if (slot.occupied && (slot.look == look_ || likely_use(slot) > k_worth_fetching / 4)) {
      slot_of(slot.block) = slot;
    }
  }
}

ReadStatus SnapshotMemory::begin(std::span<std::byte> first_out, Address first, Ahead ahead) {
  ++look_;
  wanted_.clear();
  for (const Slot &slot : slots_) {
    const bool again = ahead == Ahead::last_again && slot.touched + 1 == look_;
    if (slot.occupied && slot.state == BlockState::present && (again || likely_use(slot) >= k_worth_fetching)) {
      wanted_.push_back(slot.block);
    }
  }
  if (occupied_ > wanted_.size() * 4 + k_first_capacity / 4) {
    rebuild(std::max(k_first_capacity, slots_.size() / 2));
  }
  used_ = 0;
  status_ = ReadStatus::ok;
  std::sort(wanted_.begin(), wanted_.end());
  load_sorted(wanted_, first_out, first);
  return status_;
}

void SnapshotMemory::forget() {
  slots_.assign(k_first_capacity, Slot{});
  occupied_ = 0;
}

void SnapshotMemory::load(std::vector<std::uint64_t> &blocks) {
  std::sort(blocks.begin(), blocks.end());
  blocks.erase(std::unique(blocks.begin(), blocks.end()), blocks.end());
  load_sorted(blocks, {}, 0);
}

void SnapshotMemory::load_sorted(std::span<const std::uint64_t> blocks, std::span<std::byte> first_out, Address first) {
  const std::size_t base = used_;
  if (bytes_.size() < (base + blocks.size() + 1) * k_block_size) {
    bytes_.resize((base + blocks.size() + 1) * k_block_size * 2);
  }
  std::size_t done = 0;
  bool with_first = !first_out.empty();
  while (done < blocks.size() || with_first) {
    // The first range lands at the very end of the arena's reserve, in front of nothing: it is moved out at once.
    ranges_.clear();
    const std::size_t lead = with_first ? first_out.size() : 0;
    std::byte *out = bytes_.data() + (base + done) * k_block_size;
    if (with_first) {
      ranges_.push_back({first, lead});
    }
    for (std::size_t i = done; i < blocks.size(); ++i) {
      const Address address = blocks[i] << k_block_bits;
      if (ranges_.size() > (with_first ? 1U : 0U) && ranges_.back().address + ranges_.back().size == address) {
        ranges_.back().size += k_block_size;
      } else {
        ranges_.push_back({address, k_block_size});
      }
    }
    const RemoteMemory::Outcome outcome = remote_.read(ranges_, out);
    ++calls_;
    std::size_t got = outcome.bytes;
    if (with_first) {
      if (got < lead) {
        status_ = outcome.status;
        return;
      }
      std::memcpy(first_out.data(), out, lead);
      std::memmove(out, out + lead, got - lead);
      got -= lead;
      with_first = false;
    }
    const std::size_t whole = got / k_block_size;
    for (std::size_t i = 0; i < whole; ++i) {
      Slot &slot = slot_of(blocks[done + i]);
      slot.look = look_;
      slot.offset = static_cast<std::uint32_t>(base + done + i);
      slot.state = BlockState::present;
    }
    done += whole;
    if (outcome.status == ReadStatus::gone || outcome.status == ReadStatus::denied) {
      status_ = outcome.status;
      break;
    }
    if (done < blocks.size()) { // this block is what stopped the copy
      Slot &slot = slot_of(blocks[done]);
      slot.look = look_;
      slot.state = BlockState::bad;
      ++done;
    }
  }
  used_ = base + done;
}

const std::byte *SnapshotMemory::block(std::uint64_t number) {
  if (number >= k_max_block) {
    return nullptr;
  }
  Slot *slot = &slot_of(number);
  if (slot->look != look_) {
    load_sorted(std::span(&number, 1), {}, 0);
    slot = &slot_of(number);
  }
  if (slot->look != look_ || slot->state != BlockState::present) {
    return nullptr;
  }
  if (slot->touched != look_) {
    constexpr float k_first_use = 0.3F; // one use alone is not worth fetching ahead for: 0.3 * k_decay
    slot->use = std::max(likely_use(*slot) + (1 - k_decay), k_first_use);
    slot->touched = look_;
  }
  return bytes_.data() + std::size_t{slot->offset} * k_block_size;
}

bool SnapshotMemory::copy(Address address, void *out, std::size_t size) {
  auto *to = static_cast<std::byte *>(out);
  while (size > 0) {
    const std::byte *from = block(address >> k_block_bits);
    if (from == nullptr) {
      return false;
    }
    const std::size_t within = address & (k_block_size - 1);
    const std::size_t part = std::min(size, k_block_size - within);
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
    for (std::uint64_t number = range.address >> k_block_bits; number <= last && number < k_max_block; ++number) {
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
