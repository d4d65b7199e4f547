#pragma once

#include <optional>
#include <string_view>
#include <unordered_map>

#include "awaitscope/cpython/code_cache.hpp"
#include "awaitscope/cpython/objects.hpp"

namespace awaitscope {

/// Reads coroutines that Cython compiled: they have names, and what they await, but no frame and no executing line. Where
/// their fields are differs from one version of Cython to the next, so it is found in each type's first object.
class CompiledCoroutineReader {
public:
  CompiledCoroutineReader(ObjectReader &objects, CodeCache &codes) : objects_(objects), codes_(codes) {}

  /// By tp_name: coroutines and generators, and what wraps them to be awaited.
  static bool is_coroutine(std::string_view type_name);
  static bool is_wrapper(std::string_view type_name);

  /// Its name: with the file and first line of its code object if it has one, else with its module in the file's place.
  /// Nothing if it cannot be read.
  std::optional<CodeId> name(Address coroutine);

  /// The words one of which is what it awaits; each may be null, or no object at all.
  struct Candidates {
    Address nearer = 0, farther = 0;
  };
  Candidates awaited(Address coroutine);

private:
  Offset name_offset(Address coroutine);

  ObjectReader &objects_;
  CodeCache &codes_;
  std::unordered_map<Address, Offset> name_offsets_; ///< by type
};

} // namespace awaitscope
