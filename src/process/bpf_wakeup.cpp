#include "awaitscope/process/bpf_wakeup.hpp"

#include <algorithm>
#include <atomic>

#include <linux/bpf.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "awaitscope/support/clock.hpp"

namespace awaitscope {
namespace {

std::atomic_ref<std::uint64_t> position(void *page) { return std::atomic_ref(*static_cast<std::uint64_t *>(page)); }

} // namespace

BpfWakeup::BpfWakeup() : page_size_(static_cast<std::size_t>(::sysconf(_SC_PAGESIZE))) {
  bpf_attr attributes{};
  attributes.map_type = BPF_MAP_TYPE_RINGBUF;
  attributes.max_entries = static_cast<std::uint32_t>(page_size_);
  map_ = UniqueFd(static_cast<int>(::syscall(SYS_bpf, BPF_MAP_CREATE, &attributes, sizeof attributes)));
  if (map_.valid()) {
    consumed_ = map_page(PROT_READ | PROT_WRITE, 0);
    produced_ = map_page(PROT_READ, 1);
  }
}

void *BpfWakeup::map_page(int protection, std::size_t page) const {
  void *const mapped =
      ::mmap(nullptr, page_size_, protection, MAP_SHARED, map_.get(), static_cast<off_t>(page * page_size_));
  return mapped == MAP_FAILED ? nullptr : mapped; // NOLINT: a macro of the C library
}

BpfWakeup::~BpfWakeup() {
  for (void *const page : {consumed_, produced_}) {
    if (page != nullptr) {
      ::munmap(page, page_size_);
    }
  }
}

void BpfWakeup::wait(std::int64_t until_ns) {
  const std::int64_t left = std::max<std::int64_t>(0, until_ns - monotonic_ns());
  const timespec timeout{left / k_ns_per_second, left % k_ns_per_second};
  pollfd ring{map_.get(), POLLIN, 0};
  ::ppoll(&ring, 1, &timeout, nullptr);
  position(consumed_).store(position(produced_).load());
}

} // namespace awaitscope
