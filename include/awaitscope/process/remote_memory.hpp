#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "awaitscope/model/ids.hpp"

namespace awaitscope {

enum class ReadStatus : std::uint8_t {
  ok,
  fault,  ///< the address is not mapped (any more)
  gone,   ///< the process has ended
  denied, ///< ptrace access was refused
};

struct RemoteRange {
  Address address = 0;
  std::size_t size = 0;
};

/// The memory of another process, read only. An interface so that tests can tear and fault on command.
class RemoteMemory {
public:
  RemoteMemory() = default;
  RemoteMemory(const RemoteMemory &) = delete;
  RemoteMemory &operator=(const RemoteMemory &) = delete;
  virtual ~RemoteMemory() = default;

  struct Outcome {
    ReadStatus status = ReadStatus::ok;
    std::size_t bytes = 0; ///< read before the first failure, from the first range on
  };

  /// Copies the ranges, in this order, one behind the other into `out`, which holds the sum of their sizes.
  virtual Outcome read(std::span<const RemoteRange> ranges, std::byte *out) = 0;

  /// Whole or not at all.
  ReadStatus read(Address address, void *out, std::size_t size);

  /// As the first, but of a range that cannot be read goes on behind it: `whole` says which were. Of the others the bytes are
  /// zero. `gone` or `denied` if the process cannot be read any more, else ok.
  ReadStatus read_each(std::span<const RemoteRange> ranges, std::byte *out, std::vector<bool> &whole);
};

/// process_vm_readv(2). At most IOV_MAX ranges a system call; larger batches are split.
class ProcessMemory final : public RemoteMemory {
public:
  explicit ProcessMemory(ThreadId pid) : pid_(pid) {}
  Outcome read(std::span<const RemoteRange> ranges, std::byte *out) override;
  using RemoteMemory::read;

private:
  ThreadId pid_;
};

} // namespace awaitscope
