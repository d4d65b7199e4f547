#include "code_parts.hpp"

namespace awaitscope {
namespace {

constexpr std::size_t k_most_code_names = 1024;
constexpr std::uint8_t k_kind_free = 0x80; // Include/internal/pycore_code.h: CO_FAST_FREE

std::vector<std::string> names_at(ObjectReader &objects, Address tuple) {
  std::vector<std::string> names;
  const auto count = objects.memory().get<std::uint64_t>(tuple + objects.layout().ob_size);
  if (tuple == 0 || !count || *count > k_most_code_names) {
    return names;
  }
  for (const Address name : objects.tuple_elements(tuple).value_or(std::vector<Address>())) {
    names.push_back(objects.text(name).value_or("?"));
  }
  return names;
}

} // namespace

CodeParts read_code_parts(ObjectReader &objects, Address code) {
  const Layout &layout = objects.layout();
  SnapshotMemory &memory = objects.memory();
  const auto number = [&](Address at) { return memory.get<std::uint32_t>(code + at).value_or(0); };
  CodeParts parts;
  parts.flags = number(layout.co_flags);
  parts.positional = number(layout.co_argcount); // then co_posonlyargcount, co_kwonlyargcount (Include/cpython/code.h)
  parts.keyword_only = number(layout.co_argcount + 8);
  parts.names = names_at(objects, memory.pointer(code + layout.co_names));
  if (layout.co_varnames !=
      k_absent) { // co_cellvars follows co_freevars; LOAD_DEREF counts through the former, then the latter
    parts.locals = names_at(objects, memory.pointer(code + layout.co_varnames));
    parts.derefs = names_at(objects, memory.pointer(code + layout.co_freevars + 8));
    parts.free.assign(parts.derefs.size(), false);
    for (std::string &name : names_at(objects, memory.pointer(code + layout.co_freevars))) {
      parts.derefs.push_back(std::move(name));
      parts.free.push_back(true);
    }
    return parts;
  }
  parts.locals = names_at(objects, memory.pointer(code + layout.co_localsplusnames));
  parts.derefs = parts.locals;
  const Address kinds = memory.pointer(code + layout.co_localspluskinds);
  for (std::size_t i = 0; i < parts.locals.size(); ++i) {
    parts.free.push_back((memory.get<std::uint8_t>(kinds + layout.bytes_value + i).value_or(0) & k_kind_free) != 0);
  }
  return parts;
}

} // namespace awaitscope
