#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "awaitscope/process/elf_image.hpp"

// libelf's own name.
struct Elf; // NOLINT(readability-identifier-naming)

namespace awaitscope {

/// The functions of a file, by address: of its .symtab and .dynsym, of the .symtab packed in its .gnu_debugdata, and of the file that
/// was split from it, which is found by its build ID or by its name.
///
/// Read by libelf, which reads as ElfImage does: by pread(2), and nothing is mapped. All of these are untrusted: each part may take
/// k_max_part bytes, and all together k_max_symbols functions.
class SymbolTable {
public:
  /// `roots`: where /usr/lib/debug is searched for, of the process first. `folder`: of the file, as the process sees it.
  SymbolTable(const ElfImage &file, const std::vector<std::string> &roots, const std::string &folder);

  /// The name of the function at this address of the file, as the symbol has it.
  [[nodiscard]] std::optional<std::string_view> find(Address address) const;

  [[nodiscard]] std::size_t size() const { return symbols_.size(); }

  static constexpr std::size_t k_max_symbols = std::size_t{1} << 20U;
  static constexpr std::size_t k_max_part = std::size_t{64} << 20U; ///< bytes

private:
  struct Symbol {
    Address address = 0;
    std::uint32_t size = 0;
    std::uint32_t name = 0; ///< where it begins in names_
    std::uint16_t length = 0;
    std::uint8_t rank = 0; ///< of several at one address the least is taken
  };

  void add_all(Elf &elf);
  void add_table(Elf &elf, const void *section);
  void add_packed(Elf &elf);
  void add_split(Elf &elf, const std::vector<std::string> &roots, const std::string &folder);
  bool add_file(const std::string &path, std::string_view build_id);
  void add(Address address, std::uint64_t size, std::string_view name, std::uint8_t rank);
  void finish();

  std::vector<Symbol> symbols_;
  std::string names_;
};

} // namespace awaitscope
