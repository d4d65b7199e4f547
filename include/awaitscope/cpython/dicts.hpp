#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "awaitscope/capture/snapshot_memory.hpp"
#include "awaitscope/cpython/layout.hpp"
#include "awaitscope/cpython/type_info.hpp"

namespace awaitscope {

struct DictEntry {
  Address key = 0;
  Address value = 0;
};

/// Reads dicts and the attributes of instances in every form that CPython 3.8 to 3.15 has (Objects/dictobject.c): tables whose
/// entries store hashes, or not (3.11); values beside shared keys; attributes without a dict, before the object (3.11, 3.12) or
/// behind it (3.13). Types of objects are for the caller to check. Every length is bounded; what is not as it should be reads
/// as nothing.
class DictReader {
public:
  DictReader(SnapshotMemory &memory, const Layout &layout) : memory_(memory), layout_(layout) {}

  static constexpr std::uint64_t k_max_entries = std::uint64_t{1} << 22U;

  /// The entries of a PyDictKeysObject: [hash,] key, value.
  struct KeysTable {
    Address first = 0;
    std::uint64_t count = 0; ///< of those in use, with those that were deleted
    std::size_t stride = 24;
    std::size_t key = 8; ///< from an entry to its key; the value is next to it
  };
  std::optional<KeysTable> keys_table(Address keys);

  /// Where keys and values are.
  struct Storage {
    Address keys = 0; ///< a PyDictKeysObject
    Address values =
        0; ///< the first of the values of a split dict or an instance; 0: the entries of the keys have them
  };
  /// Of a dict.
  Storage storage(Address dict);

  /// len() of a dict.
  std::optional<std::uint64_t> used(Address dict);

  /// In insertion order. Nothing if they are not in good order, or more than `most`.
  std::optional<std::vector<DictEntry>> entries(const Storage &storage, std::uint64_t most = k_max_entries);

  /// Where an instance of this type has the values of its attributes, if it has them without a dict; keys 0: it has not.
  Storage inline_storage(Address object, Address type, const TypeInfo &info);

  /// An instance's own dict, or 0: it has none (yet).
  Address instance_dict(Address object, const TypeInfo &info);

private:
  Address inline_values(Address object, const TypeInfo &info);

  SnapshotMemory &memory_;
  const Layout &layout_;
};

} // namespace awaitscope
