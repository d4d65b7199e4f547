#include "elf_dynamic.hpp"

#include <algorithm>
#include <cstring>

#include <elf.h>

namespace awaitscope {
namespace {

template <typename T> std::optional<T> value_at(std::string_view file, std::uint64_t offset) {
  T value{};
  if (offset > file.size() || file.size() - offset < sizeof value) {
    return std::nullopt;
  }
  std::memcpy(&value, file.data() + offset, sizeof value);
  return value;
}

/// Where in the file an address of its own address space lies.
std::optional<std::uint64_t> file_offset(const std::vector<ElfSegment> &segments, Address address) {
  for (const ElfSegment &segment : segments) {
    if (segment.type == PT_LOAD && address >= segment.address && address - segment.address < segment.file_size) {
      return segment.offset + (address - segment.address);
    }
  }
  return std::nullopt;
}

struct Tables {
  Address symbols = 0;
  Address strings = 0;
  std::uint64_t strings_size = 0;
};

Tables dynamic_tables(std::string_view file, const std::vector<ElfSegment> &segments) {
  Tables tables;
  const auto dynamic = std::find_if(segments.begin(), segments.end(),
                                    [](const ElfSegment &segment) { return segment.type == PT_DYNAMIC; });
  if (dynamic == segments.end()) {
    return tables;
  }
  for (std::uint64_t at = 0; at + sizeof(Elf64_Dyn) <= dynamic->file_size; at += sizeof(Elf64_Dyn)) {
    const auto entry = value_at<Elf64_Dyn>(file, dynamic->offset + at);
    if (!entry || entry->d_tag == DT_NULL) {
      break;
    }
    if (entry->d_tag == DT_SYMTAB) {
      tables.symbols = entry->d_un.d_ptr;
    } else if (entry->d_tag == DT_STRTAB) {
      tables.strings = entry->d_un.d_ptr;
    } else if (entry->d_tag == DT_STRSZ) {
      tables.strings_size = entry->d_un.d_val;
    }
  }
  return tables;
}

} // namespace

std::optional<ElfSpan> find_dynamic_symbol(std::string_view file, const std::vector<ElfSegment> &segments,
                                           std::string_view name) {
  const Tables tables = dynamic_tables(file, segments);
  const std::optional<std::uint64_t> symbols = file_offset(segments, tables.symbols);
  const std::optional<std::uint64_t> strings = file_offset(segments, tables.strings);
  if (!symbols || !strings || *strings >= file.size()) {
    return std::nullopt;
  }
  const std::string_view names = file.substr(*strings, tables.strings_size);
  // No entry of PT_DYNAMIC says how many symbols there are. Linkers put the strings right behind them (GNU ld, gold, lld); where
  // another one does not, the first entry that names no string ends them.
  const std::uint64_t end = *strings > *symbols ? *strings : file.size();
  for (std::uint64_t at = *symbols; at + sizeof(Elf64_Sym) <= end; at += sizeof(Elf64_Sym)) {
    const auto symbol = value_at<Elf64_Sym>(file, at);
    if (!symbol || symbol->st_name >= names.size()) {
      break;
    }
    const std::string_view text = names.substr(symbol->st_name);
    if (symbol->st_shndx != SHN_UNDEF && text.size() > name.size() && text.substr(0, name.size()) == name &&
        text[name.size()] == '\0') {
      return ElfSpan{symbol->st_value, symbol->st_size};
    }
  }
  return std::nullopt;
}

} // namespace awaitscope
