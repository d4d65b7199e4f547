#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>

namespace awaitscope {

/// Bytes that grow where they are if there is room, and else without both copies in memory at once: realloc(3) moves what is large by
/// mremap(2). What was never written takes no memory, and holds anything.
class GrowingBytes {
public:
  [[nodiscard]] std::byte *data() { return bytes_.get(); }
  [[nodiscard]] const std::byte *data() const { return bytes_.get(); }

  /// Room for so many. Moves what there is.
  void make_room(std::size_t size) {
    if (size <= size_) {
      return;
    }
    const std::size_t room = std::max(size, size_ * 2);
    void *moved = std::realloc(bytes_.get(), room); // NOLINT(cppcoreguidelines-no-malloc): as said above
    if (moved == nullptr) {
      throw std::bad_alloc();
    }
    static_cast<void>(bytes_.release());
    bytes_.reset(static_cast<std::byte *>(moved));
    size_ = room;
  }

private:
  struct Free {
    void operator()(std::byte *bytes) const { std::free(bytes); } // NOLINT(cppcoreguidelines-no-malloc)
  };
  std::unique_ptr<std::byte, Free> bytes_;
  std::size_t size_ = 0;
};

} // namespace awaitscope
