#include "awaitscope/asyncio/compiled_coroutines.hpp"

#include <algorithm>
#include <array>

namespace awaitscope {
namespace {

// Cython/Utility/CommonStructures.c and Coroutine.c (0.29 to 3.2): types are "_cython_3_2_9.coroutine", or
// "_cython_0_29_37.coroutine" and so on, in a module that all extensions of that version share.
constexpr std::string_view k_prefix = "_cython_";
constexpr std::array<std::string_view, 4> k_coroutines{"coroutine", "iterable_coroutine", "generator",
                                                       "async_generator"};
constexpr std::array<std::string_view, 3> k_wrappers{"coroutine_wrapper", "async_generator_asend",
                                                     "async_generator_athrow"};
constexpr std::size_t k_most_types = 1024;
constexpr std::int64_t k_most_bytes = 512;

template <std::size_t N> bool is_one_of(const std::array<std::string_view, N> &names, std::string_view type_name) {
  const std::size_t dot = type_name.rfind('.');
  return type_name.substr(0, k_prefix.size()) == k_prefix && dot != std::string_view::npos &&
         std::find(names.begin(), names.end(), type_name.substr(dot + 1)) != names.end();
}

} // namespace

bool CompiledCoroutineReader::is_coroutine(std::string_view type_name) { return is_one_of(k_coroutines, type_name); }

bool CompiledCoroutineReader::is_wrapper(std::string_view type_name) { return is_one_of(k_wrappers, type_name); }

/// Where gi_name is, or k_absent. __pyx_CoroutineObject: body, closure, exception state, (gi_weakreflist), classobj,
/// yieldfrom, (yieldfrom_am_send, from 3.1), gi_name, gi_qualname, gi_modulename, (gi_code), … : the first two strs in a row.
Offset CompiledCoroutineReader::name_offset(Address coroutine) {
  const Address type_address = objects_.type_of(coroutine);
  const auto known = name_offsets_.find(type_address);
  if (known != name_offsets_.end()) {
    return known->second;
  }
  const std::int64_t end = std::min(objects_.type(type_address).basic_size, k_most_bytes);
  const auto is_text = [&](Offset offset) {
    const Address word = objects_.memory().pointer(coroutine + offset);
    return word != 0 && objects_.type_of_object(word).name == "str";
  };
  // Behind body and closure.
  for (Offset at = objects_.layout().sizeof_object + 16; static_cast<std::int64_t>(at) + 16 <= end; at += 8) {
    if (is_text(at) && is_text(at + 8)) {
      if (name_offsets_.size() < k_most_types) {
        name_offsets_.emplace(type_address, at);
      }
      return at;
    }
  }
  return k_absent;
}

std::optional<CodeId> CompiledCoroutineReader::name(Address coroutine) {
  const Offset at = name_offset(coroutine);
  if (at == k_absent) {
    return std::nullopt;
  }
  SnapshotMemory &memory = objects_.memory();
  const std::optional<std::string> qualname = objects_.text(memory.pointer(coroutine + at + 8));
  if (!qualname) {
    return std::nullopt;
  }
  const Address module = memory.pointer(coroutine + at + 16);
  const bool has_module = module != 0 && objects_.type_of_object(module).name == "str";
  return codes_.table().add_name(*qualname, has_module ? objects_.text(module).value_or("") : std::string());
}

CompiledCoroutineReader::Candidates CompiledCoroutineReader::awaited(Address coroutine) {
  const Offset at = name_offset(coroutine);
  if (at == k_absent) {
    return {};
  }
  return {objects_.memory().pointer(coroutine + at - 8), objects_.memory().pointer(coroutine + at - 16)};
}

} // namespace awaitscope
