#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

#include "awaitscope/process/elf_image.hpp"

namespace awaitscope {

/// A file that is mapped into the process: what unwinding reads of it, kept, so that it is the same at each read.
///
/// Untrusted input, as ElfImage says. What a file claims takes memory only for what is read: blocks, up to k_max_bytes of a file.
class NativeImage {
public:
  /// `path`: as the process sees it.
  NativeImage(ElfImage file, Address bias, const std::string &path);

  static constexpr std::size_t k_max_bytes = std::size_t{64} << 20U;

  /// The bytes at an address of the process, as the file has them. False if it has none there.
  bool read(Address address, void *out, std::size_t size);

  /// The entry of the search table in .eh_frame_hdr that covers the address; nothing if there is none, or its rules are none that
  /// libunwind may follow (CfiCheck). Addresses of the process.
  struct UnwindEntry {
    Address table = 0; ///< what the table's offsets are relative to: where .eh_frame_hdr begins
    Address entry = 0;
    Address function = 0; ///< where the described code begins
  };
  std::optional<UnwindEntry> find_unwind_entry(Address instruction);

  [[nodiscard]] Address bias() const { return bias_; }
  [[nodiscard]] const std::string &folder() const { return folder_; } ///< of the file
  [[nodiscard]] const std::string &name() const { return name_; }     ///< of the file, without its folder
  [[nodiscard]] const ElfImage &file() const { return file_; }

private:
  static constexpr std::size_t k_block = 16 * 1024;
  using Block = std::string;

  void read_header();
  const Block *block(std::uint64_t number);
  bool is_sound(Address description);

  ElfImage file_;
  Address bias_;
  std::string folder_;
  std::string name_;
  std::unordered_map<std::uint64_t, Block> blocks_; ///< of the file, by number; never given up
  std::size_t bytes_ = 0;
  Address table_ = 0;   ///< of .eh_frame_hdr in the process; 0: there is none that can be searched
  Address entries_ = 0; ///< where its search table begins
  std::size_t entry_count_ = 0;
  std::unordered_map<Address, bool> checked_; ///< frame descriptions: whether they are sound
};

} // namespace awaitscope
