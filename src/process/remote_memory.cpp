#include "awaitscope/process/remote_memory.hpp"

#include <algorithm>
#include <array>
#include <cerrno>

#include <sys/uio.h>

namespace awaitscope {
namespace {

constexpr std::size_t k_ranges_per_call = 1024; // UIO_MAXIOV

ReadStatus status_of(int error) {
  switch (error) {
  case ESRCH:
    return ReadStatus::gone;
  case EPERM:
    return ReadStatus::denied;
  default:
    return ReadStatus::fault;
  }
}

} // namespace

ReadStatus RemoteMemory::read(Address address, void *out, std::size_t size) {
  const RemoteRange range{address, size};
  const Outcome outcome = read(std::span(&range, 1), static_cast<std::byte *>(out));
  if (outcome.status == ReadStatus::ok && outcome.bytes != size) {
    return ReadStatus::fault;
  }
  return outcome.status;
}

ReadStatus RemoteMemory::read_each(std::span<const RemoteRange> ranges, std::byte *out, std::vector<bool> &whole) {
  whole.assign(ranges.size(), false);
  std::size_t next = 0;
  while (next < ranges.size()) {
    const Outcome outcome = read(ranges.subspan(next), out);
    if (outcome.status == ReadStatus::gone || outcome.status == ReadStatus::denied) {
      return outcome.status;
    }
    std::size_t left = outcome.bytes; // a part of the failed range may be among them
    while (next < ranges.size() && ranges[next].size <= left) {
      left -= ranges[next].size;
      out += ranges[next].size;
      whole[next++] = true;
    }
    if (next < ranges.size()) {
      std::fill_n(out, ranges[next].size, std::byte{});
      out += ranges[next++].size;
    }
  }
  return ReadStatus::ok;
}

RemoteMemory::Outcome ProcessMemory::read(std::span<const RemoteRange> ranges, std::byte *out) {
  Outcome total;
  while (!ranges.empty()) {
    std::array<iovec, k_ranges_per_call> remote; // NOLINT: 16 KiB, of which `count` entries are set
    const std::size_t count = std::min(ranges.size(), k_ranges_per_call);
    std::size_t wanted = 0;
    for (std::size_t i = 0; i < count; ++i) {
      // An address of the other process: never dereferenced here.
      remote[i] = {reinterpret_cast<void *>(ranges[i].address), ranges[i].size}; // NOLINT
      wanted += ranges[i].size;
    }
    const iovec local{out + total.bytes, wanted};
    const ssize_t got = ::process_vm_readv(pid_, &local, 1, remote.data(), count, 0);
    if (got < 0) {
      total.status = status_of(errno);
      return total;
    }
    total.bytes += static_cast<std::size_t>(got);
    // One bad range ends the copy early, with success and old bytes behind it (process_vm_readv(2), NOTES).
    if (static_cast<std::size_t>(got) != wanted) {
      total.status = ReadStatus::fault;
      return total;
    }
    ranges = ranges.subspan(count);
  }
  return total;
}

} // namespace awaitscope
