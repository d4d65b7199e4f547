#include "awaitscope/native/symbol_table.hpp"

#include <algorithm>
#include <memory>

#include <fmt/format.h>
#include <gelf.h>
#include <lzma.h>

namespace awaitscope {
namespace {

struct EndElf {
  void operator()(Elf *elf) const { elf_end(elf); }
};
using UniqueElf = std::unique_ptr<Elf, EndElf>;

UniqueElf elf_of(int descriptor) {
  elf_version(EV_CURRENT);
  return UniqueElf(elf_begin(descriptor, ELF_C_READ, nullptr));
}

/// All sections of a file, as far as a header can count them.
template <typename Use> void for_sections(Elf &elf, const Use &use) {
  constexpr std::size_t k_most = 65536;
  std::size_t names = 0;
  if (elf_getshdrstrndx(&elf, &names) != 0) {
    return;
  }
  Elf_Scn *section = nullptr;
  for (std::size_t i = 0; i < k_most && (section = elf_nextscn(&elf, section)) != nullptr; ++i) {
    GElf_Shdr header{};
    if (gelf_getshdr(section, &header) == nullptr || header.sh_size > SymbolTable::k_max_part) {
      continue;
    }
    const char *const name = elf_strptr(&elf, names, header.sh_name);
    use(section, header, name == nullptr ? std::string_view() : std::string_view(name));
  }
}

std::string_view bytes_of(const Elf_Data *data) {
  return data == nullptr || data->d_buf == nullptr
             ? std::string_view()
             : std::string_view(static_cast<const char *>(data->d_buf), data->d_size);
}

/// The build ID among the notes of a section (GNU ABI, NT_GNU_BUILD_ID); empty if there is none.
std::string_view build_id_in(std::string_view notes, Elf_Data &data) {
  constexpr std::string_view k_owner("GNU\0", 4);
  GElf_Nhdr note{};
  std::size_t name = 0;
  std::size_t content = 0;
  for (std::size_t at = 0; at < notes.size();) {
    const std::size_t next = gelf_getnote(&data, at, &note, &name, &content); // within the section, or 0
    if (next <= at) {
      break;
    }
    if (note.n_type == NT_GNU_BUILD_ID && notes.substr(name, note.n_namesz) == k_owner) {
      return notes.substr(content, note.n_descsz);
    }
    at = next;
  }
  return {};
}

std::string build_id_of(Elf &elf) {
  std::string id;
  for_sections(elf, [&](Elf_Scn *section, const GElf_Shdr &header, std::string_view /*name*/) {
    Elf_Data *const data = header.sh_type == SHT_NOTE && id.empty() ? elf_getdata(section, nullptr) : nullptr;
    if (data != nullptr) {
      id = build_id_in(bytes_of(data), *data);
    }
  });
  return id;
}

/// The name of the file that was split from this one; empty if it has none.
std::string linked_file(Elf &elf) {
  std::string name;
  for_sections(elf, [&](Elf_Scn *section, const GElf_Shdr & /*header*/, std::string_view of_section) {
    if (of_section == ".gnu_debuglink") {
      const std::string_view bytes = bytes_of(elf_rawdata(section, nullptr));
      name = bytes.substr(0, bytes.find('\0'));
    }
  });
  return name;
}

std::string hexadecimal(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) {
    text += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  }
  return text;
}

/// What an .xz stream unpacks to, up to k_max_part bytes; empty if it is damaged.
std::string unpacked(std::string_view packed) {
  constexpr std::size_t k_step = std::size_t{256} << 10U;
  lzma_stream stream = LZMA_STREAM_INIT;
  if (lzma_stream_decoder(&stream, SymbolTable::k_max_part, 0) != LZMA_OK) {
    return {};
  }
  const std::unique_ptr<lzma_stream, void (*)(lzma_stream *)> end(&stream, lzma_end);
  std::string bytes;
  stream.next_in = reinterpret_cast<const std::uint8_t *>(packed.data()); // NOLINT: lzma's type of bytes
  stream.avail_in = packed.size();
  lzma_ret status = LZMA_OK;
  while (status == LZMA_OK && bytes.size() < SymbolTable::k_max_part) {
    const std::size_t at = bytes.size();
    bytes.resize(at + k_step);
    stream.next_out = reinterpret_cast<std::uint8_t *>(bytes.data() + at); // NOLINT: the same
    stream.avail_out = k_step;
    status = lzma_code(&stream, LZMA_FINISH);
    bytes.resize(at + k_step - stream.avail_out);
  }
  return status == LZMA_STREAM_END ? bytes : std::string();
}

/// Names for people before those of the library's insides: malloc before __libc_malloc.
std::uint8_t rank_of(const GElf_Sym &symbol, std::string_view name) {
  const bool local = GELF_ST_BIND(symbol.st_info) == STB_LOCAL;
  const std::size_t underscores = std::min<std::size_t>(name.find_first_not_of('_'), 3);
  return static_cast<std::uint8_t>(underscores * 2 + (local ? 1 : 0));
}

bool is_function(const GElf_Sym &symbol) {
  const auto type = GELF_ST_TYPE(symbol.st_info);
  return (type == STT_FUNC || type == STT_GNU_IFUNC) && symbol.st_shndx != SHN_UNDEF && symbol.st_value != 0;
}

} // namespace

SymbolTable::SymbolTable(const ElfImage &file, const std::vector<std::string> &roots, const std::string &folder) {
  if (const UniqueElf elf = elf_of(file.descriptor())) {
    add_all(*elf);
    add_packed(*elf);
    add_split(*elf, roots, folder);
  }
  finish();
}

void SymbolTable::add(Address address, std::uint64_t size, std::string_view name, std::uint8_t rank) {
  constexpr std::size_t k_longest = 0xFFFF;
  if (name.empty() || name.size() > k_longest || symbols_.size() >= k_max_symbols ||
      names_.size() + name.size() > k_max_part) {
    return;
  }
  symbols_.push_back({address, static_cast<std::uint32_t>(std::min<std::uint64_t>(size, UINT32_MAX)),
                      static_cast<std::uint32_t>(names_.size()), static_cast<std::uint16_t>(name.size()), rank});
  names_ += name;
}

void SymbolTable::add_table(Elf &elf, const void *section) {
  auto *const table = static_cast<Elf_Scn *>(const_cast<void *>(section)); // NOLINT: as libelf has it
  GElf_Shdr header{};
  Elf_Data *const data = elf_getdata(table, nullptr);
  if (data == nullptr || gelf_getshdr(table, &header) == nullptr) {
    return;
  }
  GElf_Shdr strings{};
  Elf_Scn *const names = elf_getscn(&elf, header.sh_link);
  if (names == nullptr || gelf_getshdr(names, &strings) == nullptr || strings.sh_size > k_max_part) {
    return;
  }
  GElf_Sym symbol{};
  for (int i = 0; symbols_.size() < k_max_symbols && gelf_getsym(data, i, &symbol) != nullptr; ++i) {
    const char *const name = is_function(symbol) ? elf_strptr(&elf, header.sh_link, symbol.st_name) : nullptr;
    if (name != nullptr) {
      add(symbol.st_value, symbol.st_size, name, rank_of(symbol, name));
    }
  }
}

void SymbolTable::add_all(Elf &elf) {
  for_sections(elf, [&](Elf_Scn *section, const GElf_Shdr &header, std::string_view /*name*/) {
    if (header.sh_type == SHT_SYMTAB || header.sh_type == SHT_DYNSYM) {
      add_table(elf, section);
    }
  });
}

/// What Fedora and its kin leave in stripped files ("MiniDebugInfo" of GDB's manual): an ELF file with a .symtab.
void SymbolTable::add_packed(Elf &elf) {
  for_sections(elf, [&](Elf_Scn *section, const GElf_Shdr & /*header*/, std::string_view name) {
    if (name != ".gnu_debugdata") {
      return;
    }
    std::string bytes = unpacked(bytes_of(elf_rawdata(section, nullptr)));
    if (const UniqueElf inner{elf_memory(bytes.data(), bytes.size())}) {
      add_all(*inner);
    }
  });
}

/// True if it is that file.
bool SymbolTable::add_file(const std::string &path, std::string_view build_id) {
  const std::optional<ElfImage> file = ElfImage::open(path);
  const UniqueElf elf = file ? elf_of(file->descriptor()) : UniqueElf();
  if (!elf || build_id_of(*elf) != build_id) {
    return false;
  }
  add_all(*elf);
  return true;
}

/// Where GDB's manual says ("Separate Debug Files"). Only a file with the same build ID is the one.
void SymbolTable::add_split(Elf &elf, const std::vector<std::string> &roots, const std::string &folder) {
  constexpr std::size_t k_shortest = 2;
  constexpr std::size_t k_longest = 64;
  const std::string build_id = build_id_of(elf);
  if (build_id.size() < k_shortest || build_id.size() > k_longest) {
    return;
  }
  const std::string link = linked_file(elf);
  const std::string id = hexadecimal(build_id);
  for (const std::string &root : roots) {
    if (add_file(fmt::format("{}/usr/lib/debug/.build-id/{}/{}.debug", root, id.substr(0, 2), id.substr(2)),
                 build_id)) {
      return;
    }
    if (link.empty() || link.find('/') != std::string::npos) {
      continue;
    }
    for (const std::string &place : {folder, folder + "/.debug", "/usr/lib/debug" + folder}) {
      if (add_file(fmt::format("{}{}/{}", root, place, link), build_id)) {
        return;
      }
    }
  }
}

void SymbolTable::finish() {
  std::sort(symbols_.begin(), symbols_.end(), [](const Symbol &a, const Symbol &b) {
    return a.address != b.address ? a.address < b.address : a.rank < b.rank;
  });
  const auto same = [](const Symbol &a, const Symbol &b) { return a.address == b.address; };
  symbols_.erase(std::unique(symbols_.begin(), symbols_.end(), same), symbols_.end());
  symbols_.shrink_to_fit();
}

std::optional<std::string_view> SymbolTable::find(Address address) const {
  constexpr std::ptrdiff_t k_nested = 8; // a function may have entries of its own inside
  const auto behind = std::upper_bound(symbols_.begin(), symbols_.end(), address,
                                       [](Address wanted, const Symbol &symbol) { return wanted < symbol.address; });
  const auto last = behind - std::min(k_nested, behind - symbols_.begin());
  for (auto symbol = behind; symbol != last;) {
    --symbol;
    // Of no size: written in assembler, up to the next one.
    const bool covers = symbol->size == 0 ? std::next(symbol) == behind : address - symbol->address < symbol->size;
    if (covers) {
      return std::string_view(names_).substr(symbol->name, symbol->length);
    }
  }
  return std::nullopt;
}

} // namespace awaitscope
