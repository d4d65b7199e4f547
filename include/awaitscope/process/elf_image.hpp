#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "awaitscope/model/ids.hpp"
#include "awaitscope/process/proc_fs.hpp"
#include "awaitscope/support/unique_fd.hpp"

struct Elf;

namespace awaitscope {

/// A span of an ELF file's own address space (before it is loaded), in bytes.
struct ElfSpan {
  Address address = 0;
  std::uint64_t size = 0;
};

/// A program header: what of the file is mapped where.
struct ElfSegment {
  std::uint32_t type = 0;
  std::uint32_t flags = 0;
  std::uint64_t offset = 0; ///< in the file
  Address address = 0;      ///< in the file's own address space
  std::uint64_t file_size = 0;
};

/// An ELF file, read through libelf. Untrusted input: libelf checks bounds, and a damaged file finds nothing.
class ElfImage {
public:
  /// Nothing if the file is no 64-bit ELF of this machine's kind.
  static std::optional<ElfImage> open(const std::string &path);

  ElfImage(ElfImage &&) noexcept = default;
  ElfImage &operator=(ElfImage &&) noexcept = default;
  ~ElfImage() = default;
  ElfImage(const ElfImage &) = delete;
  ElfImage &operator=(const ElfImage &) = delete;

  /// A defined symbol of .dynsym, or else of .symtab; in a file without section headers, of what its loader looks up.
  [[nodiscard]] std::optional<ElfSpan> symbol(std::string_view name) const;
  [[nodiscard]] std::optional<ElfSpan> section(std::string_view name) const;

  /// The bytes of an allocated, read-only, non-executable section called `name`; empty if there is none.
  [[nodiscard]] std::string_view section_bytes(std::string_view name) const;

  /// What is mapped and never written, segment by segment, the likeliest to hold strings first: for a file without section
  /// headers. The whole file as it is, so that it may be shorter than what is mapped.
  [[nodiscard]] std::vector<std::string_view> read_only_segments() const;

  /// What to add to an address of the file to get one of the process, given a mapping of this file.
  [[nodiscard]] std::optional<Address> load_bias(const MapEntry &mapping) const;

private:
  struct ElfEnd {
    void operator()(Elf *elf) const;
  };
  [[nodiscard]] std::string_view raw_bytes() const;
  [[nodiscard]] std::vector<ElfSegment> segments() const;

  ElfImage(UniqueFd fd, std::unique_ptr<Elf, ElfEnd> elf) : fd_(std::move(fd)), elf_(std::move(elf)) {}

  UniqueFd fd_; // outlives elf_, which reads through it
  std::unique_ptr<Elf, ElfEnd> elf_;
};

} // namespace awaitscope
