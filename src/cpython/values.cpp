#include "awaitscope/cpython/values.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include <sys/random.h>
#include <xxhash.h>

namespace awaitscope {
namespace {

constexpr std::size_t k_max_value_types = 16384;
constexpr std::size_t k_most_attributes = 24; // of an object's state
constexpr std::uint64_t k_most_listed = 1024; // attributes of an object whose state is read at all

// Include/object.h: Py_TPFLAGS_…_SUBCLASS.
constexpr std::uint64_t k_long_subclass = std::uint64_t{1} << 24U;
constexpr std::uint64_t k_list = std::uint64_t{1} << 25U;
constexpr std::uint64_t k_tuple = std::uint64_t{1} << 26U;
constexpr std::uint64_t k_bytes = std::uint64_t{1} << 27U;
constexpr std::uint64_t k_unicode = std::uint64_t{1} << 28U;
constexpr std::uint64_t k_dict = std::uint64_t{1} << 29U;
constexpr std::uint64_t k_type = std::uint64_t{1} << 31U;

template <typename Number> void put(std::string &out, Number value) {
  std::array<char, sizeof value> bytes{};
  std::memcpy(bytes.data(), &value, sizeof value);
  out.append(bytes.data(), bytes.size());
}

/// A kind of value, so that an int never equals a str of the same bytes.
void put_tag(std::string &out, char tag) { out += tag; }

void mark(ValueReader::Bytes &out, ValueTrait trait) { out.traits |= static_cast<std::uint8_t>(trait); }

/// Equal for equal numbers: there are two zeros.
std::uint64_t bits_of(double number) { return std::bit_cast<std::uint64_t>(number == 0 ? 0.0 : number); }

} // namespace

bool is_used_up(std::string_view type) {
  constexpr std::array<std::string_view, 8> k_types{"generator", "coroutine", "async_generator", "map",
                                                    "filter",    "zip",       "enumerate",       "reversed"};
  return type.ends_with("iterator") || type.starts_with("itertools.") || type.starts_with("_io.") ||
         std::find(k_types.begin(), k_types.end(), type) != k_types.end();
}

ValueReader::ValueReader(ObjectReader &objects) : objects_(objects) {
  static_assert(std::tuple_size_v<decltype(secret_)> >= XXH3_SECRET_SIZE_MIN);
  std::size_t got = 0;
  while (got < secret_.size()) {
    const ssize_t more = ::getrandom(secret_.data() + got, secret_.size() - got, 0);
    got += more > 0 ? static_cast<std::size_t>(more) : 0;
  }
}

std::uint64_t ValueReader::hash(const std::string &bytes) const {
  return std::max<std::uint64_t>(1, XXH3_64bits_withSecret(bytes.data(), bytes.size(), secret_.data(), secret_.size()));
}

const ValueReader::Type &ValueReader::type_of(Address type) {
  const auto known = types_.find(type);
  if (known != types_.end()) {
    return known->second;
  }
  Type found = classify(type);
  const bool whole = !objects_.memory().refused() && !objects_.memory().ended();
  if (!whole || types_.size() >= k_max_value_types) {
    return spare_ = std::move(found);
  }
  return types_.emplace(type, std::move(found)).first->second;
}

/// Whether instances of the type have no hash: type_ready_set_hash() and slot_tp_hash's update give all of these types the same
/// tp_hash, PyObject_HashNotImplemented (Objects/typeobject.c). dict is one of them, and a class that a program made has one.
bool ValueReader::has_no_hash(Address type) {
  const Layout &layout = objects_.layout();
  if (no_hash_ == 0) {
    const Address class_dict = objects_.memory().pointer(type + layout.tp_base + 8);
    const Address dict = class_dict == 0 ? 0 : objects_.type_of(class_dict);
    no_hash_ = dict != 0 && objects_.type(dict).name == "dict" ? objects_.memory().pointer(dict + layout.tp_hash) : 0;
  }
  return no_hash_ != 0 && objects_.memory().pointer(type + layout.tp_hash) == no_hash_;
}

ValueReader::Type ValueReader::classify(Address type) {
  const TypeInfo info = objects_.type(type);
  const Address meta = objects_.type_of(type);
  const auto is = [&](std::string_view name) { return objects_.is_kind(type, name); };
  const auto of = [&](Kind kind, std::string_view exact) { return Type{kind, info.name == exact, {}, {}}; };
  constexpr std::array<std::string_view, 5> k_unhashable{"list", "dict", "set", "bytearray", "collections.deque"};
  const bool named_so = std::find(k_unhashable.begin(), k_unhashable.end(), info.name) != k_unhashable.end();
  // As long as it is not known what marks such types, a subclass of list or dict is taken for one.
  if (named_so || has_no_hash(type) || (no_hash_ == 0 && (info.flags & (k_list | k_dict)) != 0)) {
    return {Kind::unhashable, true, {}, {}};
  }
  if (objects_.is_kind(meta, "EnumType") || objects_.is_kind(meta, "EnumMeta") || (info.flags & k_type) != 0 ||
      info.name == "NoneType" || info.name == "ellipsis") {
    return {Kind::constant, true, {}, {}};
  }
  if (objects_.is_kind(meta, "ModelBase")) {
    return {Kind::model, true, primary_key_of(type), {}};
  }
  if ((info.flags & k_long_subclass) != 0) {
    return {Kind::integer, info.name == "int" || info.name == "bool", {}, {}};
  }
  if ((info.flags & k_unicode) != 0) {
    return of(Kind::text, "str");
  }
  if ((info.flags & k_bytes) != 0) {
    return of(Kind::bytes, "bytes");
  }
  if ((info.flags & k_tuple) != 0) {
    return of(Kind::tuple, "tuple");
  }
  constexpr std::array<std::pair<std::string_view, Kind>, 9> k_by_name{{{"float", Kind::floating},
                                                                        {"complex", Kind::complex},
                                                                        {"frozenset", Kind::frozenset},
                                                                        {"decimal.Decimal", Kind::decimal},
                                                                        {"datetime.datetime", Kind::datetime},
                                                                        {"datetime.date", Kind::date},
                                                                        {"datetime.time", Kind::time},
                                                                        {"datetime.timedelta", Kind::timedelta},
                                                                        {"UUID", Kind::uuid}}};
  for (const auto &[name, kind] : k_by_name) {
    if (is(name)) {
      return of(kind, name);
    }
  }
  if (is_used_up(info.name)) {
    return {Kind::iterator, true, {}, {}};
  }
  return {Kind::object, true, {}, objects_.slots_of(type)};
}

/// Django, django/db/models/options.py: cls._meta.pk.attname is the attribute of the primary key.
std::string ValueReader::primary_key_of(Address type) {
  const Address class_dict = objects_.memory().pointer(type + objects_.layout().tp_base + 8);
  const Address options = class_dict == 0 ? 0 : objects_.dict_value(class_dict, "_meta");
  const Address field = options == 0 ? 0 : objects_.attribute(options, "pk");
  const Address name = field == 0 ? 0 : objects_.attribute(field, "attname");
  return name == 0 ? std::string() : objects_.text(name).value_or(std::string()); // empty: it is no model of Django's
}

void ValueReader::append(Address object, Bytes &out, int depth) {
  if (object == 0) {
    put_tag(out.value, '0');
    return;
  }
  const Address type = objects_.type_of(object);
  if (type == 0 || objects_left_ == 0 || depth > k_deepest || !objects_.type(type).valid) {
    mark(out, ValueTrait::unread);
    return;
  }
  --objects_left_;
  const Type &known = type_of(type);
  switch (known.kind) {
  case Kind::unhashable:
    mark(out, ValueTrait::unhashable);
    return;
  case Kind::constant:
    put_tag(out.value, 'c');
    put(out.value, object);
    return;
  case Kind::iterator:
    put(out.state, ++iterators_);
    append_object(object, out, depth);
    return;
  case Kind::object:
    append_object(object, out, depth);
    return;
  case Kind::model: {
    const Address key = known.primary_key.empty() ? 0 : objects_.attribute(object, known.primary_key);
    if (key == 0 || type_of(objects_.type_of(key)).kind == Kind::constant) { // not saved yet: None
      append_object(object, out, depth);
      return;
    }
    put_tag(out.value, 'm');
    put(out.value, type);
    mark(out, ValueTrait::model);
    append(key, out, depth + 1);
    return;
  }
  default:
    break;
  }
  if (known.kind == Kind::floating && known.exact && append_as_integer(object, out.value)) {
    return;
  }
  if (is_nan(known.kind, object)) { // equals itself alone, as a dict finds a key by its address first
    append_object(object, out, 1);
    return;
  }
  put_tag(out.value, static_cast<char>('A' + static_cast<int>(known.kind)));
  if (!known.exact) {
    put(out.value, type);
  }
  if (!append_value(known, object, out, depth)) {
    mark(out, ValueTrait::unread);
  }
}

bool ValueReader::is_nan(Kind kind, Address object) {
  constexpr std::uint8_t k_any_nan = 0x0C; // MPD_NAN, MPD_SNAN (Modules/_decimal/libmpdec/mpdecimal.h)
  const Address value = object + objects_.layout().sizeof_object;
  switch (kind) {
  case Kind::decimal:
    return (objects_.memory().get<std::uint8_t>(value + 8).value_or(0) & k_any_nan) != 0;
  case Kind::floating:
    return std::isnan(objects_.memory().get<double>(value).value_or(0));
  case Kind::complex:
    return std::isnan(objects_.memory().get<double>(value).value_or(0)) ||
           std::isnan(objects_.memory().get<double>(value + 8).value_or(0));
  default:
    return false;
  }
}

bool ValueReader::append_value(const Type &type, Address object, Bytes &out, int depth) {
  const Layout &layout = objects_.layout();
  SnapshotMemory &memory = objects_.memory();
  switch (type.kind) {
  case Kind::integer:
    return append_integer(object, out.value);
  case Kind::floating:
  case Kind::complex: // Include/cpython/floatobject.h, complexobject.h: ob_fval; cval.real, cval.imag
    for (Address at = 0; at < (type.kind == Kind::floating ? 8U : 16U); at += 8) {
      const auto number = memory.get<double>(object + layout.sizeof_object + at);
      if (!number) {
        return false;
      }
      put(out.value, bits_of(*number));
    }
    return true;
  case Kind::text: {
    const std::optional<ObjectReader::Units> units = objects_.units(object);
    return units && units->count <= k_most_bytes && append_raw(units->first, units->count * units->size, out.value);
  }
  case Kind::bytes: {
    const auto size = memory.get<std::uint64_t>(object + layout.ob_size);
    return size && append_raw(object + layout.bytes_value, *size, out.value);
  }
  case Kind::tuple:
    return append_items(object, out, depth);
  case Kind::frozenset:
    return append_frozenset(object, out, depth);
  case Kind::decimal:
    return append_decimal(object, out.value);
  case Kind::date:
  case Kind::time:
  case Kind::datetime:
  case Kind::timedelta:
    return append_moment(type.kind, object, out, depth);
  case Kind::uuid: { // Lib/uuid.py: __slots__ = ('int', 'is_safe', '__weakref__')
    const Address number = objects_.attribute_or_slot(object, "int");
    return number != 0 && append_integer(number, out.value);
  }
  default:
    return false;
  }
}

bool ValueReader::append_raw(Address from, std::uint64_t size, std::string &out) {
  if (size > k_most_bytes) {
    return false;
  }
  put(out, size);
  const std::size_t at = out.size();
  out.resize(at + size);
  if (size > SnapshotMemory::k_longest_view) {
    const RemoteRange range{from, size};
    objects_.memory().prefetch(std::span(&range, 1));
  }
  return size == 0 || objects_.memory().copy(from, out.data() + at, size);
}

/// A float that an int equals, as that int: a dict takes them for one key. False for others, and for those of 2**60 and more.
bool ValueReader::append_as_integer(Address object, std::string &out) {
  constexpr double k_most = 0x1p60;
  constexpr unsigned k_digit_bits = 30; // Include/cpython/longintrepr.h, PyLong_SHIFT
  const auto number = objects_.memory().get<double>(object + objects_.layout().sizeof_object);
  if (!number || !(std::abs(*number) < k_most) || *number != std::trunc(*number)) {
    return false;
  }
  put_tag(out, static_cast<char>('A' + static_cast<int>(Kind::integer)));
  put_tag(out, *number < 0 ? '-' : '+');
  const auto magnitude = static_cast<std::uint64_t>(std::abs(*number));
  const std::array<std::uint32_t, 2> digits{static_cast<std::uint32_t>(magnitude % (1ULL << k_digit_bits)),
                                            static_cast<std::uint32_t>(magnitude >> k_digit_bits)};
  const std::uint64_t used = digits[1] != 0 ? 2 : digits[0] != 0 ? 1 : 0;
  put(out, used * sizeof digits[0]);
  for (std::size_t i = 0; i < used; ++i) {
    put(out, digits[i]);
  }
  return true;
}

/// As ObjectReader::integer(), of any size.
bool ValueReader::append_integer(Address object, std::string &out) {
  const Layout &layout = objects_.layout();
  const auto tag = objects_.memory().get<std::int64_t>(object + layout.long_tag);
  if (!tag) {
    return false;
  }
  const bool sized = layout.long_tag_is_size;
  const bool negative = sized ? *tag < 0 : (*tag & 3) == 2;
  const std::int64_t digits = sized ? (*tag < 0 ? -*tag : *tag) : (*tag & 3) == 1 ? 0 : *tag >> 3;
  put_tag(out, negative ? '-' : '+');
  return digits >= 0 && digits <= static_cast<std::int64_t>(k_most_bytes / 4) &&
         append_raw(object + layout.long_digit, static_cast<std::uint64_t>(digits) * 4, out);
}

bool ValueReader::append_items(Address tuple, Bytes &out, int depth) {
  const auto count = objects_.memory().get<std::uint64_t>(tuple + objects_.layout().ob_size);
  if (!count || *count > objects_left_) {
    return false;
  }
  const auto items = objects_.tuple_elements(tuple);
  if (!items) {
    return false;
  }
  put(out.value, *count);
  for (const Address item : *items) {
    append(item, out, depth + 1);
  }
  return true;
}

/// Its elements in any order.
bool ValueReader::append_frozenset(Address set, Bytes &out, int depth) {
  const Layout &layout = objects_.layout();
  SnapshotMemory &memory = objects_.memory();
  const auto mask = memory.get<std::uint64_t>(set + layout.set_mask);
  const Address table = memory.pointer(set + layout.set_table);
  if (!mask || *mask >= 4 * k_most_objects) {
    return false;
  }
  std::vector<std::uint64_t> hashes;
  std::vector<Address> words((*mask + 1) * 2); // setentry: key, hash (Include/cpython/setobject.h)
  if (!memory.copy(table, words.data(), words.size() * sizeof(Address))) {
    return false;
  }
  for (std::size_t i = 0; i < words.size(); i += 2) {
    if (words[i] != 0) {
      Bytes element;
      append(words[i], element, depth + 1);
      out.traits |= element.traits;
      hashes.push_back(hash(element.value));
    }
  }
  std::sort(hashes.begin(), hashes.end());
  put(out.value, hashes.size());
  for (const std::uint64_t each : hashes) {
    put(out.value, each);
  }
  return true;
}

/// Modules/_decimal/_decimal.c, PyDecObject: the hash, then an mpd_t (mpdecimal.h): flags, exp, digits, len, alloc, data.
bool ValueReader::append_decimal(Address object, std::string &out) {
  constexpr std::uint8_t k_sign_and_kind = 0x0F; // MPD_NEG, MPD_INF, MPD_NAN, MPD_SNAN
  constexpr std::uint8_t k_special = 0x0E;
  SnapshotMemory &memory = objects_.memory();
  const Address number = object + objects_.layout().sizeof_object + 8;
  const auto flags = memory.get<std::uint8_t>(number);
  const auto exponent = memory.get<std::int64_t>(number + 8);
  const auto length = memory.get<std::uint64_t>(number + 24);
  if (!flags || !exponent || !length || *length > k_most_bytes / 8) {
    return false;
  }
  const bool special = (*flags & k_special) != 0;
  put(out, static_cast<std::uint8_t>(*flags & k_sign_and_kind));
  put(out, special ? std::int64_t{0} : *exponent);
  return append_raw(memory.pointer(number + 40), special ? 0 : *length * 8, out);
}

/// Include/datetime.h: the hash, then hastzinfo and the packed fields; time and datetime go on with fold and tzinfo. Of timedelta the
/// hash, then days, seconds and microseconds.
bool ValueReader::append_moment(Kind kind, Address object, Bytes &out, int depth) {
  const Address behind_hash = object + objects_.layout().sizeof_object + 8;
  if (kind == Kind::timedelta) {
    return append_raw(behind_hash, 12, out.value);
  }
  const std::uint64_t fields = kind == Kind::date ? 4 : kind == Kind::time ? 6 : 10;
  if (!append_raw(behind_hash + 1, fields, out.value)) {
    return false;
  }
  const bool in_zone = kind != Kind::date && objects_.memory().get<char>(behind_hash).value_or(0) != 0;
  if (in_zone) { // behind fold, at the next word
    const Address zone = behind_hash + ((1 + fields + 1) + 7) / 8 * 8;
    Bytes zone_bytes;
    append(objects_.memory().pointer(zone), zone_bytes, depth + 1);
    out.value += zone_bytes.value; // a zone is the same object for as long as it is used: its address is its value
    out.traits |= zone_bytes.traits & static_cast<std::uint8_t>(ValueTrait::unread);
  }
  return true;
}

void ValueReader::append_object(Address object, Bytes &out, int depth) {
  const Address type = objects_.type_of(object);
  put_tag(out.value, 'o');
  put(out.value, type);
  put(out.value, object);
  mark(out, ValueTrait::identity);
  if (depth > 0) {
    return;
  }
  const std::vector<DictEntry> attributes = objects_.attributes(object, k_most_listed);
  for (std::size_t i = 0; i < std::min(attributes.size(), k_most_attributes); ++i) {
    append_state(attributes[i].value, out.state);
  }
  const std::vector<Offset> slots = type_of(type).slots; // a copy: more types may be met
  for (std::size_t i = 0; i < std::min(slots.size(), k_most_attributes); ++i) {
    append_state(objects_.memory().pointer(object + slots[i]), out.state);
  }
}

/// What tells whether an attribute is what it was: its value if that is a simple one, else its address, with the size of a container.
void ValueReader::append_state(Address value, std::string &out) {
  if (value == 0 || objects_left_ == 0) {
    put_tag(out, '0');
    return;
  }
  --objects_left_;
  const Address type = objects_.type_of(value);
  const Type &known = type_of(type);
  const bool simple = known.kind == Kind::integer || known.kind == Kind::floating || known.kind == Kind::text ||
                      known.kind == Kind::bytes || known.kind == Kind::decimal;
  Bytes bytes;
  if (simple && append_value(known, value, bytes, k_deepest)) {
    out += bytes.value;
    return;
  }
  put(out, value);
  if (known.kind == Kind::unhashable) { // ob_size of a list, ma_used of a dict
    const std::uint64_t flags = objects_.type(type).flags;
    const Offset size = (flags & k_dict) != 0 ? objects_.layout().dict_used : objects_.layout().ob_size;
    put(out, objects_.memory().get<std::uint64_t>(value + size).value_or(0));
  }
}

} // namespace awaitscope
