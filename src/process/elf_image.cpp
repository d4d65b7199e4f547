#include "awaitscope/process/elf_image.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <elf.h>
#include <fcntl.h>
#include <unistd.h>

#include "elf_dynamic.hpp"

namespace awaitscope {
namespace {

constexpr Address k_page_mask = 4095;

/// The entry number `index` of a table; nothing if it is not there as a whole.
template <typename Entry> std::optional<Entry> entry_at(std::string_view table, std::size_t index) {
  Entry entry{};
  if (table.size() / sizeof entry <= index) {
    return std::nullopt;
  }
  std::memcpy(&entry, table.data() + index * sizeof entry, sizeof entry);
  return entry;
}

/// What begins at `offset`, up to its NUL; empty if it has none.
std::string_view text_at(std::string_view strings, std::uint64_t offset) {
  const std::size_t end = offset < strings.size() ? strings.find('\0', offset) : std::string_view::npos;
  return end == std::string_view::npos ? std::string_view() : strings.substr(offset, end - offset);
}

bool is_text(std::string_view strings, std::uint64_t offset, std::string_view text) {
  return offset < strings.size() && strings.size() - offset > text.size() &&
         strings.compare(offset, text.size(), text) == 0 && strings[offset + text.size()] == '\0';
}

bool is_readable(const Elf64_Ehdr &header) {
  return std::memcmp(&header.e_ident, ELFMAG, SELFMAG) == 0 && header.e_ident[EI_CLASS] == ELFCLASS64 &&
         header.e_ident[EI_DATA] == ELFDATA2LSB && header.e_machine == EM_X86_64;
}

} // namespace

std::string ElfImage::read(std::uint64_t offset, std::uint64_t size) const {
  constexpr std::size_t k_step = std::size_t{256} << 10U; // memory is taken for what is there, whatever a header claims
  constexpr std::uint64_t k_max_offset = INT64_MAX / 2;
  std::string bytes;
  while (bytes.size() < std::min<std::uint64_t>(size, k_max_part) && offset < k_max_offset) {
    const std::size_t at = bytes.size();
    const std::size_t step = std::min<std::size_t>(k_step, std::min<std::uint64_t>(size, k_max_part) - at);
    bytes.resize(at + step);
    const ssize_t got = ::pread(fd_.get(), bytes.data() + at, step, static_cast<off_t>(offset + at));
    bytes.resize(at + (got > 0 ? static_cast<std::size_t>(got) : 0));
    if (got == 0 || (got < 0 && errno != EINTR)) {
      break;
    }
  }
  return bytes;
}

std::optional<ElfImage> ElfImage::open(const std::string &path) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd.valid()) {
    return std::nullopt;
  }
  ElfImage image(std::move(fd));
  const std::optional<Elf64_Ehdr> header = entry_at<Elf64_Ehdr>(image.read(0, sizeof(Elf64_Ehdr)), 0);
  if (!header || !is_readable(*header)) {
    return std::nullopt;
  }
  if (header->e_phentsize == sizeof(Elf64_Phdr)) {
    image.read_segments(header->e_phoff, header->e_phnum);
  }
  if (header->e_shentsize == sizeof(Elf64_Shdr) && header->e_shoff != 0) {
    image.read_sections(header->e_shoff, header->e_shnum, header->e_shstrndx);
  }
  return image;
}

void ElfImage::read_segments(std::uint64_t offset, std::size_t count) {
  const std::string table = read(offset, count * sizeof(Elf64_Phdr));
  for (std::size_t i = 0; i < count; ++i) {
    if (const auto entry = entry_at<Elf64_Phdr>(table, i)) {
      segments_.push_back({entry->p_type, entry->p_flags, entry->p_offset, entry->p_vaddr, entry->p_filesz});
    }
  }
}

/// Files with more sections than the header can count (elf(5), e_shnum) are object files, and not loaded.
void ElfImage::read_sections(std::uint64_t offset, std::size_t count, std::size_t names) {
  constexpr std::size_t k_longest = 64; // of a name
  const std::string table = read(offset, count * sizeof(Elf64_Shdr));
  const auto named = entry_at<Elf64_Shdr>(table, names);
  const std::string texts = named ? read(named->sh_offset, named->sh_size) : std::string();
  for (std::size_t i = 0; i < count; ++i) {
    if (const auto entry = entry_at<Elf64_Shdr>(table, i)) {
      const std::uint64_t end = std::min<std::uint64_t>(texts.size(), entry->sh_name + k_longest);
      const std::string_view near = std::string_view(texts).substr(0, end);
      sections_.push_back({std::string(text_at(near, entry->sh_name)), entry->sh_type, entry->sh_link, entry->sh_offset,
                           entry->sh_size, entry->sh_addr});
    }
  }
}

std::optional<ElfSpan> ElfImage::find_in_table(const Section &table, std::string_view name) const {
  if (table.link >= sections_.size()) {
    return std::nullopt;
  }
  const std::string symbols = read(table.offset, table.size);
  const std::string names = read(sections_[table.link].offset, sections_[table.link].size);
  for (std::size_t i = 0; const auto symbol = entry_at<Elf64_Sym>(symbols, i); ++i) {
    if (symbol->st_shndx != SHN_UNDEF && is_text(names, symbol->st_name, name)) {
      return ElfSpan{symbol->st_value, symbol->st_size};
    }
  }
  return std::nullopt;
}

std::optional<ElfSpan> ElfImage::symbol(std::string_view name) const {
  for (const std::uint32_t type : std::array<std::uint32_t, 2>{SHT_DYNSYM, SHT_SYMTAB}) {
    // A linker makes one of each (elf(5), SHT_SYMTAB and SHT_DYNSYM).
    const auto table =
        std::find_if(sections_.begin(), sections_.end(), [&](const Section &section) { return section.type == type; });
    if (const auto found = table == sections_.end() ? std::nullopt : find_in_table(*table, name)) {
      return found;
    }
  }
  return sections_.empty() ? find_dynamic_symbol(read(0, k_max_part), segments_, name) : std::nullopt;
}

std::vector<std::string> ElfImage::read_only_segments() const {
  std::vector<std::string> plain;
  std::vector<std::string> code;
  std::uint64_t room = k_max_part; // of all together
  for (const ElfSegment &segment : segments_) {
    if (segment.type == PT_LOAD && (segment.flags & PF_W) == 0) {
      std::string part = read(segment.offset, std::min(segment.file_size, room));
      room -= part.size();
      if (!part.empty()) {
        ((segment.flags & PF_X) == 0 ? plain : code).push_back(std::move(part));
      }
    }
  }
  std::move(code.begin(), code.end(), std::back_inserter(plain));
  return plain;
}

const ElfImage::Section *ElfImage::find_section(std::string_view name) const {
  const auto found =
      std::find_if(sections_.begin(), sections_.end(), [&](const Section &section) { return section.name == name; });
  return found == sections_.end() ? nullptr : &*found;
}

std::optional<ElfSpan> ElfImage::section(std::string_view name) const {
  const Section *const found = find_section(name);
  return found == nullptr ? std::nullopt : std::optional(ElfSpan{found->address, found->size});
}

std::string ElfImage::section_bytes(std::string_view name) const {
  const Section *const found = find_section(name);
  return found == nullptr || found->type == SHT_NOBITS ? std::string() : read(found->offset, found->size);
}

std::optional<Address> ElfImage::load_bias(const MapEntry &mapping) const {
  for (const ElfSegment &segment : segments_) {
    const std::uint64_t first = segment.offset & ~k_page_mask;
    if (segment.type == PT_LOAD && mapping.file_offset >= first &&
        mapping.file_offset < segment.offset + segment.file_size) {
      return mapping.start - (segment.address & ~k_page_mask) - (mapping.file_offset - first);
    }
  }
  return std::nullopt;
}

} // namespace awaitscope
