#include "awaitscope/cpython/dicts.hpp"

#include <array>

namespace awaitscope {

std::optional<DictReader::KeysTable> DictReader::keys_table(Address keys) {
  const auto count = memory_.get<std::uint64_t>(keys + layout_.keys_nentries);
  if (keys == 0 || !count || *count > k_max_entries) {
    return std::nullopt;
  }
  KeysTable table;
  table.count = *count;
  const Address indices = keys + layout_.keys_indices;
  if (layout_.keys_form == DictKeys::counted) {
    // Objects/dict-common.h, Objects/dictobject.c (DK_IXSIZE): an index takes as few bytes as dk_size needs.
    const auto size = memory_.get<std::uint64_t>(keys + layout_.keys_size);
    if (!size || *size > 2 * k_max_entries || *count > *size) {
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

DictReader::Storage DictReader::storage(Address dict) {
  const Address values = memory_.pointer(dict + layout_.dict_values);
  return {memory_.pointer(dict + layout_.dict_keys), values == 0 ? 0 : values + layout_.dict_values_header};
}

std::optional<std::uint64_t> DictReader::used(Address dict) {
  return memory_.get<std::uint64_t>(dict + layout_.dict_used);
}

std::optional<std::vector<DictEntry>> DictReader::entries(const Storage &storage, std::uint64_t most) {
  const std::optional<KeysTable> table = keys_table(storage.keys);
  if (!table || table->count > most) {
    return std::nullopt;
  }
  if (table->count > 0) {
    const std::array<RemoteRange, 2> ranges{
        RemoteRange{table->first, table->count * table->stride},
        RemoteRange{storage.values != 0 ? storage.values : table->first, table->count * sizeof(Address)}};
    memory_.prefetch(ranges);
  }
  std::vector<DictEntry> entries;
  entries.reserve(table->count);
  for (std::uint64_t i = 0; i < table->count; ++i) {
    std::array<Address, 2> pair{};
    if (!memory_.copy(table->first + i * table->stride + table->key, pair.data(), sizeof pair)) {
      return std::nullopt;
    }
    if (storage.values != 0) {
      pair[1] = memory_.pointer(storage.values + i * sizeof(Address));
    }
    if (pair[0] != 0 && pair[1] != 0) {
      entries.push_back({pair[0], pair[1]});
    }
  }
  return entries;
}

Address DictReader::inline_values(Address object, const TypeInfo &info) {
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

DictReader::Storage DictReader::inline_storage(Address object, Address type, const TypeInfo &info) {
  const Address values = (info.flags & layout_.managed_dict_flag) != 0 ? inline_values(object, info) : 0;
  return values == 0 ? Storage{} : Storage{memory_.pointer(type + layout_.ht_cached_keys), values};
}

Address DictReader::instance_dict(Address object, const TypeInfo &info) {
  if ((info.flags & layout_.managed_dict_flag) != 0) {
    const Address word = memory_.pointer(object - layout_.managed_dict_before);
    return (word & 1U) != 0 ? 0 : word;
  }
  if (info.dict_offset > 0) {
    return memory_.pointer(object + static_cast<Address>(info.dict_offset));
  }
  return 0;
}

} // namespace awaitscope
