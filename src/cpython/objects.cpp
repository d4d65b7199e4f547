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

std::optional<ObjectReader::KeysTable> ObjectReader::keys_table(Address keys) {
  const auto count = memory_.get<std::uint64_t>(keys + layout_.keys_nentries);
  if (keys == 0 || !count || *count > k_max_elements) {
    return std::nullopt;
  }
  KeysTable table;
  table.count = *count;
  const Address indices = keys + layout_.keys_indices;
  if (layout_.keys_form == DictKeys::counted) {
    // Objects/dict-common.h, Objects/dictobject.c (DK_IXSIZE): an index takes as few bytes as dk_size needs.
    const auto size = memory_.get<std::uint64_t>(keys + layout_.keys_size);
    if (!size || *size > 2 * k_max_elements || *count > *size) {
      return std::nullopt;
    }
    const std::uint64_t index_bytes = *size <= 0xFF ? 1 : *size <= 0xFFFF ? 2 : 4;
    table.first = indices + *size * index_bytes;
    return table;
  }
  // Include/internal/pycore_dict.h: indices, then the entries; unicode-only tables store no hash.
  const auto log2_size = memory_.get<std::uint8_t>(keys + layout_.keys_log2_size);
  const auto log2_index = memory_.get<std::uint8_t>(keys + layout_.keys_log2_index);
  const auto kind = memory_.get<std::uint8_t>(keys + layout_.keys_kind);
  if (!log2_size || !log2_index || !kind || *log2_size > 40 || *log2_index > 43 || *kind > 2 ||
      *count > (std::uint64_t{1} << *log2_size)) {
    return std::nullopt;
  }
  table.first = indices + (Address{1} << *log2_index);
  if (*kind != 0) {
    table.stride = 16;
    table.key = 0;
  }
  return table;
}

std::optional<std::vector<ObjectReader::Entry>> ObjectReader::keys_entries(Address keys, Address split_values) {
  const std::optional<KeysTable> table = keys_table(keys);
  if (!table) {
    return std::nullopt;
  }
  if (table->count > 0) {
    const std::array<RemoteRange, 2> ranges{
        RemoteRange{table->first, table->count * table->stride},
        RemoteRange{split_values != 0 ? split_values : table->first, table->count * 8}};
    memory_.prefetch(ranges);
  }
  std::vector<Entry> entries;
  entries.reserve(table->count);
  for (std::uint64_t i = 0; i < table->count; ++i) {
    std::array<Address, 2> pair{};
    if (!memory_.copy(table->first + i * table->stride + table->key, pair.data(), sizeof pair)) {
      return std::nullopt;
    }
    if (split_values != 0) {
      pair[1] = memory_.pointer(split_values + i * 8);
    }
    if (pair[0] != 0 && pair[1] != 0) {
      entries.push_back({pair[0], pair[1]});
    }
  }
  return entries;
}

std::optional<std::vector<ObjectReader::Entry>> ObjectReader::dict_entries(Address dict) {
  if (dict == 0 || !is_kind(type_of(dict), "dict")) {
    return std::nullopt;
  }
  const Address keys = memory_.pointer(dict + layout_.dict_keys);
  const Address values = memory_.pointer(dict + layout_.dict_values);
  return keys_entries(keys, values == 0 ? 0 : values + layout_.dict_values_header);
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
  const auto mask = memory_.get<std::uint64_t>(set + layout_.set_mask);
  const Address table = memory_.pointer(set + layout_.set_table);
  if (set == 0 || !is_kind(type_of(set), "set") || !mask || *mask >= k_max_elements) {
    return std::nullopt;
  }
  const auto words = items_at(table, (*mask + 1) * 2); // setentry: key, hash (Include/cpython/setobject.h)
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
  // Objects/setobject.c, set_table_resize(): a table that grows is empty at first, and filled one by one.
  const bool settled = memory_.get<std::uint64_t>(set + layout_.set_used) == elements.size();
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

Address ObjectReader::inline_values(Address object, const TypeInfo &info) {
  switch (layout_.instance_dict) {
  case InstanceDict::at_dict_offset:
    return 0;
  case InstanceDict::values_before:
    return memory_.pointer(object - layout_.managed_dict_before - 8);
  case InstanceDict::tagged_before: {
    const Address word = memory_.pointer(object - layout_.managed_dict_before);
    return (word & 1U) != 0 ? word + 1 : 0;
  }
  case InstanceDict::inline_after_object: {
    // struct _dictvalues: capacity, size, embedded, valid (one byte each), then the values from +8.
    const Address values = object + static_cast<Address>(info.basic_size);
    const bool valid = memory_.get<std::uint8_t>(values + 3).value_or(0) != 0;
    return (info.flags & layout_.inline_values_flag) != 0 && valid ? values + layout_.dict_values_header : 0;
  }
  }
  return 0;
}

Address ObjectReader::instance_dict(Address object, const TypeInfo &info) {
  if ((info.flags & layout_.managed_dict_flag) != 0) {
    const Address word = memory_.pointer(object - layout_.managed_dict_before);
    return (word & 1U) != 0 ? 0 : word;
  }
  if (info.dict_offset > 0) {
    return memory_.pointer(object + static_cast<Address>(info.dict_offset));
  }
  return 0;
}

Address ObjectReader::value_in_keys(Address keys, Address split_values, std::string_view name) {
  const auto value_of = [&](const AttributeSlot &slot) {
    return memory_.pointer(split_values != 0 ? split_values + slot.index * 8 : slot.entry + 8);
  };
  if (slots_.size() >= k_max_slots) {
    slots_.clear();
  }
  auto &known = slots_[keys];
  const std::uint32_t shape = memory_.get<std::uint32_t>(keys + layout_.keys_log2_size).value_or(0) & k_shape_bits;
  for (const auto &[attribute, slot] : known) {
    if (attribute == name && slot.shape == shape && memory_.pointer(slot.entry) == slot.name) {
      return value_of(slot);
    }
  }
  const std::optional<KeysTable> table = keys_table(keys);
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

Address ObjectReader::attribute(Address object, std::string_view name) {
  const Address type_address = object == 0 ? 0 : type_of(object);
  const TypeInfo info = type(type_address);
  if (!info.valid) {
    return 0;
  }
  if ((info.flags & layout_.managed_dict_flag) != 0) {
    const Address values = inline_values(object, info);
    if (values != 0) {
      return value_in_keys(memory_.pointer(type_address + layout_.ht_cached_keys), values, name);
    }
  }
  const Address dict = instance_dict(object, info);
  if (dict == 0 || !is_kind(type_of(dict), "dict")) {
    return 0;
  }
  const Address values = memory_.pointer(dict + layout_.dict_values);
  return value_in_keys(memory_.pointer(dict + layout_.dict_keys), values == 0 ? 0 : values + layout_.dict_values_header,
                       name);
}

std::vector<Address> ObjectReader::attribute_values(Address object, std::size_t most) {
  const Address type_address = object == 0 ? 0 : type_of(object);
  const TypeInfo info = type(type_address);
  std::vector<Address> values;
  if (!info.valid) {
    return values;
  }
  Address keys = 0;
  Address split_values = 0;
  if ((info.flags & layout_.managed_dict_flag) != 0 && (split_values = inline_values(object, info)) != 0) {
    keys = memory_.pointer(type_address + layout_.ht_cached_keys);
  } else if (const Address dict = instance_dict(object, info); dict != 0 && is_kind(type_of(dict), "dict")) {
    keys = memory_.pointer(dict + layout_.dict_keys);
    split_values = memory_.pointer(dict + layout_.dict_values);
    split_values += split_values == 0 ? 0 : layout_.dict_values_header;
  }
  const std::optional<KeysTable> table = keys == 0 ? std::nullopt : keys_table(keys);
  const std::uint64_t count = table ? std::min<std::uint64_t>(table->count, most) : 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    values.push_back(
        memory_.pointer(split_values != 0 ? split_values + i * 8 : table->first + i * table->stride + table->key + 8));
  }
  return values;
}

/// Where an instance keeps the slot of this name, or k_absent. Objects/typeobject.c, type_new(): each is a member_descriptor in
/// the class's dict. Include/cpython/descrobject.h: d_type, d_name, d_qualname, then d_member, a PyMemberDef: name, type, offset.
Offset ObjectReader::slot_offset(Address type_address, std::string_view name) {
  const auto known = members_.find(type_address);
  if (known != members_.end()) {
    const auto found = std::find_if(known->second.begin(), known->second.end(),
                                    [&](const auto &member) { return member.first == name; });
    if (found != known->second.end()) {
      return found->second;
    }
  }
  const Address tp_dict = memory_.pointer(type_address + layout_.tp_base + 8);
  const Address descriptor = tp_dict == 0 ? 0 : dict_value(tp_dict, name);
  if (descriptor == 0 || type_of_object(descriptor).name != "member_descriptor") {
    return k_absent;
  }
  const Address member = memory_.pointer(descriptor + layout_.sizeof_object + 24);
  const auto offset = memory_.get<std::int64_t>(member + 16);
  if (member == 0 || !offset || *offset <= 0 || *offset >= type(type_address).basic_size ||
      members_.size() >= k_max_types) {
    return k_absent;
  }
  members_[type_address].emplace_back(std::string(name), static_cast<Offset>(*offset));
  return static_cast<Offset>(*offset);
}

Address ObjectReader::attribute_or_slot(Address object, std::string_view name) {
  if (const Address own = attribute(object, name); own != 0) {
    return own;
  }
  Address of = object == 0 ? 0 : type_of(object);
  for (int depth = 0; of != 0 && depth < k_max_bases; ++depth) {
    if (const Offset offset = slot_offset(of, name); offset != k_absent) {
      return memory_.pointer(object + offset);
    }
    const TypeInfo &info = type(of);
    of = info.valid ? info.base : 0;
  }
  return 0;
}

} // namespace awaitscope
