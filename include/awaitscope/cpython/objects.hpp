#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "awaitscope/capture/snapshot_memory.hpp"
#include "awaitscope/cpython/dicts.hpp"
#include "awaitscope/cpython/layout.hpp"
#include "awaitscope/cpython/type_info.hpp"

namespace awaitscope {

/// Reads Python objects out of a snapshot. Every length is bounded; what is not as it should be reads as nothing.
class ObjectReader {
public:
  ObjectReader(SnapshotMemory &memory, const Layout &layout)
      : memory_(memory), layout_(layout), dicts_(memory, layout) {}

  [[nodiscard]] SnapshotMemory &memory() { return memory_; }
  [[nodiscard]] const Layout &layout() const { return layout_; }
  [[nodiscard]] DictReader &dicts() { return dicts_; }

  Address type_of(Address object) { return memory_.pointer(object + layout_.ob_type); }

  /// Cached by address. An unreadable type has valid == false.
  const TypeInfo &type(Address address);
  const TypeInfo &type_of_object(Address object) { return type(type_of(object)); }

  /// Does the type or one of its bases (tp_base) carry this tp_name?
  bool is_kind(Address address, std::string_view name);

  /// A str as UTF-8, lone surrogates and all that is malformed replaced by U+FFFD; cut with "…" beyond k_max_text code points.
  std::optional<std::string> text(Address str);

  /// Tells strs apart by their length and their last k_digested bytes, without decoding them; 0 if it cannot be read.
  std::uint64_t text_digest(Address str);
  static constexpr std::size_t k_digested = 128;

  /// The raw units of a str. Equal strs have units of the same size (PEP 393).
  struct Units {
    Address first = 0;
    std::uint64_t count = 0;
    unsigned size = 1; ///< bytes of each
  };
  std::optional<Units> units(Address str);

  /// An int that fits, or nothing.
  std::optional<std::int64_t> integer(Address object);

  /// A float, or an int that fits.
  std::optional<double> number(Address object);

  using Entry = DictEntry;
  /// The entries of a dict in insertion order (values of split dicts too). Nothing if it is no dict in good order.
  std::optional<std::vector<Entry>> dict_entries(Address dict);

  /// The value under a str key, or 0.
  Address dict_value(Address dict, std::string_view key);

  /// The elements of a set, in table order (read again if it has changed meanwhile, and nothing if it still does); of a list or tuple, in theirs.
  std::optional<std::vector<Address>> set_elements(Address set);
  std::optional<std::vector<Address>> list_elements(Address list);
  std::optional<std::vector<Address>> tuple_elements(Address tuple);
  std::optional<std::vector<Address>> deque_elements(Address deque);

  /// An attribute of an instance's own dict (not of its type), or 0.
  Address attribute(Address object, std::string_view name);

  /// All of them; none if there are more than `most`.
  std::vector<DictEntry> attributes(Address object, std::uint64_t most);

  /// The same as attribute(); or of a class with __slots__, what lies in this slot.
  Address attribute_or_slot(Address object, std::string_view name);

  /// Where instances of a class with __slots__ keep what lies in these, in bytes from the object; those of its bases too.
  std::vector<Offset> slots_of(Address type_address);

  static constexpr std::size_t k_max_text = 16384;
  static constexpr std::uint64_t k_max_elements = std::uint64_t{1} << 22U;

private:
  Address find_key(const std::vector<Entry> &entries, std::string_view key);
  bool text_equals(Address str, std::string_view expected);
  std::optional<std::vector<Address>> elements_in(Address set, Address table, std::uint64_t entries);
  std::optional<std::vector<Address>> items_at(Address first, std::uint64_t count);
  DictReader::Storage own_storage(Address object);

  /// Where a dict's keys, often shared by all instances of a class, keep an attribute.
  struct AttributeSlot {
    Address entry = 0; ///< of the keys, with `name` in it
    Address name = 0;
    std::size_t index = 0;
    std::uint32_t shape = 0; ///< of the keys: another table at this address has another one, or other names
  };
  Address value_in(const DictReader::Storage &storage, std::string_view name);
  Offset slot_offset(Address type_address, std::string_view name);
  struct Member {
    Offset offset = k_absent;
    std::int32_t kind = 0;
  };
  Member member_of(Address descriptor, const TypeInfo &type);

  SnapshotMemory &memory_;
  const Layout &layout_;
  DictReader dicts_;
  std::unordered_map<Address, TypeInfo> types_;
  std::unordered_map<Address, std::vector<std::pair<std::string, AttributeSlot>>> slots_;
  std::unordered_map<Address, std::vector<std::pair<std::string, Offset>>> members_; ///< by type: __slots__
};

} // namespace awaitscope
