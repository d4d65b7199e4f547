#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "awaitscope/cpython/objects.hpp"
#include "awaitscope/model/argument_calls.hpp"

namespace awaitscope {

/// Types of iterators and files, by tp_name: a call that gets one changes it.
bool is_used_up(std::string_view type);

/// Turns values into bytes that are equal for values that are, as a dict takes them for a key, and into hashes of these bytes.
///
/// - By value: int, float, complex, bool, None, str, bytes, Decimal, date, time, datetime, timedelta, UUID, and tuples and frozensets
///   of what is compared by value. 1, 1.0 and True are equal, as for lru_cache(typed=False). One of a subclass equals those of its own
///   class alone, Decimal("1.0") no Decimal("1"): a cache may take more for equal, never less.
/// - Members of enums and classes are identified by their addresses, which is by value.
/// - A Django model by its class and primary key, once it has one.
/// - A list, dict, set, and whatever has no __hash__ is unhashable.
/// - An iterator or a file never equals another one, nor itself at another time.
/// - All other objects are identified by class and address: objects with an __eq__ of their own may be equal all the same. An address may be
///   used again, by an object that is born after the death of the first: what lies in the attributes and slots of an object is `state`,
///   and two objects of the same address, class and state are taken for one.
///
/// A value of more than k_most_bytes or k_most_objects, or of deeper tuples than k_deepest, is not read to its end.
class ValueReader {
public:
  /// Hashes are keyed by random bytes that nobody else has.
  explicit ValueReader(ObjectReader &objects);

  struct Bytes {
    std::string value;
    std::string state;
    std::uint8_t traits = 0; ///< ValueTrait
  };

  /// Another reading begins: it may take so much again.
  void begin() { objects_left_ = k_most_objects; }

  /// Appends the object; null stands for an argument that is not there.
  void append(Address object, Bytes &out) { append(object, out, 0); }

  /// Never 0.
  [[nodiscard]] std::uint64_t hash(const std::string &bytes) const;

  /// The value for people: shortened, on one line, valid UTF-8.
  std::string shown(Address object) { return shown(object, 0); }

  static constexpr std::size_t k_most_bytes = 16384; ///< of one argument
  static constexpr std::size_t k_most_objects = 512; ///< of one reading
  static constexpr int k_deepest = 6;

private:
  enum class Kind : std::uint8_t {
    object,
    iterator, ///< an object that is another one once it was used
    constant, ///< identified by its address, for good
    integer,
    floating,
    complex,
    text,
    bytes,
    tuple,
    frozenset,
    decimal,
    date,
    time,
    datetime,
    timedelta,
    uuid,
    model,
    unhashable,
  };
  struct Type {
    Kind kind = Kind::object;
    bool exact = true;         ///< no subclass
    std::string primary_key;   ///< of a model, the attribute
    std::vector<Offset> slots; ///< of an object, in bytes from it
  };

  void append(Address object, Bytes &out, int depth);
  const Type &type_of(Address type);
  Type classify(Address type);
  [[nodiscard]] bool has_no_hash(Address type);
  std::string primary_key_of(Address type);
  bool is_nan(Kind kind, Address object);
  bool append_value(const Type &type, Address object, Bytes &out, int depth);
  void append_object(Address object, Bytes &out, int depth);
  void append_state(Address value, std::string &out);
  bool append_as_integer(Address object, std::string &out);
  bool append_integer(Address object, std::string &out);
  bool append_raw(Address from, std::uint64_t size, std::string &out);
  bool append_items(Address tuple, Bytes &out, int depth);
  bool append_frozenset(Address set, Bytes &out, int depth);
  bool append_decimal(Address object, std::string &out);
  bool append_moment(Kind kind, Address object, Bytes &out, int depth);
  std::string shown(Address object, int depth);

  ObjectReader &objects_;
  std::array<unsigned char, 192> secret_{};
  std::unordered_map<Address, Type> types_;
  Type spare_;          ///< the last one that there was no room for
  Address no_hash_ = 0; ///< tp_hash of types that have none; 0: not met yet
  std::size_t objects_left_ = k_most_objects;
  std::uint64_t iterators_ = 0; ///< that were met
};

} // namespace awaitscope
