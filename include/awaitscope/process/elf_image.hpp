#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "awaitscope/model/ids.hpp"
#include "awaitscope/process/proc_fs.hpp"
#include "awaitscope/support/unique_fd.hpp"

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

/// An ELF file. Untrusted input: the target may have written it, and may change or truncate it while it is read. So nothing of it
/// is mapped, which would raise SIGBUS: all is read by pread(2), each part up to k_max_part bytes. What is damaged, missing or
/// larger finds nothing.
class ElfImage {
public:
  static constexpr std::size_t k_max_part = std::size_t{64} << 20U; ///< bytes

  /// Nothing if the file is no 64-bit ELF of this machine's kind.
  static std::optional<ElfImage> open(const std::string &path);

  /// A defined symbol of .dynsym, or else of .symtab; in a file without section headers, of what its loader looks up.
  [[nodiscard]] std::optional<ElfSpan> symbol(std::string_view name) const;
  [[nodiscard]] std::optional<ElfSpan> section(std::string_view name) const;

  /// The bytes of the section called `name`, as far as the file has them; empty if there is none.
  [[nodiscard]] std::string section_bytes(std::string_view name) const;

  /// What is mapped and never written, segment by segment, the likeliest to hold strings first: for a file without section
  /// headers. What the file has of it, so that it may be shorter than what is mapped.
  [[nodiscard]] std::vector<std::string> read_only_segments() const;

  [[nodiscard]] const std::vector<ElfSegment> &segments() const { return segments_; }

  /// The bytes from an offset of the file on, as far as it has them.
  [[nodiscard]] std::string read(std::uint64_t offset, std::uint64_t size) const;

  /// For libelf, which reads on by pread(2) as well (ELF_C_READ).
  [[nodiscard]] int descriptor() const { return fd_.get(); }

  /// What to add to an address of the file to get one of the process, given a mapping of this file.
  [[nodiscard]] std::optional<Address> load_bias(const MapEntry &mapping) const;

private:
  /// What is used of a section header.
  struct Section {
    std::string name;
    std::uint32_t type = 0;
    std::uint32_t link = 0; ///< of a symbol table: the number of the section with its names
    std::uint64_t offset = 0;
    std::uint64_t size = 0;
    Address address = 0;
  };

  explicit ElfImage(UniqueFd fd) : fd_(std::move(fd)) {}
  [[nodiscard]] const Section *find_section(std::string_view name) const;
  [[nodiscard]] std::optional<ElfSpan> find_in_table(const Section &table, std::string_view name) const;
  void read_segments(std::uint64_t offset, std::size_t count);
  void read_sections(std::uint64_t offset, std::size_t count, std::size_t names);

  UniqueFd fd_;
  std::vector<ElfSegment> segments_;
  std::vector<Section> sections_;
};

} // namespace awaitscope
