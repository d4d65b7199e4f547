#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "awaitscope/capture/snapshot_memory.hpp"

namespace awaitscope {
namespace {

constexpr std::size_t k_word = 8;

/// The first `count` of 64 bits.
constexpr std::uint64_t first_bits(std::size_t count) {
  return count >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << count) - 1;
}

/// The words from `first` up to `end` of a block.
SnapshotMemory::Words words_between(std::size_t first, std::size_t end) {
  const auto upper = [](std::size_t count) { return count > 64 ? first_bits(count - 64) : 0; };
  return {first_bits(end) & ~first_bits(first), upper(end) & ~upper(first)};
}

void add(SnapshotMemory::Words &words, const SnapshotMemory::Words &more) {
  words.low |= more.low;
  words.high |= more.high;
}

SnapshotMemory::Words differing(const std::byte *before, const std::byte *now, std::size_t size) {
  constexpr std::size_t k_line = 64; // most of them are the same
  SnapshotMemory::Words words;
  for (std::size_t line = 0; line < size; line += k_line) {
    if (std::memcmp(before + line, now + line, k_line) == 0) {
      continue;
    }
    for (std::size_t at = line; at < line + k_line; at += k_word) {
      if (std::memcmp(before + at, now + at, k_word) != 0) {
        add(words, words_between(at / k_word, at / k_word + 1));
      }
    }
  }
  return words;
}

} // namespace

/// Fetched in portions that the processor's cache holds until they are compared with what was there.
void SnapshotMemory::load_tracked(std::span<const std::uint64_t> blocks) {
  constexpr std::size_t k_portion = 256;
  arriving_.resize(k_portion * k_block_size);
  while (!blocks.empty() && status_ == ReadStatus::ok) {
    const std::span<const std::uint64_t> portion = blocks.first(std::min(k_portion, blocks.size()));
    ranges_.clear();
    add_ranges(portion);
    const RemoteMemory::Outcome outcome = remote_.read(ranges_, arriving_.data());
    ++calls_;
    blocks = blocks.subspan(std::min(settle(portion, outcome), portion.size()));
  }
}

/// What is not there yet of the page that the block is in: what a task is made of lies close together.
void SnapshotMemory::load_page(std::uint64_t block) {
  constexpr std::uint64_t k_blocks_of_page = 4096 / k_block_size;
  std::array<std::uint64_t, k_blocks_of_page> missing{};
  std::size_t count = 0;
  const std::uint64_t first = block - block % k_blocks_of_page;
  for (std::uint64_t number = first; number < first + k_blocks_of_page; ++number) {
    if (slot_of(number).snapshot != snapshot_) {
      missing[count++] = number;
    }
  }
  load_tracked(std::span(missing.data(), count));
}

/// A block has arrived: what of it has changed since keep() was called last? False if there is no room for it.
bool SnapshotMemory::absorb(Slot &slot, const std::byte *bytes) {
  if (!slot.placed) {
    if (!make_room(1)) {
      return false;
    }
    slot.placed = true;
    slot.offset = static_cast<std::uint32_t>(used_++);
    places_.resize(std::max(places_.size(), used_));
    places_[slot.offset] = Place{slot.block, snapshot_, 0, {~0ULL, ~0ULL}};
    std::memcpy(bytes_.data() + std::size_t{slot.offset} * k_block_size, bytes, k_block_size);
    return true;
  }
  Place &place = places_[slot.offset];
  std::byte *known = bytes_.data() + std::size_t{slot.offset} * k_block_size;
  if (place.snapshot <= kept_at_) {
    place.changed = {};
  }
  place.snapshot = snapshot_;
  if (std::memcmp(known, bytes, k_block_size) != 0) {
    add(place.changed, differing(known, bytes, k_block_size));
    std::memcpy(known, bytes, k_block_size);
  }
  return true;
}

void SnapshotMemory::note_uses(std::vector<Use> *uses) {
  uses_ = uses;
  uses_whole_ = true;
}

/// Of the block that block() returned last.
void SnapshotMemory::note(std::size_t within, std::size_t size) {
  const auto place = static_cast<std::uint32_t>(last_offset_ / k_block_size);
  const Words words = words_between(within / k_word, (within + size + k_word - 1) / k_word);
  const auto known = std::find_if(uses_->rbegin(), uses_->rend(), [&](const Use &use) { return use.place == place; });
  if (known != uses_->rend()) {
    add(known->words, words);
  } else {
    uses_->push_back({place, words});
  }
}

void SnapshotMemory::add_ranges(std::span<const Use> uses, std::vector<RemoteRange> &ranges) const {
  for (const Use &use : uses) {
    ranges.push_back({places_[use.place].block << k_block_bits, k_block_size});
  }
}

bool SnapshotMemory::unchanged(std::span<const Use> uses) {
  bool same = true;
  for (const Use &use : uses) { // to the end: all of them are used
    Place &place = places_[use.place];
    place.used = snapshot_;
    same = same && place.snapshot == snapshot_ &&
           ((place.changed.low & use.words.low) | (place.changed.high & use.words.high)) == 0;
  }
  return same;
}

/// Places that nothing uses any more are most of them: begin anew.
void SnapshotMemory::forget_all() {
  ++epoch_;
  used_ = 0;
  occupied_ = 0;
  slots_.assign(slots_.size(), Slot{});
  places_.clear();
  candidates_.clear();
  wanted_.clear();
}

void SnapshotMemory::swap(SnapshotMemory &other) {
  std::swap(tracks_, other.tracks_);
  std::swap(slots_, other.slots_);
  std::swap(occupied_, other.occupied_);
  std::swap(snapshot_, other.snapshot_);
  std::swap(bytes_, other.bytes_);
  std::swap(used_, other.used_);
  std::swap(calls_, other.calls_);
  std::swap(calls_at_begin_, other.calls_at_begin_);
  std::swap(status_, other.status_);
  std::swap(full_, other.full_);
  std::swap(last_block_, other.last_block_);
  std::swap(last_offset_, other.last_offset_);
  std::swap(last_snapshot_, other.last_snapshot_);
  std::swap(last_extent_, other.last_extent_);
  std::swap(last_copied_, other.last_copied_);
  std::swap(copies_, other.copies_);
  std::swap(requested_, other.requested_);
  std::swap(request_, other.request_);
  std::swap(chosen_, other.chosen_);
  std::swap(wanted_, other.wanted_);
  std::swap(candidates_, other.candidates_);
  std::swap(ranges_, other.ranges_);
  std::swap(places_, other.places_);
  std::swap(arriving_, other.arriving_);
  std::swap(uses_, other.uses_);
  std::swap(uses_whole_, other.uses_whole_);
  std::swap(kept_at_, other.kept_at_);
  std::swap(epoch_, other.epoch_);
}

} // namespace awaitscope
