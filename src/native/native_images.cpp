#include "awaitscope/native/native_images.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <functional>
#include <string_view>

#include <fmt/format.h>
#include <sys/mman.h>

namespace awaitscope {
namespace {

constexpr std::size_t k_max_images = 4096;
constexpr std::string_view k_vdso = "[vdso]";

/// A descriptor of these bytes, as of a file.
UniqueFd memory_file(std::string_view bytes) {
  UniqueFd file(::memfd_create("vdso", MFD_CLOEXEC));
  const bool whole =
      file.valid() && ::write(file.get(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size());
  return whole ? std::move(file) : UniqueFd();
}

} // namespace

bool NativeImages::refresh() {
  const Result<std::vector<MapEntry>> entries = process_.maps();
  if (!entries) {
    return false;
  }
  std::string all;
  std::vector<Mapping> mappings;
  for (const MapEntry &entry : *entries) {
    mappings.push_back({entry, nullptr, false});
    if (entry.executable) {
      all += fmt::format("{:x} {:x} {} {}\n", entry.start, entry.end, entry.inode, entry.path);
    }
  }
  const std::size_t digest = std::hash<std::string>{}(all);
  const bool changed = digest != digest_;
  digest_ = digest;
  if (!changed) { // of what is not executable: its images stay
    for (Mapping &mapping : mappings) {
      const Mapping *const known = find(mapping.entry.start);
      if (known != nullptr && known->entry.start == mapping.entry.start && known->entry.inode == mapping.entry.inode &&
          known->entry.path == mapping.entry.path) {
        mapping.image = known->image;
        mapping.searched = known->searched;
      }
    }
  }
  mappings_ = std::move(mappings);
  return changed;
}

const NativeImages::Mapping *NativeImages::find(Address address) const {
  const auto behind =
      std::upper_bound(mappings_.begin(), mappings_.end(), address,
                       [](Address wanted, const Mapping &mapping) { return wanted < mapping.entry.start; });
  return behind == mappings_.begin() || address >= std::prev(behind)->entry.end ? nullptr : &*std::prev(behind);
}

bool NativeImages::is_code(Address address) const {
  const Mapping *const mapping = find(address);
  return mapping != nullptr && mapping->entry.executable;
}

std::optional<Address> NativeImages::end_of_stack(Address stack_pointer) const {
  constexpr Address k_growth = Address{1} << 20U; // of the main thread's stack since the mappings were read
  const auto next = std::find_if(mappings_.begin(), mappings_.end(), [&](const Mapping &mapping) {
    return stack_pointer < mapping.entry.end && mapping.entry.writable;
  });
  if (next == mappings_.end() || (stack_pointer < next->entry.start && next->entry.start - stack_pointer > k_growth)) {
    return std::nullopt;
  }
  return next->entry.end;
}

NativeImage *NativeImages::image_at(Address address) {
  auto *const mapping =
      const_cast<Mapping *>(find(address)); // NOLINT(cppcoreguidelines-pro-type-const-cast): it is ours
  if (mapping == nullptr) {
    return nullptr;
  }
  if (!mapping->searched) {
    mapping->searched = true;
    mapping->image = open(mapping->entry);
  }
  return mapping->image;
}

NativeImage *NativeImages::open(const MapEntry &entry) {
  const bool is_vdso = entry.path == k_vdso;
  if (!is_vdso && (entry.inode == 0 || entry.path.empty() || entry.path.front() != '/')) {
    return nullptr;
  }
  const FileKey key{entry.path, entry.inode};
  const auto [begin, end] = images_.equal_range(key);
  for (auto known = begin; known != end; ++known) {
    const NativeImage &image = *known->second;
    if (image.file().load_bias(entry) == image.bias()) {
      return known->second.get();
    }
  }
  std::optional<ElfImage> file = is_vdso ? copy_vdso(entry) : open_file(entry);
  const std::optional<Address> bias = file ? file->load_bias(entry) : std::nullopt;
  if (!bias || images_.size() >= k_max_images) {
    return nullptr;
  }
  return images_.emplace(key, std::make_unique<NativeImage>(std::move(*file), *bias, entry.path))->second.get();
}

std::optional<ElfImage> NativeImages::open_file(const MapEntry &entry) const {
  std::optional<ElfImage> file = process_.open_mapped(entry);
  return file && is_mapped_file(*file, entry) ? std::move(file) : std::nullopt;
}

/// The head of a file is mapped and never written: its ELF header, and mostly its build ID.
bool NativeImages::is_mapped_file(const ElfImage &file, const MapEntry &entry) const {
  constexpr std::size_t k_head = 1024;
  const auto first = std::find_if(mappings_.begin(), mappings_.end(), [&](const Mapping &mapping) {
    return mapping.entry.inode == entry.inode && mapping.entry.path == entry.path && mapping.entry.file_offset == 0 &&
           mapping.entry.readable;
  });
  if (first == mappings_.end()) {
    return true;
  }
  std::array<char, k_head> mapped{};
  const std::string head = file.read(0, k_head);
  ProcessMemory memory = process_.memory();
  const ReadStatus status = memory.read(first->entry.start, mapped.data(), head.size());
  return status == ReadStatus::ok && std::memcmp(mapped.data(), head.data(), head.size()) == 0;
}

std::optional<ElfImage> NativeImages::copy_vdso(const MapEntry &entry) const {
  constexpr Address k_longest = Address{1} << 20U;
  std::string bytes(std::min(entry.end - entry.start, k_longest), '\0');
  ProcessMemory memory = process_.memory();
  if (memory.read(entry.start, bytes.data(), bytes.size()) != ReadStatus::ok) {
    return std::nullopt;
  }
  const UniqueFd file = memory_file(bytes);
  return file.valid() ? ElfImage::open(fmt::format("/proc/self/fd/{}", file.get())) : std::nullopt;
}

} // namespace awaitscope
