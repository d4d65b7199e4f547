#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <type_traits>
#include <vector>

#include "awaitscope/capture/copies.hpp"
#include "awaitscope/capture/growing_bytes.hpp"
#include "awaitscope/capture/memory_copy.hpp"
#include "awaitscope/model/ids.hpp"
#include "awaitscope/process/remote_memory.hpp"

namespace awaitscope {

/// A copy of the parts of the target's memory that one reading of it needs, made in few system calls.
///
/// begin() fetches in one call every block that is likely to be used, by how often the last snapshots used it; what is asked
/// for beyond that is fetched block by block. All blocks of a snapshot stay as they were first read, so a snapshot sees each byte
/// once. Whether the target stood still between the first and the last read is for the caller to know.
///
/// A single process_vm_readv of up to a page costs about 1.7 µs, a further range in the same call 0.5 µs.
///
/// A snapshot holds k_most_bytes at most: what is missing then cannot be read, as if the time for it was over.
///
/// One that tracks changes keeps each block from snapshot to snapshot, and knows whether the bytes that something was made of are
/// still what they were: it needs not be made again.
class SnapshotMemory {
public:
  enum class Changes : std::uint8_t { forget, track };
  explicit SnapshotMemory(RemoteMemory &remote, Changes changes = Changes::forget);

  /// Exchanges all but the memory that is read: readers that hold the one then use what the other has learnt.
  void swap(SnapshotMemory &other);

  enum class Prefetch : std::uint8_t {
    nothing,    ///< fetch nothing
    likely,     ///< fetch what is likely to be used
    last_again, ///< and all that the last snapshot used: it is to be repeated
  };

  /// A word that is read after everything else that begin() fetches, in the same call.
  struct Guard {
    Address address = 0; ///< 0: none
    std::uint32_t value = 0;
  };

  /// Starts a new snapshot.
  ReadStatus begin(Prefetch prefetch = Prefetch::likely, Guard *guard = nullptr);

  /// What the next snapshot will likely use, for the kernel to copy. Not of one that tracks changes.
  std::span<const RemoteRange> expect();

  enum class Beyond : std::uint8_t {
    fetch,  ///< what is missing
    refuse, ///< it: the target has run on since
  };
  /// Starts a new snapshot with what was copied of that; the copies must stay as they are for as long as the snapshot lasts.
  ReadStatus begin(const Copies &copies, Beyond beyond = Beyond::fetch);

  /// From now on snapshots are of this copy, which outlives them; null: of the process again. Not of one that tracks changes.
  void read_from(MemoryCopy *copy) { copy_ = copy; }

  /// From that time on (CLOCK_MONOTONIC, in nanoseconds) nothing more is fetched: what is missing then cannot be read. Of the memory
  /// in use, not of what swap() exchanges. What tracks changes is not bounded: no thread is held for it.
  void end_reads_at(std::int64_t time_ns) {
    end_ns_ = time_ns;
    ended_ = time_ns == k_never ? ended_ : false;
  }
  static constexpr std::int64_t k_never = INT64_MAX;
  /// Has that left anything out, since a time was set last, or the bound on memory, in this snapshot?
  [[nodiscard]] bool ended() const { return ended_ || full_; }
  static constexpr std::size_t k_most_bytes = std::size_t{256} << 20U;

  /// Has this snapshot asked for anything that was not copied, and was refused?
  [[nodiscard]] bool refused() const { return refused_; }
  /// Has this snapshot the records of a list?
  [[nodiscard]] bool has_records() const { return !records_.empty(); }

  /// Copies from the snapshot, fetching what is missing. False if it cannot be read whole.
  bool copy(Address address, void *out, std::size_t size);

  /// Where the snapshot has these bytes, fetching what is missing; null if it cannot be read whole. Holds until the next call
  /// of any kind. At most k_longest_view bytes.
  const std::byte *view(Address address, std::size_t size);
  static constexpr std::size_t k_longest_view = 256;

  template <typename T> std::optional<T> get(Address address) {
    static_assert(std::is_trivially_copyable_v<T>);
    static_assert(sizeof(T) <= k_longest_view);
    const std::byte *bytes = view(address, sizeof(T));
    if (bytes == nullptr) {
      return std::nullopt;
    }
    T value{};
    std::memcpy(&value, bytes, sizeof value);
    return value;
  }

  /// A pointer, or 0 where it cannot be read: a null pointer and an unreadable one end a walk alike.
  Address pointer(Address address) { return get<Address>(address).value_or(0); }

  /// Makes sure that the ranges are in the snapshot, in one call. Those that cannot be read are left out.
  void prefetch(std::span<const RemoteRange> ranges);

  /// Reads the ranges once more, in one call: what was read of them at different times does not fit together.
  void refetch(std::span<const RemoteRange> ranges);

  /// Words of 8 bytes of a block. No more than were read: next to what never changes lie reference counts that always do.
  struct Words {
    std::uint64_t low = 0;
    std::uint64_t high = 0;
  };
  struct Use {
    std::uint32_t place = 0; ///< of the block in this snapshot
    Words words;
  };

  /// From now on what is read is noted here; null ends that. Only of one that tracks changes.
  void note_uses(std::vector<Use> *uses);
  /// Could all be read that was asked for since note_uses()?
  [[nodiscard]] bool uses_whole() const { return uses_whole_; }

  /// Where these bytes are, for the prefetch() of another snapshot.
  void add_ranges(std::span<const Use> uses, std::vector<RemoteRange> &ranges) const;

  /// Are these bytes the same as at the last snapshot that ended with keep()? They count as used by this snapshot.
  bool unchanged(std::span<const Use> uses);

  /// What was noted so far is up to date with this snapshot.
  void keep() { kept_at_ = snapshot_; }

  /// Another number: everything that was noted before it is void.
  [[nodiscard]] std::uint32_t epoch() const { return epoch_; }

  /// The worst failure since begin(): `gone` and `denied` end a recording.
  [[nodiscard]] ReadStatus status() const { return status_; }
  [[nodiscard]] RemoteMemory &remote() { return remote_; }
  [[nodiscard]] std::size_t blocks() const { return used_; }

  /// Has this snapshot read anything after begin()?
  [[nodiscard]] bool read_more() const { return calls_ > calls_at_begin_; }

private:
  static constexpr unsigned k_block_bits = 10;
  static constexpr std::size_t k_block_size = std::size_t{1} << k_block_bits;
  // On caches that the target has left cold a useless block costs 1.7 µs, nearly half of what a missing one does: one is fetched
  // ahead if it is used in four snapshots of ten, as an exponentially weighted average says, or was in the last two.
  static constexpr float k_decay = 0.8F;
  static constexpr float k_worth_fetching = 0.35F;

  enum class BlockState : std::uint8_t { absent, present, bad };
  /// Bytes of a block.
  struct Extent {
    std::uint16_t from = 0;
    std::uint16_t to = 0;
    [[nodiscard]] bool covers(std::size_t first, std::size_t end) const { return from <= first && end <= to; }
  };
  static constexpr Extent k_whole{0, std::uint16_t{1} << k_block_bits};
  struct Slot {
    std::uint64_t block = 0;
    std::uint32_t snapshot = 0; ///< the snapshot for which `offset` holds
    std::uint32_t touched = 0;  ///< the last snapshot that asked for it
    float use = 0;              ///< how likely a snapshot used it, as of `touched`
    std::uint32_t offset =
        0; ///< into bytes_, in blocks; while changes are tracked, for good; if copied, into copies_, in bytes
    BlockState state = BlockState::absent;
    bool occupied = false;
    bool listed = false; ///< in candidates_
    bool placed = false; ///< `offset` is for good
    bool copied = false; ///< by the kernel
    Extent has;          ///< what of it is present
    Extent used;         ///< by the snapshots, in whole cache lines
  };

  [[nodiscard]] float likely_use(const Slot &slot) const;
  Slot &slot_of(std::uint64_t block);
  const std::byte *block(std::uint64_t number, std::size_t within, std::size_t size);
  [[nodiscard]] static std::size_t offset_of(const Slot &slot, std::size_t within);
  void note_use(Slot &slot, std::size_t within, std::size_t size);
  [[nodiscard]] const std::byte *record(std::size_t index, Address address, std::size_t size) const;
  const std::byte *record_with(Address address, std::size_t size);
  void fetch_object(Address address, std::size_t size);
  void place_part(std::uint64_t number, Address from, Address to, Address end);
  bool is_over();
  bool make_room(std::size_t blocks);
  void start();
  void choose(Prefetch prefetch);
  void load(std::vector<std::uint64_t> &blocks);
  void load_sorted(std::span<const std::uint64_t> blocks);
  std::size_t settle(std::span<const std::uint64_t> blocks, const RemoteMemory::Outcome &outcome);
  void add_ranges(std::span<const std::uint64_t> blocks);
  ReadStatus load_guarded(std::span<const std::uint64_t> blocks, Guard &guard);
  void rebuild(std::size_t capacity);
  bool wants(const Slot &slot, Prefetch prefetch) const;
  void load_tracked(std::span<const std::uint64_t> blocks);
  void load_page(std::uint64_t block);
  bool absorb(Slot &slot, const std::byte *bytes);
  void note(std::size_t within, std::size_t size);
  void forget_all();

  RemoteMemory &remote_;
  bool tracks_ = false;
  bool chosen_ = false;      ///< expect() has started this snapshot already
  bool last_copied_ = false; ///< `last_offset_` is from copies_, and else from bytes_
  bool uses_whole_ = true;
  Extent last_extent_; ///< of last_block_, what is at hand and noted as used
  std::vector<Slot> slots_;
  std::size_t occupied_ = 0;
  std::uint32_t snapshot_ = 0;
  GrowingBytes bytes_;
  std::size_t used_ = 0;  ///< blocks of bytes_ in use
  std::size_t calls_ = 0; ///< system calls since construction
  std::size_t calls_at_begin_ = 0;
  ReadStatus status_ = ReadStatus::ok;
  std::uint64_t last_block_ = 0; ///< what block() returned last in this snapshot, if last_snapshot_ says so
  std::size_t last_offset_ = 0;  ///< of the first byte of last_extent_
  std::uint32_t last_snapshot_ = 0;
  const std::byte *copies_ = nullptr; ///< what the kernel has copied for this snapshot
  std::span<const Address> records_;  ///< and the records of a list
  const std::byte *record_bytes_ = nullptr;
  std::size_t record_size_ = 0;
  std::size_t near_record_ = 0; ///< the last one used: they are used in order
  MemoryCopy *copy_ = nullptr;  ///< to read from in place of the process
  Beyond beyond_ = Beyond::fetch;
  bool refused_ = false;
  std::int64_t end_ns_ = k_never;
  bool ended_ = false;
  bool full_ = false;
  std::vector<std::uint64_t> requested_; ///< blocks
  std::vector<RemoteRange> request_;
  std::array<std::byte, k_longest_view> across_{}; ///< a view that lies in two blocks
  std::vector<std::uint64_t> wanted_;
  std::vector<std::uint64_t> candidates_; ///< blocks that may be worth prefetching, the new ones last
  std::vector<RemoteRange> ranges_;

  // What is tracked, by place.
  struct Place {
    std::uint64_t block = 0;
    std::uint32_t snapshot = 0;  ///< that read it last
    std::uint32_t used = 0;      ///< that used it last
    Words changed{~0ULL, ~0ULL}; ///< that are not what they were at the last keep()
  };
  std::vector<Place> places_;
  std::vector<std::byte> arriving_;
  std::vector<Use> *uses_ = nullptr;
  std::uint32_t kept_at_ = 0;
  std::uint32_t epoch_ = 0;
};

/// Has readers use another snapshot for a while: what each of two kinds of reading will likely need is another matter.
class SwappedMemory {
public:
  SwappedMemory(SnapshotMemory &in_use, SnapshotMemory &other) : in_use_(in_use), other_(other) {
    in_use_.swap(other_);
  }
  ~SwappedMemory() { in_use_.swap(other_); }
  SwappedMemory(const SwappedMemory &) = delete;
  SwappedMemory &operator=(const SwappedMemory &) = delete;

private:
  SnapshotMemory &in_use_;
  SnapshotMemory &other_;
};

} // namespace awaitscope
