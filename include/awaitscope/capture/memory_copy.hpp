#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "awaitscope/model/ids.hpp"
#include "awaitscope/process/remote_memory.hpp"

namespace awaitscope {

/// Large parts of a process's memory, each with what was used of it, to be read once more in few system calls: what a reading needs is
/// found out while the process runs, and copied while it is stopped. Copying takes a few milliseconds for 30 MB.
class MemoryCopy {
public:
  /// Fails (no bytes at all) if there is no room.
  explicit MemoryCopy(RemoteMemory &remote);

  /// Where these bytes are. What is missing is read now, with all that lies around it. Null if it cannot be read, or there is no room. Holds
  /// until the next call. At most k_longest_view bytes.
  const std::byte *view(Address address, std::size_t size);
  static constexpr std::size_t k_longest_view = 256;

  /// False if they cannot be read whole.
  bool copy(Address address, void *out, std::size_t size);

  /// Reads all that it holds once more. False if that is not done by then (CLOCK_MONOTONIC, in nanoseconds), or the process is gone.
  bool refresh(std::int64_t deadline_ns);

  /// Was anything missing since then?
  [[nodiscard]] bool grew() const { return grew_; }

  /// Was there no room for something?
  [[nodiscard]] bool full() const { return full_; }

  /// The worst failure: `gone` and `denied` are for good.
  [[nodiscard]] ReadStatus status() const { return status_; }

  [[nodiscard]] std::size_t bytes() const { return parts_.size() * k_part; }
  static constexpr std::size_t k_most_bytes = std::size_t{512} << 20U;

private:
  static constexpr unsigned k_part_bits = 18; // 256 KiB: obmalloc's smallest arena
  static constexpr std::size_t k_part = std::size_t{1} << k_part_bits;
  static constexpr unsigned k_page_bits = 12;
  static constexpr std::size_t k_pages = k_part >> k_page_bits;

  struct Part {
    Address start = 0;
    std::uint64_t pages = 0; ///< one bit for each that is there
  };

  struct Unmap {
    void operator()(std::byte *bytes) const;
  };

  const std::byte *within_part(Address address, std::size_t size);
  std::size_t part_of(Address address);
  void read_pages(std::size_t index);
  [[nodiscard]] std::byte *place(std::size_t index) const { return bytes_.get() + index * k_part; }

  RemoteMemory &remote_;
  std::unique_ptr<std::byte, Unmap> bytes_;
  std::vector<Part> parts_; ///< in the order of their bytes
  std::unordered_map<Address, std::size_t> index_;
  std::size_t last_ = 0;                           ///< the part that was used last
  std::array<std::byte, k_longest_view> across_{}; ///< a view that lies in two parts
  bool grew_ = false;
  bool full_ = false;
  ReadStatus status_ = ReadStatus::ok;
};

} // namespace awaitscope
