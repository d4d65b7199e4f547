#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "awaitscope/native/native_image.hpp"
#include "awaitscope/process/process.hpp"

namespace awaitscope {

/// What is mapped where in a process, and the files that code of it is from. Files are opened when they are first asked for, through
/// the kernel's own links, so that deleted ones are found, too; a file whose head is not that in memory is another one (it was
/// replaced), and not used. The vDSO is copied from memory.
class NativeImages {
public:
  /// `process` must outlive this.
  explicit NativeImages(const Process &process) : process_(process) { refresh(); }

  /// Reads again what is mapped. True if that has changed: what was known of addresses may be void.
  bool refresh();

  /// The image at this address; null if there is none.
  NativeImage *image_at(Address address);

  /// Whether the address is in an executable mapping.
  [[nodiscard]] bool is_code(Address address) const;

  /// Where the mapping ends that has this address, or that a stack may grow down to it from; nothing if there is none.
  [[nodiscard]] std::optional<Address> end_of_stack(Address stack_pointer) const;

private:
  struct Mapping {
    MapEntry entry;
    NativeImage *image = nullptr;
    bool searched = false; ///< for its image
  };
  using FileKey = std::pair<std::string, std::uint64_t>; // path and inode

  [[nodiscard]] const Mapping *find(Address address) const;
  NativeImage *open(const MapEntry &entry);
  [[nodiscard]] std::optional<ElfImage> open_file(const MapEntry &entry) const;
  [[nodiscard]] std::optional<ElfImage> copy_vdso(const MapEntry &entry) const;
  [[nodiscard]] bool is_mapped_file(const ElfImage &file, const MapEntry &entry) const;

  const Process &process_;
  std::vector<Mapping> mappings_; ///< by address
  std::multimap<FileKey, std::unique_ptr<NativeImage>> images_;
  std::size_t digest_ = 0; ///< of what was mapped
};

} // namespace awaitscope
