#include "catch.hpp"

#include <algorithm>
#include <cstring>
#include <exception>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <dlfcn.h>
#include <elf.h>
#include <unistd.h>

#include "awaitscope/process/elf_image.hpp"

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

/// A file that goes with the test.
class TemporaryFile {
public:
  explicit TemporaryFile(const std::string &bytes)
      : path_(std::filesystem::temp_directory_path() / ("awaitscope-elf-" + std::to_string(::getpid()))) {
    std::ofstream(path_, std::ios::binary) << bytes;
  }
  ~TemporaryFile() { std::filesystem::remove(path_); }
  TemporaryFile(const TemporaryFile &) = delete;
  TemporaryFile &operator=(const TemporaryFile &) = delete;
  [[nodiscard]] std::string path() const { return path_.string(); }

private:
  std::filesystem::path path_;
};

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
    const TemporaryFile file(bytes);
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
    const TemporaryFile file(whole.substr(0, size));
    const std::optional<ElfImage> image = ElfImage::open(file.path());
    const std::optional<ElfSpan> symbol = image ? image->symbol(loaded.symbol) : std::nullopt;
    CHECK((!symbol || symbol->address == loaded.address));
    std::size_t bytes = 0;
    for (const std::string_view part : image ? image->read_only_segments() : std::vector<std::string_view>{}) {
      bytes += static_cast<std::size_t>(std::count(part.begin(), part.end(), '\0')); // reads every byte of it
    }
    CHECK(bytes <= size);
  }
}
