#include <algorithm>
#include <array>

#include "awaitscope/cpython/runtime.hpp"
#include "images.hpp"

namespace awaitscope {
namespace {

// nptl/descr.h, struct pthread.tid of glibc 2.17 to 2.43 on x86-64. Others are looked for.
constexpr Offset k_glibc_tid = 720;
constexpr Offset k_descriptor_size = 1024;

} // namespace

std::optional<std::int64_t> find_rseq_offset(const Process &process, RemoteMemory &memory) {
  const Result<std::vector<MapEntry>> maps = process.maps();
  if (!maps) {
    return std::nullopt;
  }
  for (const Image &image : images_of(*maps, {})) {
    const bool loader =
        image.path.find("/ld-linux") != std::string::npos || image.path.find("/ld-2.") != std::string::npos;
    const std::optional<Candidate> candidate = loader ? open_candidate(process, image) : std::nullopt;
    if (!candidate) {
      continue;
    }
    const auto offset_symbol = candidate->elf.symbol("__rseq_offset");
    const auto size_symbol = candidate->elf.symbol("__rseq_size");
    std::int64_t offset = 0;
    std::uint32_t size = 0;
    if (offset_symbol && size_symbol &&
        memory.read(candidate->bias + offset_symbol->address, &offset, sizeof offset) == ReadStatus::ok &&
        memory.read(candidate->bias + size_symbol->address, &size, sizeof size) == ReadStatus::ok && size != 0) {
      return offset;
    }
  }
  return std::nullopt;
}

Offset find_descriptor_tid(const Process &process, RemoteMemory &memory, const std::vector<Address> &thread_pointers) {
  std::vector<ThreadId> live;
  for (const ThreadId tid : process.threads()) {
    live.push_back(process.inner_id(tid));
  }
  using Descriptor = std::array<std::int32_t, k_descriptor_size / sizeof(std::int32_t)>;
  std::vector<Descriptor> descriptors(thread_pointers.size());
  for (std::size_t i = 0; i < thread_pointers.size(); ++i) {
    if (memory.read(thread_pointers[i], descriptors[i].data(), k_descriptor_size) != ReadStatus::ok) {
      return k_absent;
    }
  }
  const auto holds_tids = [&](Offset offset) {
    return std::all_of(descriptors.begin(), descriptors.end(), [&](const Descriptor &descriptor) {
      return std::find(live.begin(), live.end(), descriptor[offset / sizeof(std::int32_t)]) != live.end();
    });
  };
  if (descriptors.empty() || holds_tids(k_glibc_tid)) {
    return descriptors.empty() ? k_absent : k_glibc_tid;
  }
  for (Offset offset = 0; offset < k_descriptor_size; offset += sizeof(std::int32_t)) {
    if (holds_tids(offset)) {
      return offset;
    }
  }
  return k_absent;
}

} // namespace awaitscope
