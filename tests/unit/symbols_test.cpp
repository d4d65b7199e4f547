#include "awaitscope/native/symbol_table.hpp"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <dlfcn.h>
#include <elf.h>
#include <lzma.h>

#include "catch.hpp"
#include "common.hpp"
#include "native/demangle.hpp"
#include "temporary_file.hpp"

using namespace awaitscope;

namespace {

std::string library_of(const char *function) {
  Dl_info info{};
  REQUIRE(::dladdr(::dlsym(RTLD_DEFAULT, function), &info) != 0);
  return bytes_of(info.dli_fname);
}

struct Function {
  const char *name;
  Address address;
  std::uint64_t size;
};

template <typename T> void append(std::string &out, const T &value) {
  const std::size_t at = out.size();
  out.resize(at + sizeof value);
  std::memcpy(out.data() + at, &value, sizeof value);
}

struct Part {
  const char *name;
  std::uint32_t type;
  std::string bytes;
  std::uint32_t link = 0;
};

/// An ELF file of these sections alone.
std::string elf_file(const std::vector<Part> &parts) {
  std::string names(1, '\0');
  std::string body;
  std::vector<Elf64_Shdr> headers(1);
  for (const Part &part : parts) {
    Elf64_Shdr header{};
    header.sh_name = static_cast<std::uint32_t>(names.size());
    header.sh_type = part.type;
    header.sh_offset = sizeof(Elf64_Ehdr) + body.size();
    header.sh_size = part.bytes.size();
    header.sh_link = part.link;
    header.sh_entsize = part.type == SHT_SYMTAB ? sizeof(Elf64_Sym) : 0;
    header.sh_addralign = 1;
    headers.push_back(header);
    names += std::string(part.name) + '\0';
    body += part.bytes;
  }
  Elf64_Shdr last{};
  last.sh_name = static_cast<std::uint32_t>(names.size());
  names += std::string(".shstrtab") + '\0';
  last.sh_type = SHT_STRTAB;
  last.sh_offset = sizeof(Elf64_Ehdr) + body.size();
  last.sh_size = names.size();
  headers.push_back(last);
  body += names;
  body.resize((body.size() + 7) / 8 * 8);
  Elf64_Ehdr head{};
  std::memcpy(&head.e_ident, ELFMAG, SELFMAG);
  head.e_ident[EI_CLASS] = ELFCLASS64;
  head.e_ident[EI_DATA] = ELFDATA2LSB;
  head.e_ident[EI_VERSION] = EV_CURRENT;
  head.e_type = ET_DYN;
  head.e_machine = EM_X86_64;
  head.e_version = EV_CURRENT;
  head.e_ehsize = sizeof head;
  head.e_phentsize = sizeof(Elf64_Phdr);
  head.e_shentsize = sizeof(Elf64_Shdr);
  head.e_shoff = sizeof head + body.size();
  head.e_shnum = static_cast<std::uint16_t>(headers.size());
  head.e_shstrndx = static_cast<std::uint16_t>(headers.size() - 1);
  std::string bytes;
  append(bytes, head);
  bytes += body;
  for (const Elf64_Shdr &header : headers) {
    append(bytes, header);
  }
  return bytes;
}

/// The sections of a symbol table, the first of which will be that number.
std::vector<Part> symbols_of(const std::vector<Function> &functions, std::uint32_t first) {
  std::string names(1, '\0');
  std::string table(sizeof(Elf64_Sym), '\0');
  for (const Function &function : functions) {
    Elf64_Sym symbol{};
    symbol.st_name = static_cast<std::uint32_t>(names.size());
    symbol.st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC);
    symbol.st_shndx = 1;
    symbol.st_value = function.address;
    symbol.st_size = function.size;
    names += std::string(function.name) + '\0';
    append(table, symbol);
  }
  return {{".symtab", SHT_SYMTAB, table, first + 1}, {".strtab", SHT_STRTAB, names}};
}

std::string packed(const std::string &bytes) {
  std::string out(lzma_stream_buffer_bound(bytes.size()), '\0');
  std::size_t size = 0;
  REQUIRE(lzma_easy_buffer_encode(
              6, LZMA_CHECK_CRC32, nullptr, reinterpret_cast<const std::uint8_t *>(bytes.data()), // NOLINT
              bytes.size(), reinterpret_cast<std::uint8_t *>(out.data()), &size, out.size()) ==   // NOLINT
          LZMA_OK);
  out.resize(size);
  return out;
}

SymbolTable table_of(const TemporaryFile &file, const std::vector<std::string> &roots = {}) {
  const std::optional<ElfImage> image = ElfImage::open(file.path());
  REQUIRE(image);
  return {*image, roots, "/nowhere"};
}

} // namespace

TEST_CASE("a function is found by any address in it", "[native]") {
  const TemporaryFile file(
      "symbols",
      elf_file(symbols_of(
          {{"first", 0x1000, 0x20}, {"second", 0x1040, 0x10}, {"outer", 0x2000, 0x100}, {"inner", 0x2010, 8}}, 1)));
  const SymbolTable table = table_of(file);
  CHECK(table.find(0x1000) == "first");
  CHECK(table.find(0x101f) == "first");
  CHECK_FALSE(table.find(0x1020));
  CHECK(table.find(0x1048) == "second");
  CHECK_FALSE(table.find(0xfff));
  CHECK(table.find(0x2012) == "inner");
  CHECK(table.find(0x2080) == "outer");
}

TEST_CASE("of several names at one address the one for people is taken", "[native]") {
  const TemporaryFile file(
      "symbols",
      elf_file(symbols_of(
          {{"__libc_work", 0x1000, 16}, {"work", 0x1000, 16}, {"_work", 0x1000, 16}, {"unsized", 0x3000, 0}}, 1)));
  const SymbolTable table = table_of(file);
  CHECK(table.find(0x1004) == "work");
  CHECK(table.find(0x3010) == "unsized");
}

TEST_CASE("a packed table of symbols is read", "[native]") {
  const std::string inner = elf_file(symbols_of({{"hidden", 0x4000, 64}}, 1));
  const TemporaryFile file("symbols", elf_file({{".gnu_debugdata", SHT_PROGBITS, packed(inner)}}));
  CHECK(table_of(file).find(0x4001) == "hidden");
  std::string damaged = packed(inner);
  damaged[damaged.size() / 2] = static_cast<char>(damaged[damaged.size() / 2] ^ 0x55);
  const TemporaryFile other("symbols", elf_file({{".gnu_debugdata", SHT_PROGBITS, damaged}}));
  CHECK(table_of(other).size() == 0);
  const TemporaryFile bomb(
      "symbols", elf_file({{".gnu_debugdata", SHT_PROGBITS, packed(std::string(std::size_t{80} << 20U, '\0'))}}));
  CHECK(table_of(bomb).size() == 0);
}

TEST_CASE("symbols of a file of which any byte may be wrong are found or not", "[native]") {
  const std::string original = library_of("elf_version"); // a small one
  REQUIRE(original.size() < 1'000'000);                   // not this program, which exports what it is linked with
  std::uint64_t seed = 3;
  const auto next = [&seed] { return (seed = seed * 6364136223846793005ULL + 1442695040888963407ULL) >> 20U; };
  Elf64_Ehdr head{};
  std::memcpy(&head, original.data(), sizeof head);
  std::size_t found = 0;
  std::size_t names = 0;
  for (int round = 0; round < 300; ++round) {
    std::string bytes = original;
    for (int i = 0; i < 6; ++i) { // in the headers of its sections, which say where all else is
      bytes[head.e_shoff + next() % (bytes.size() - head.e_shoff)] = static_cast<char>(next());
    }
    for (std::size_t i = 0; i < bytes.size() / 2000; ++i) {
      bytes[sizeof head + next() % (bytes.size() - sizeof head)] = static_cast<char>(next());
    }
    bytes.resize(round % 5 == 0 ? next() % bytes.size() + sizeof head : bytes.size());
    const TemporaryFile file("symbols", bytes);
    const std::optional<ElfImage> image = ElfImage::open(file.path());
    if (image) {
      const SymbolTable table(*image, {}, "/nowhere");
      found += table.size() > 0 ? 1U : 0U;
      for (int i = 0; i < 50; ++i) {
        const auto name = table.find(next() % bytes.size());
        names += name ? name->size() : 0;
      }
    }
  }
  CHECK(found > 30);
  CHECK(names > 0);
}

TEST_CASE("names are as their languages write them", "[native]") {
  CHECK(demangled("plain_function") == "plain_function");
  CHECK(demangled("list_sort_impl.constprop.0") == "list_sort_impl");
  CHECK(demangled("memcpy@@GLIBC_2.14") == "memcpy");
  CHECK(demangled("_ZN5shape6Circle4areaEdi") == "shape::Circle::area");
  CHECK(demangled("_ZN5shape6Circle4areaEdi.cold") == "shape::Circle::area");
  CHECK(demangled("_ZN4core3fmt9Formatter9write_str17h0123456789abcdefE") == "core::fmt::Formatter::write_str");
  CHECK(demangled("_ZN31_$LT$T$u20$as$u20$my..Trait$GT$4call17h0123456789abcdefE") == "_<T as my::Trait>::call");
  CHECK(demangled("_ZNK5shape6Circle4areaEPFviE") == "shape::Circle::area");
  CHECK(demangled("_ZNK5shape6CircleclEv") == "shape::Circle::operator()");
  CHECK(demangled("_ZN12_GLOBAL__N_15shapeEi") == "(anonymous namespace)::shape");
  CHECK(demangled("_ZZ4mainENKUlvE_clEv") == "main::{lambda()#1}::operator()");
  CHECK(demangled("_ZlsRSoi") == "operator<<");
  CHECK(demangled("_Znonsense") == "_Znonsense");
  CHECK(demangled("").empty());
}

TEST_CASE("a name that stands for an endless one stays as it is", "[native]") {
  std::string name = "_Z1fSt4pairIiiE";
  const std::string digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  for (const char digit : digits) { // each is a pair of the one before, twice
    name += std::string("St4pairIS") + digit + "_S" + digit + "_E";
  }
  CHECK(demangled(name) == name);
}
