#pragma once

#include <cstring>
#include <functional>
#include <map>
#include <vector>

#include "awaitscope/process/remote_memory.hpp"

namespace awaitscope::test {

/// Memory of pages that a test fills, unmaps and changes under a reader's hands.
class FakeMemory final : public RemoteMemory {
public:
  static constexpr Address k_page = 4096;

  template <typename T> void put(Address address, const T &value) { put_bytes(address, &value, sizeof value); }
  void put_bytes(Address address, const void *data, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) {
      page(address + i)[(address + i) % k_page] = static_cast<const std::byte *>(data)[i];
    }
  }
  void unmap(Address address) { pages_.erase(address / k_page); }

  /// Called before each system call that a real reader would make.
  std::function<void()> before_read = [] {};
  ReadStatus answer = ReadStatus::ok;
  std::size_t calls = 0;

  Outcome read(std::span<const RemoteRange> ranges, std::byte *out) override {
    ++calls;
    before_read();
    Outcome outcome{answer, 0};
    for (const RemoteRange &range : ranges) {
      for (std::size_t i = 0; i < range.size && outcome.status == ReadStatus::ok; ++i) {
        const auto page = pages_.find((range.address + i) / k_page);
        if (page == pages_.end()) {
          outcome.status = ReadStatus::fault;
        } else {
          out[outcome.bytes++] = page->second[(range.address + i) % k_page];
        }
      }
    }
    return outcome;
  }
  using RemoteMemory::read;

private:
  std::vector<std::byte> &page(Address address) {
    std::vector<std::byte> &bytes = pages_[address / k_page];
    bytes.resize(k_page);
    return bytes;
  }
  std::map<Address, std::vector<std::byte>> pages_;
};

} // namespace awaitscope::test
