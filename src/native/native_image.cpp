#include "awaitscope/native/native_image.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include <dwarf.h>
#include <elf.h>

#include "cfi_check.hpp"

namespace awaitscope {
namespace {

/// An entry of the table in .eh_frame_hdr (Linux Standard Base, Core, 10.6.2), for the one encoding that linkers write.
struct SearchEntry {
  std::int32_t function = 0;
  std::int32_t description = 0;
};
constexpr std::uint8_t k_entry_encoding = DW_EH_PE_datarel | DW_EH_PE_sdata4;

} // namespace

NativeImage::NativeImage(ElfImage file, Address bias, const std::string &path) : file_(std::move(file)), bias_(bias) {
  constexpr std::string_view k_deleted = " (deleted)"; // fs/d_path.c
  const std::size_t name = path.rfind('/') + 1;
  folder_ = path.substr(0, name == 0 ? 0 : name - 1);
  name_ = path.substr(name);
  if (name_.ends_with(k_deleted)) {
    name_.resize(name_.size() - k_deleted.size());
  }
  read_header();
}

void NativeImage::read_header() {
  const auto &segments = file_.segments();
  const auto header = std::find_if(segments.begin(), segments.end(),
                                   [](const ElfSegment &segment) { return segment.type == PT_GNU_EH_FRAME; });
  if (header == segments.end()) {
    return;
  }
  const Address begin = header->address + bias_;
  std::array<std::uint8_t, 4> head{}; // version, encodings of: the pointer to .eh_frame, the count, the table
  if (!read(begin, head.data(), head.size()) || head[0] != 1 || head[2] != DW_EH_PE_udata4 ||
      head[3] != k_entry_encoding) {
    return;
  }
  const std::uint8_t format = head[1] & 0x0FU;
  const bool is_word = format == DW_EH_PE_udata4 || format == DW_EH_PE_sdata4;
  const Address count_at = begin + head.size() + (is_word ? 4 : 8);
  std::uint32_t count = 0;
  if (!read(count_at, &count, sizeof count)) {
    return;
  }
  table_ = begin;
  entries_ = count_at + sizeof count;
  entry_count_ = std::min<std::uint64_t>(count, header->file_size / sizeof(SearchEntry));
}

const NativeImage::Block *NativeImage::block(std::uint64_t number) {
  if (const auto known = blocks_.find(number); known != blocks_.end()) {
    return &known->second;
  }
  if (bytes_ + k_block > k_max_bytes) {
    return nullptr;
  }
  bytes_ += k_block;
  return &blocks_.emplace(number, file_.read(number * k_block, k_block)).first->second;
}

bool NativeImage::read(Address address, void *out, std::size_t size) {
  constexpr std::uint64_t k_word =
      sizeof(std::uint64_t); // libunwind reads whole ones, which may end behind the segment
  const Address at = address - bias_;
  const auto &segments = file_.segments();
  const auto segment = std::find_if(segments.begin(), segments.end(), [&](const ElfSegment &candidate) {
    const std::uint64_t end = candidate.file_size + k_word - 1;
    return candidate.type == PT_LOAD && at >= candidate.address && at - candidate.address < end &&
           end - (at - candidate.address) >= size;
  });
  if (segment == segments.end()) {
    return false;
  }
  std::uint64_t offset = segment->offset + (at - segment->address);
  auto *to = static_cast<char *>(out);
  while (size > 0) {
    const Block *const from = block(offset / k_block);
    const std::size_t begin = offset % k_block;
    if (from == nullptr || begin >= from->size()) {
      return false;
    }
    const std::size_t part = std::min(size, from->size() - begin);
    to = std::copy_n(from->data() + begin, part, to);
    offset += part;
    size -= part;
  }
  return true;
}

bool NativeImage::is_sound(Address description) {
  const auto [known, added] = checked_.try_emplace(description, false);
  if (added) {
    known->second = is_sound_description(
        [this](Address address, void *out, std::size_t size) { return read(address, out, size); }, description);
  }
  return known->second;
}

std::optional<NativeImage::UnwindEntry> NativeImage::find_unwind_entry(Address instruction) {
  const auto offset = static_cast<std::int64_t>(instruction - table_);
  if (table_ == 0 || offset != static_cast<std::int32_t>(offset)) {
    return std::nullopt;
  }
  const auto entry_at = [this](std::size_t index) {
    SearchEntry entry;
    return read(entries_ + index * sizeof entry, &entry, sizeof entry) ? std::optional(entry) : std::nullopt;
  };
  std::size_t begin = 0;
  std::size_t end = entry_count_;
  while (begin < end) { // the first one behind the instruction
    const std::size_t middle = begin + (end - begin) / 2;
    const std::optional<SearchEntry> entry = entry_at(middle);
    if (!entry) {
      return std::nullopt;
    }
    if (entry->function <= offset) {
      begin = middle + 1;
    } else {
      end = middle;
    }
  }
  const std::optional<SearchEntry> entry = begin == 0 ? std::nullopt : entry_at(begin - 1);
  if (!entry || !is_sound(table_ + static_cast<Address>(std::int64_t{entry->description}))) {
    return std::nullopt;
  }
  return UnwindEntry{table_, entries_ + (begin - 1) * sizeof(SearchEntry)};
}

} // namespace awaitscope
