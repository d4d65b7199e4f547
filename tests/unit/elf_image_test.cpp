#include "catch.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <exception>
#include <fstream>
#include <sstream>
#include <thread>

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <unistd.h>

#include "awaitscope/process/elf_image.hpp"
#include "temporary_file.hpp"

using namespace awaitscope;

namespace {

/// A shared library of this very process, and what its loader says of one of its symbols.
struct Loaded {
  std::string bytes;
  std::string symbol;
  Address address = 0;
};

Loaded loaded_library() {
  Dl_info info{};
  REQUIRE(::dladdr(reinterpret_cast<void *>(&std::terminate), &info) != 0);
  REQUIRE(info.dli_sname != nullptr);
  std::ostringstream text;
  text << std::ifstream(info.dli_fname, std::ios::binary).rdbuf();
  return {text.str(), info.dli_sname,
          static_cast<Address>(static_cast<char *>(info.dli_saddr) - static_cast<char *>(info.dli_fbase))};
}

std::string without_section_headers(std::string bytes) {
  Elf64_Ehdr header{};
  std::memcpy(&header, bytes.data(), sizeof header);
  header.e_shoff = 0;
  header.e_shnum = 0;
  header.e_shstrndx = 0;
  std::memcpy(bytes.data(), &header, sizeof header);
  return bytes;
}

} // namespace

TEST_CASE("a dynamic symbol is found with section headers and without", "[elf]") {
  const Loaded loaded = loaded_library();
  for (const std::string &bytes : {loaded.bytes, without_section_headers(loaded.bytes)}) {
    const TemporaryFile file("elf", bytes);
    const std::optional<ElfImage> image = ElfImage::open(file.path());
    REQUIRE(image);
    const std::optional<ElfSpan> symbol = image->symbol(loaded.symbol);
    REQUIRE(symbol);
    CHECK(symbol->address == loaded.address);
    CHECK_FALSE(image->symbol(loaded.symbol + "_no_such_symbol"));
    CHECK_FALSE(image->read_only_segments().empty());
  }
}

TEST_CASE("a file that is cut off finds nothing, or what was before the cut", "[elf]") {
  const Loaded loaded = loaded_library();
  const std::string whole = without_section_headers(loaded.bytes);
  for (std::size_t size = 64; size < whole.size(); size += 1 + whole.size() / 61) {
    const TemporaryFile file("elf", whole.substr(0, size));
    const std::optional<ElfImage> image = ElfImage::open(file.path());
    const std::optional<ElfSpan> symbol = image ? image->symbol(loaded.symbol) : std::nullopt;
    CHECK((!symbol || symbol->address == loaded.address));
    std::size_t bytes = 0;
    for (const std::string &part : image ? image->read_only_segments() : std::vector<std::string>{}) {
      bytes += static_cast<std::size_t>(std::count(part.begin(), part.end(), '\0')); // reads every byte of it
    }
    CHECK(bytes <= size);
  }
}

TEST_CASE("a file that is truncated while it is read finds something or nothing, and raises no signal", "[elf]") {
  const Loaded loaded = loaded_library();
  const TemporaryFile file("elf", loaded.bytes);
  std::atomic<bool> stop = false;
  std::thread truncating([&] {
    const int descriptor = ::open(file.path().c_str(), O_RDWR | O_CLOEXEC);
    while (!stop) {
      if (::ftruncate(descriptor, 4096) != 0 || ::pwrite(descriptor, loaded.bytes.data(), loaded.bytes.size(), 0) < 0) {
        break;
      }
    }
    ::close(descriptor);
  });
  unsigned opened = 0;
  for (unsigned i = 0; i < 300; ++i) {
    if (const std::optional<ElfImage> image = ElfImage::open(file.path())) {
      ++opened;
      const std::optional<ElfSpan> symbol = image->symbol(loaded.symbol);
      CHECK((!symbol || symbol->address == loaded.address));
      CHECK(image->section_bytes(".rodata").size() <= loaded.bytes.size());
    }
  }
  stop = true;
  truncating.join();
  CHECK(opened > 0);
}

TEST_CASE("what the headers of a file claim takes no memory", "[elf]") {
  std::string bytes = loaded_library().bytes;
  Elf64_Ehdr header{};
  std::memcpy(&header, bytes.data(), sizeof header);
  for (std::size_t i = 0; i < header.e_shnum; ++i) {
    Elf64_Shdr section{};
    char *const at = bytes.data() + header.e_shoff + i * sizeof section;
    std::memcpy(&section, at, sizeof section);
    section.sh_size = std::uint64_t{1} << 62U;
    std::memcpy(at, &section, sizeof section);
  }
  const TemporaryFile file("elf", bytes);
  const std::optional<ElfImage> image = ElfImage::open(file.path());
  REQUIRE(image);
  CHECK(image->section_bytes(".rodata").size() <= bytes.size());
  CHECK_FALSE(image->symbol("no_such_symbol"));
}
