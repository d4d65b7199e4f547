#include "awaitscope/process/elf_image.hpp"

#include <array>

#include <fcntl.h>
#include <gelf.h>

#include "elf_dynamic.hpp"

namespace awaitscope {
namespace {

constexpr Address k_page_mask = 4095;

const char *section_name(Elf *elf, Elf_Scn *section, GElf_Shdr &header) {
  std::size_t names = 0;
  if (gelf_getshdr(section, &header) == nullptr || elf_getshdrstrndx(elf, &names) != 0) {
    return nullptr;
  }
  return elf_strptr(elf, names, header.sh_name);
}

Elf_Scn *find_section(Elf *elf, std::string_view wanted, GElf_Shdr &header) {
  Elf_Scn *section = nullptr;
  while ((section = elf_nextscn(elf, section)) != nullptr) {
    const char *name = section_name(elf, section, header);
    if (name != nullptr && wanted == name) {
      return section;
    }
  }
  return nullptr;
}

std::optional<ElfSpan> find_in_table(Elf *elf, Elf_Scn *section, const GElf_Shdr &header, std::string_view wanted) {
  Elf_Data *data = elf_getdata(section, nullptr);
  if (data == nullptr || header.sh_entsize == 0) {
    return std::nullopt;
  }
  const auto count = static_cast<int>(data->d_size / header.sh_entsize);
  for (int i = 0; i < count; ++i) {
    GElf_Sym symbol;
    if (gelf_getsym(data, i, &symbol) == nullptr || symbol.st_shndx == SHN_UNDEF) {
      continue;
    }
    const char *name = elf_strptr(elf, header.sh_link, symbol.st_name);
    if (name != nullptr && wanted == name) {
      return ElfSpan{symbol.st_value, symbol.st_size};
    }
  }
  return std::nullopt;
}

} // namespace

void ElfImage::ElfEnd::operator()(Elf *elf) const { elf_end(elf); }

std::optional<ElfImage> ElfImage::open(const std::string &path) {
  if (elf_version(EV_CURRENT) == EV_NONE) {
    return std::nullopt;
  }
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd.valid()) {
    return std::nullopt;
  }
  std::unique_ptr<Elf, ElfEnd> elf(elf_begin(fd.get(), ELF_C_READ_MMAP, nullptr));
  GElf_Ehdr header;
  if (elf == nullptr || elf_kind(elf.get()) != ELF_K_ELF || gelf_getehdr(elf.get(), &header) == nullptr ||
      header.e_machine != EM_X86_64) {
    return std::nullopt;
  }
  return ElfImage(std::move(fd), std::move(elf));
}

std::optional<ElfSpan> ElfImage::symbol(std::string_view name) const {
  for (const GElf_Word type : std::array<GElf_Word, 2>{SHT_DYNSYM, SHT_SYMTAB}) {
    Elf_Scn *section = nullptr;
    while ((section = elf_nextscn(elf_.get(), section)) != nullptr) {
      GElf_Shdr header;
      if (gelf_getshdr(section, &header) == nullptr || header.sh_type != type) {
        continue;
      }
      if (const auto found = find_in_table(elf_.get(), section, header, name)) {
        return found;
      }
    }
  }
  std::size_t sections = 0;
  if (elf_getshdrnum(elf_.get(), &sections) == 0 && sections != 0) {
    return std::nullopt;
  }
  return find_dynamic_symbol(raw_bytes(), segments(), name);
}

std::string_view ElfImage::raw_bytes() const {
  std::size_t size = 0;
  const char *bytes = elf_rawfile(elf_.get(), &size);
  return bytes == nullptr ? std::string_view() : std::string_view(bytes, size);
}

std::vector<ElfSegment> ElfImage::segments() const {
  std::vector<ElfSegment> found;
  std::size_t count = 0;
  if (elf_getphdrnum(elf_.get(), &count) != 0) {
    return found;
  }
  for (std::size_t i = 0; i < count; ++i) {
    GElf_Phdr header;
    if (gelf_getphdr(elf_.get(), static_cast<int>(i), &header) != nullptr) {
      found.push_back({header.p_type, header.p_flags, header.p_offset, header.p_vaddr, header.p_filesz});
    }
  }
  return found;
}

std::vector<std::string_view> ElfImage::read_only_segments() const {
  const std::string_view bytes = raw_bytes();
  std::vector<std::string_view> plain;
  std::vector<std::string_view> code;
  for (const ElfSegment &segment : segments()) {
    if (segment.type == PT_LOAD && (segment.flags & PF_W) == 0 && segment.offset < bytes.size()) {
      const std::string_view part = bytes.substr(segment.offset, segment.file_size);
      ((segment.flags & PF_X) == 0 ? plain : code).push_back(part);
    }
  }
  plain.insert(plain.end(), code.begin(), code.end());
  return plain;
}

std::optional<ElfSpan> ElfImage::section(std::string_view name) const {
  GElf_Shdr header;
  if (find_section(elf_.get(), name, header) == nullptr) {
    return std::nullopt;
  }
  return ElfSpan{header.sh_addr, header.sh_size};
}

std::string_view ElfImage::section_bytes(std::string_view name) const {
  GElf_Shdr header;
  Elf_Scn *section = find_section(elf_.get(), name, header);
  Elf_Data *data = section == nullptr ? nullptr : elf_rawdata(section, nullptr);
  if (data == nullptr || data->d_buf == nullptr) {
    return {};
  }
  return {static_cast<const char *>(data->d_buf), data->d_size};
}

std::optional<Address> ElfImage::load_bias(const MapEntry &mapping) const {
  for (const ElfSegment &segment : segments()) {
    const std::uint64_t first = segment.offset & ~k_page_mask;
    if (segment.type == PT_LOAD && mapping.file_offset >= first &&
        mapping.file_offset < segment.offset + segment.file_size) {
      return mapping.start - (segment.address & ~k_page_mask) - (mapping.file_offset - first);
    }
  }
  return std::nullopt;
}

} // namespace awaitscope
