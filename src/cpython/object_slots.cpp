#include "awaitscope/cpython/objects.hpp"

#include <algorithm>

namespace awaitscope {
namespace {

constexpr std::size_t k_max_slot_types = 65536;
constexpr int k_max_slot_bases = 32;
constexpr std::size_t k_most_names = 1024;     // of a class whose slots are listed
constexpr std::int32_t k_object_or_error = 16; // Include/descrobject.h, Py_T_OBJECT_EX: what __slots__ makes

} // namespace

/// Objects/descrobject.c: a PyMemberDescrObject is a PyDescrObject (d_type, d_name, d_qualname), then d_member. Include/descrobject.h,
/// PyMemberDef: name, type, offset.
ObjectReader::Member ObjectReader::member_of(Address descriptor, const TypeInfo &type) {
  if (descriptor == 0 || type_of_object(descriptor).name != "member_descriptor") {
    return {};
  }
  const Address member = memory_.pointer(descriptor + layout_.sizeof_object + 24);
  const auto kind = memory_.get<std::int32_t>(member + 8);
  const auto offset = memory_.get<std::int64_t>(member + 16);
  if (member == 0 || !kind || !offset || *offset <= 0 || *offset >= type.basic_size) {
    return {};
  }
  return {static_cast<Offset>(*offset), *kind};
}

/// Where an instance keeps the slot of this name, or k_absent. Objects/typeobject.c, type_new(): each is a member_descriptor in the
/// class's dict.
Offset ObjectReader::slot_offset(Address type_address, std::string_view name) {
  const auto known = members_.find(type_address);
  if (known != members_.end()) {
    const auto found = std::find_if(known->second.begin(), known->second.end(),
                                    [&](const auto &member) { return member.first == name; });
    if (found != known->second.end()) {
      return found->second;
    }
  }
  const Address tp_dict = memory_.pointer(type_address + layout_.tp_dict);
  const Address descriptor = tp_dict == 0 ? 0 : dict_value(tp_dict, name);
  const Member member = member_of(descriptor, type(type_address));
  if (member.offset == k_absent || members_.size() >= k_max_slot_types) {
    return k_absent;
  }
  members_[type_address].emplace_back(std::string(name), member.offset);
  return member.offset;
}

Address ObjectReader::attribute_or_slot(Address object, std::string_view name) {
  if (const Address own = attribute(object, name); own != 0) {
    return own;
  }
  Address of = object == 0 ? 0 : type_of(object);
  for (int depth = 0; of != 0 && depth < k_max_slot_bases; ++depth) {
    if (const Offset offset = slot_offset(of, name); offset != k_absent) {
      return memory_.pointer(object + offset);
    }
    const TypeInfo &info = type(of);
    of = info.valid ? info.base : 0;
  }
  return 0;
}

std::vector<Offset> ObjectReader::slots_of(Address type_address) {
  std::vector<Offset> slots;
  for (int depth = 0; type_address != 0 && depth < k_max_slot_bases; ++depth) {
    const TypeInfo &info = type(type_address);
    const TypeInfo &base = type(info.base);
    if (!info.valid || !base.valid) {
      break;
    }
    const bool own_dict = info.dict_offset > 0 && base.dict_offset <= 0;
    const Address dict =
        info.basic_size > base.basic_size + (own_dict ? 8 : 0) ? memory_.pointer(type_address + layout_.tp_dict) : 0;
    const auto entries =
        dict == 0 || dicts_.used(dict).value_or(k_most_names) >= k_most_names ? std::nullopt : dict_entries(dict);
    for (const Entry &entry : entries.value_or(std::vector<Entry>())) {
      const Member member = member_of(entry.value, info);
      if (member.kind == k_object_or_error) {
        slots.push_back(member.offset);
      }
    }
    type_address = info.base;
  }
  return slots;
}

} // namespace awaitscope
