#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "awaitscope/cpython/code_cache.hpp"
#include "awaitscope/cpython/objects.hpp"
#include "awaitscope/model/function_cache.hpp"

namespace awaitscope {

/// Reads functools._lru_cache_wrapper objects (Modules/_functoolsmodule.c, lru_cache_object), which the C implementation of
/// functools makes. That in Python, for interpreters without _functools, keeps its counts in closures and is not read.
class LruCacheReader {
public:
  LruCacheReader(ObjectReader &objects, CodeCache &codes) : objects_(objects), codes_(codes) {}

  static constexpr std::string_view k_type_name = "functools._lru_cache_wrapper"; ///< tp_name

  /// What does not change while it lives, out of the current snapshot. Nothing if it is no such object in good order.
  std::optional<FunctionCache> describe(Address cache);

  /// The counts of all of them as they now are, past the snapshot, those of each in one read; nothing for one that is gone, or
  /// that was never read in a state in which it can be.
  std::vector<std::optional<CacheCounts>> counts(std::span<const FunctionCache> caches);

  /// What a wrapper (a decorator's function with __wrapped__, a cache, a method, a static or class method, a partial) wraps, or 0.
  Address next_inner(Address function);

  /// The name of a function that C code defines; empty if it cannot be read.
  std::string builtin_name(Address function);

private:
  /// The bytes of a wrapper that are read of it.
  [[nodiscard]] std::size_t wrapper_size() const { return objects_.layout().lru_misses + sizeof(std::uint64_t); }

  void name(Address function, FunctionCache &cache);
  Address innermost(Address function);
  std::vector<Address> dicts_of(std::span<const FunctionCache *const> caches);

  struct Round {
    std::vector<std::optional<CacheCounts>> counts;
    std::vector<bool> torn; ///< it is there, but not now in a state in which it can be
  };
  Round read_round(std::span<const FunctionCache *const> caches);

  ObjectReader &objects_;
  CodeCache &codes_;
};

} // namespace awaitscope
