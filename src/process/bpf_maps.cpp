#include "awaitscope/process/bpf_maps.hpp"

#include <algorithm>
#include <atomic>

#include <poll.h>
#include <sys/mman.h>

#include "awaitscope/support/clock.hpp"
#include "bpf_call.hpp"

namespace awaitscope {
namespace {

/// Of one entry.
UniqueFd create_array(bpf_map_type type, std::size_t value_size, std::uint32_t flags) {
  bpf_attr attributes{};
  attributes.map_type = type;
  attributes.key_size = sizeof(std::uint32_t);
  attributes.value_size = static_cast<std::uint32_t>(value_size);
  attributes.max_entries = 1;
  attributes.map_flags = flags;
  return UniqueFd(call_bpf(BPF_MAP_CREATE, attributes));
}

std::atomic_ref<std::uint64_t> position(void *page) { return std::atomic_ref(*static_cast<std::uint64_t *>(page)); }

} // namespace

BpfMemory::BpfMemory(std::size_t size) : map_(create_array(BPF_MAP_TYPE_ARRAY, size, BPF_F_MMAPABLE)), size_(size) {
  void *const mapped = ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, map_.get(), 0);
  data_ = mapped == MAP_FAILED ? nullptr : static_cast<std::byte *>(mapped); // NOLINT: a macro of the C library
}

BpfMemory::~BpfMemory() {
  if (data_ != nullptr) {
    ::munmap(data_, size_);
  }
}

BpfEvent::BpfEvent() : map_(create_array(BPF_MAP_TYPE_PERF_EVENT_ARRAY, sizeof(std::uint32_t), 0)) {}

bool BpfEvent::set(int event) {
  const std::uint32_t first = 0;
  bpf_attr attributes{};
  attributes.map_fd = static_cast<std::uint32_t>(map_.get());
  attributes.key = address_of(&first);
  attributes.value = address_of(&event);
  return call_bpf(BPF_MAP_UPDATE_ELEM, attributes) == 0;
}

BpfWakeup::BpfWakeup() : page_size_(static_cast<std::size_t>(::sysconf(_SC_PAGESIZE))) {
  bpf_attr attributes{};
  attributes.map_type = BPF_MAP_TYPE_RINGBUF;
  attributes.max_entries = static_cast<std::uint32_t>(page_size_);
  map_ = UniqueFd(call_bpf(BPF_MAP_CREATE, attributes));
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
