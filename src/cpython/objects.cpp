#include "awaitscope/cpython/objects.hpp"

#include <algorithm>
#include <array>

#include "unicode.hpp"

namespace awaitscope {
namespace {

constexpr std::size_t k_max_types = 65536;
constexpr int k_max_bases = 32;
constexpr std::size_t k_max_slots = 65536;
constexpr std::uint32_t k_shape_bits =
    0xFF'FFFF; // dk_log2_size, dk_log2_index_bytes, dk_kind; or the low part of dk_size

} // namespace

const TypeInfo &ObjectReader::type(Address address) {
  const auto known = types_.find(address);
  if (known != types_.end()) {
    return known->second;
  }
  static const TypeInfo k_unknown;
  std::array<char, 128> name{};
  const Address name_at = memory_.pointer(address + layout_.tp_name);
  std::size_t length = 0;
  while (name_at != 0 && length < name.size() - 1 && memory_.copy(name_at + length, &name[length], 1) &&
         name[length] != '\0') {
    ++length;
  }
  const auto basic_size = memory_.get<std::int64_t>(address + layout_.tp_basicsize);
  if (length == 0 || !basic_size || *basic_size <= 0 || types_.size() >= k_max_types) {
    return k_unknown; // not kept: the memory may hold a type later
  }
  TypeInfo info;
  info.name = std::string(name.data(), length);
  info.base = memory_.pointer(address + layout_.tp_base);
  info.basic_size = *basic_size;
  info.dict_offset = memory_.get<std::int64_t>(address + layout_.tp_dictoffset).value_or(0);
  info.flags = memory_.get<std::uint64_t>(address + layout_.tp_flags).value_or(0);
  info.valid = true;
  return types_.emplace(address, std::move(info)).first->second;
}

bool ObjectReader::is_kind(Address address, std::string_view name) {
  for (int depth = 0; address != 0 && depth < k_max_bases; ++depth) {
    const TypeInfo &info = type(address);
    if (!info.valid) {
      return false;
    }
    if (info.name == name) {
      return true;
    }
    address = info.base;
  }
  return false;
}

std::optional<ObjectReader::Units> ObjectReader::units(Address str) {
  const auto length = memory_.get<std::uint64_t>(str + layout_.str_length);
  const auto state = memory_.get<std::uint32_t>(str + layout_.str_state);
  if (str == 0 || !length || !state) {
    return std::nullopt;
  }
  // Include/cpython/unicodeobject.h: interned, kind:3, compact:1, ascii:1.
  const std::uint32_t bits = *state >> layout_.str_kind_shift;
  const unsigned kind = bits & 7U;
  const bool compact = ((bits >> 3U) & 1U) != 0;
  const bool ascii = ((bits >> 4U) & 1U) != 0;
  if (kind != 1 && kind != 2 && kind != 4) {
    return std::nullopt;
  }
  Address first = str + (ascii ? layout_.str_ascii : layout_.str_compact);
  if (!compact) {
    first = memory_.pointer(str + layout_.str_compact);
  }
  return Units{first, *length, kind};
}

std::optional<std::string> ObjectReader::text(Address str) {
  const std::optional<Units> found = units(str);
  if (!found) {
    return std::nullopt;
  }
  const std::size_t kept = std::min<std::uint64_t>(found->count, k_max_text);
  std::string raw(kept * found->size, '\0');
  if (!memory_.copy(found->first, raw.data(), raw.size())) {
    return std::nullopt;
  }
  std::string utf8 = utf8_from_units(raw, found->size);
  if (kept < found->count) {
    utf8 += "…";
  }
  return utf8;
}

std::uint64_t ObjectReader::text_digest(Address str) {
  const std::optional<Units> found = units(str);
  std::array<char, k_digested> end{};
  if (!found || found->count > k_max_elements) {
    return 0;
  }
  const std::size_t size = found->count * found->size;
  const std::size_t kept = std::min(size, end.size());
  if (!memory_.copy(found->first + (size - kept), end.data(), kept)) {
    return 0;
  }
  return std::hash<std::string_view>{}({end.data(), kept}) ^ size;
}

bool ObjectReader::text_equals(Address str, std::string_view expected) {
  const auto length = memory_.get<std::uint64_t>(str + layout_.str_length);
  return length && *length == expected.size() && text(str) == expected;
}

std::optional<std::int64_t> ObjectReader::integer(Address object) {
  // 3.12+: tag = digit count << 3 | sign (0 positive, 1 zero, 2 negative), Include/internal/pycore_long.h.
  // Before: ob_size is the digit count, negative for a negative number. Digits hold 30 bits.
  const auto tag = memory_.get<std::int64_t>(object + layout_.long_tag);
  if (!tag) {
    return std::nullopt;
  }
  const bool negative = layout_.long_tag_is_size ? *tag < 0 : (*tag & 3) == 2;
  const std::int64_t count = layout_.long_tag_is_size ? (*tag < 0 ? -*tag : *tag) : *tag >> 3;
  if (count < 0 || count > 3) {
    return std::nullopt;
  }
  std::uint64_t value = 0;
  for (std::int64_t i = count - 1; i >= 0; --i) {
    const auto digit = memory_.get<std::uint32_t>(object + layout_.long_digit + static_cast<Address>(i) * 4);
    if (!digit || *digit >= (1U << 30U) || (value >> 34U) != 0) {
      return std::nullopt;
    }
    value = (value << 30U) | *digit;
  }
  const auto magnitude = static_cast<std::int64_t>(value);
  return negative ? -magnitude : magnitude;
}

std::optional<double> ObjectReader::number(Address object) {
  const Address type = object == 0 ? 0 : type_of(object);
  if (is_kind(type, "float")) {
    return memory_.get<double>(object + layout_.sizeof_object); // Include/cpython/floatobject.h: ob_fval
  }
  const std::optional<std::int64_t> whole = is_kind(type, "int") ? integer(object) : std::nullopt;
  return whole ? std::optional(static_cast<double>(*whole)) : std::nullopt;
}

std::optional<std::vector<ObjectReader::Entry>> ObjectReader::dict_entries(Address dict) {
  if (dict == 0 || !is_kind(type_of(dict), "dict")) {
    return std::nullopt;
  }
  return dicts_.entries(dicts_.storage(dict));
}

Address ObjectReader::find_key(const std::vector<Entry> &entries, std::string_view key) {
  std::vector<RemoteRange> heads;
  heads.reserve(entries.size());
  for (const Entry &entry : entries) {
    heads.push_back({entry.key, layout_.str_compact});
  }
  memory_.prefetch(heads);
  for (const Entry &entry : entries) {
    if (text_equals(entry.key, key)) {
      return entry.value;
    }
  }
  return 0;
}

Address ObjectReader::dict_value(Address dict, std::string_view key) {
  const std::optional<std::vector<Entry>> entries = dict_entries(dict);
  return entries ? find_key(*entries, key) : 0;
}

std::optional<std::vector<Address>> ObjectReader::items_at(Address first, std::uint64_t count) {
  if (count > k_max_elements) {
    return std::nullopt;
  }
  std::vector<Address> items(count);
  if (count > 0) {
    const RemoteRange range{first, count * 8};
    memory_.prefetch(std::span(&range, 1));
    if (!memory_.copy(first, items.data(), count * 8)) {
      return std::nullopt;
    }
  }
  return items;
}

std::optional<std::vector<Address>> ObjectReader::set_elements(Address set) {
  constexpr std::uint64_t k_entry = 16; // setentry: key, hash (Include/cpython/setobject.h)
  constexpr int k_attempts = 4;
  if (set == 0 || !is_kind(type_of(set), "set")) {
    return std::nullopt;
  }
  for (int attempt = 0; attempt < k_attempts; ++attempt) {
    const auto mask = memory_.get<std::uint64_t>(set + layout_.set_mask);
    const Address table = memory_.pointer(set + layout_.set_table);
    if (!mask || *mask >= k_max_elements) {
      return std::nullopt;
    }
    if (attempt > 0) {
      const std::array<RemoteRange, 2> whole{
          {{set, layout_.set_table + sizeof(Address)}, {table, (*mask + 1) * k_entry}}};
      memory_.refetch(whole);
    }
    if (auto elements = elements_in(set, table, *mask + 1)) {
      return elements;
    }
  }
  return std::nullopt;
}

/// Nothing if the table is not the set's as it now is. One that is read while the set changes may have been read before or after
/// what stands in the set itself. Objects/setobject.c, set_table_resize(): a table that grows is empty at first, and filled one by one.
std::optional<std::vector<Address>> ObjectReader::elements_in(Address set, Address table, std::uint64_t entries) {
  const auto words = items_at(table, entries * 2);
  if (!words) {
    return std::nullopt;
  }
  std::vector<Address> elements;
  for (std::size_t i = 0; i < words->size(); i += 2) {
    constexpr Address k_dummy_hash = ~Address{0}; // a removed element: key dummy, hash -1
    if ((*words)[i] != 0 && (*words)[i + 1] != k_dummy_hash) {
      elements.push_back((*words)[i]);
    }
  }
  const bool settled = memory_.get<std::uint64_t>(set + layout_.set_used) == elements.size() &&
                       memory_.pointer(set + layout_.set_table) == table;
  return settled ? std::optional(std::move(elements)) : std::nullopt;
}

std::optional<std::vector<Address>> ObjectReader::list_elements(Address list) {
  const auto count = memory_.get<std::uint64_t>(list + layout_.ob_size);
  if (list == 0 || !count || !is_kind(type_of(list), "list")) {
    return std::nullopt;
  }
  return items_at(memory_.pointer(list + layout_.list_items), *count);
}

std::optional<std::vector<Address>> ObjectReader::tuple_elements(Address tuple) {
  const auto count = memory_.get<std::uint64_t>(tuple + layout_.ob_size);
  if (tuple == 0 || !count || !is_kind(type_of(tuple), "tuple")) {
    return std::nullopt;
  }
  return items_at(tuple + layout_.tuple_items, *count);
}

std::optional<std::vector<Address>> ObjectReader::deque_elements(Address deque) {
  // Modules/_collectionsmodule.c: blocks of leftlink, 64 items, rightlink.
  constexpr std::uint64_t k_block_length = 64;
  const auto count = memory_.get<std::uint64_t>(deque + layout_.ob_size);
  if (deque == 0 || !count || *count > k_max_elements || !is_kind(type_of(deque), "collections.deque")) {
    return std::nullopt;
  }
  Address block = memory_.pointer(deque + layout_.deque_leftblock);
  auto index = memory_.get<std::uint64_t>(deque + layout_.deque_leftindex).value_or(k_block_length);
  std::vector<Address> elements;
  while (elements.size() < *count) {
    if (index >= k_block_length) {
      block = memory_.pointer(block + (1 + k_block_length) * 8);
      index = 0;
    }
    const auto item = block == 0 ? std::nullopt : memory_.get<Address>(block + (1 + index) * 8);
    if (!item) {
      return std::nullopt;
    }
    elements.push_back(*item);
    ++index;
  }
  return elements;
}

Address ObjectReader::value_in(const DictReader::Storage &storage, std::string_view name) {
  const auto value_of = [&](const AttributeSlot &slot) {
    return memory_.pointer(storage.values != 0 ? storage.values + slot.index * 8 : slot.entry + 8);
  };
  if (slots_.size() >= k_max_slots) {
    slots_.clear();
  }
  auto &known = slots_[storage.keys];
  const std::uint32_t shape =
      memory_.get<std::uint32_t>(storage.keys + layout_.keys_log2_size).value_or(0) & k_shape_bits;
  for (const auto &[attribute, slot] : known) {
    if (attribute == name && slot.shape == shape && memory_.pointer(slot.entry) == slot.name) {
      return value_of(slot);
    }
  }
  const std::optional<DictReader::KeysTable> table = dicts_.keys_table(storage.keys);
  constexpr std::uint64_t k_most =
      64; // of an instance: more is no plain object, nor shared (SHARED_KEYS_MAX_SIZE is 30)
  if (!table || table->count > k_most) {
    return 0;
  }
  for (std::uint64_t i = 0; i < table->count; ++i) {
    const Address entry = table->first + i * table->stride + table->key;
    const Address key = memory_.pointer(entry);
    if (key != 0 && text_equals(key, name)) {
      std::erase_if(known, [&](const auto &slot) { return slot.first == name; });
      known.emplace_back(std::string(name), AttributeSlot{entry, key, i, shape});
      return value_of(known.back().second);
    }
  }
  return 0;
}

/// keys 0: it has no attributes of its own.
DictReader::Storage ObjectReader::own_storage(Address object) {
  const Address type_address = object == 0 ? 0 : type_of(object);
  const TypeInfo info = type(type_address);
  if (!info.valid) {
    return {};
  }
  if (const DictReader::Storage found = dicts_.inline_storage(object, type_address, info); found.values != 0) {
    return found;
  }
  const Address dict = dicts_.instance_dict(object, info);
  return dict == 0 || !is_kind(type_of(dict), "dict") ? DictReader::Storage{} : dicts_.storage(dict);
}

Address ObjectReader::attribute(Address object, std::string_view name) {
  const DictReader::Storage storage = own_storage(object);
  return storage.keys == 0 ? 0 : value_in(storage, name);
}

std::vector<DictEntry> ObjectReader::attributes(Address object, std::uint64_t most) {
  const DictReader::Storage storage = own_storage(object);
  return storage.keys == 0 ? std::vector<DictEntry>()
                           : dicts_.entries(storage, most).value_or(std::vector<DictEntry>());
}

} // namespace awaitscope
