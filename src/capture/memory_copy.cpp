#include "awaitscope/capture/memory_copy.hpp"

#include <algorithm>
#include <cstring>
#include <span>

#include <sys/mman.h>

#include "awaitscope/support/clock.hpp"
#include "user_space.hpp"

namespace awaitscope {
namespace {

constexpr std::size_t k_none = SIZE_MAX;
constexpr std::uint64_t k_all_pages = ~std::uint64_t{0};

/// Address space alone: what is never written takes no memory.
std::byte *reserve(std::size_t size) {
  void *const bytes = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return bytes == MAP_FAILED ? nullptr : static_cast<std::byte *>(bytes); // NOLINT: MAP_FAILED is a cast
}

} // namespace

void MemoryCopy::Unmap::operator()(std::byte *bytes) const { ::munmap(bytes, k_most_bytes); }

MemoryCopy::MemoryCopy(RemoteMemory &remote) : remote_(remote), bytes_(reserve(k_most_bytes)), full_(!bytes_) {}

/// Reads a part, and finds out which of its pages there are.
void MemoryCopy::read_pages(std::size_t index) {
  static_assert(k_pages == 64, "a bit each");
  constexpr std::size_t k_page = std::size_t{1} << k_page_bits;
  std::array<RemoteRange, k_pages> pages;
  for (std::size_t i = 0; i < k_pages; ++i) {
    pages[i] = {parts_[index].start + i * k_page, k_page};
  }
  std::vector<bool> whole;
  const ReadStatus status = remote_.read_each(pages, place(index), whole);
  parts_[index].pages = 0;
  for (std::size_t i = 0; i < k_pages && status == ReadStatus::ok; ++i) {
    parts_[index].pages |= std::uint64_t{whole[i]} << i;
  }
  status_ = status == ReadStatus::ok ? status_ : status;
}

/// The part that this address is in, read if it is missing.
std::size_t MemoryCopy::part_of(Address address) {
  const Address start = address & ~(Address{k_part} - 1);
  if (last_ < parts_.size() && parts_[last_].start == start) {
    return last_;
  }
  if (const auto found = index_.find(start); found != index_.end()) {
    return last_ = found->second;
  }
  if (address >= k_end) {
    return k_none;
  }
  full_ = full_ || (parts_.size() + 1) * k_part > k_most_bytes;
  if (full_) {
    return k_none;
  }
  last_ = parts_.size();
  parts_.push_back({start, 0});
  index_.emplace(start, last_);
  read_pages(last_);
  grew_ = true;
  return last_;
}

/// Null if it cannot be read.
const std::byte *MemoryCopy::within_part(Address address, std::size_t size) {
  const std::size_t index = part_of(address);
  if (index == k_none || size == 0) {
    return nullptr;
  }
  const std::size_t within = address & (k_part - 1);
  const std::size_t first = within >> k_page_bits;
  const std::size_t last = (within + size - 1) >> k_page_bits;
  for (std::size_t page = first; page <= last; ++page) {
    if ((parts_[index].pages >> page & 1U) == 0) {
      return nullptr;
    }
  }
  return place(index) + within;
}

const std::byte *MemoryCopy::view(Address address, std::size_t size) {
  if ((address & (k_part - 1)) + size <= k_part) {
    return within_part(address, size);
  }
  return copy(address, across_.data(), std::min(size, across_.size())) ? across_.data() : nullptr;
}

bool MemoryCopy::copy(Address address, void *out, std::size_t size) {
  auto *to = static_cast<std::byte *>(out);
  while (size > 0) {
    const std::size_t part = std::min(size, k_part - (address & (k_part - 1)));
    const std::byte *const from = within_part(address, part);
    if (from == nullptr) {
      return false;
    }
    std::memcpy(to, from, part);
    to += part;
    address += part;
    size -= part;
  }
  return true;
}

bool MemoryCopy::refresh(std::int64_t deadline_ns) {
  constexpr std::size_t k_at_once = 32; // 8 MiB: two milliseconds
  std::array<RemoteRange, k_at_once> ranges;
  for (std::size_t index = 0; index < parts_.size() && status_ == ReadStatus::ok;) {
    std::size_t count = 0;
    while (count < k_at_once && index + count < parts_.size() && parts_[index + count].pages == k_all_pages) {
      ranges[count] = {parts_[index + count].start, k_part};
      ++count;
    }
    const bool whole = count > 0 && remote_.read(std::span(ranges).first(count), place(index)).status == ReadStatus::ok;
    const std::size_t end = index + std::max<std::size_t>(count, 1);
    for (; index < end; ++index) {
      if (!whole) {
        read_pages(index);
      }
    }
    if (monotonic_ns() > deadline_ns) {
      return false;
    }
  }
  grew_ = false;
  return status_ == ReadStatus::ok;
}

} // namespace awaitscope
