#include "awaitscope/cpython/lru_caches.hpp"

#include <cstring>
#include <numeric>
#include <utility>

#include "awaitscope/support/text.hpp"

namespace awaitscope {
namespace {

constexpr int k_max_wrappers = 64; ///< of a function, one around the other

template <typename T> T value_at(std::span<const std::byte> bytes, Offset offset) {
  T value{};
  std::memcpy(&value, bytes.subspan(offset, sizeof value).data(), sizeof value);
  return value;
}

/// lru_cache_new(): -1 for None, and a negative number becomes 0.
std::optional<std::uint64_t> maxsize_of(std::int64_t maxsize) {
  return maxsize < 0 ? std::nullopt : std::optional(static_cast<std::uint64_t>(maxsize));
}

/// Every entry came from a miss. Not so for a moment in lru_cache_cache_clear(): it resets the counts before the dict.
bool plausible(const CacheCounts &counts, const std::optional<std::uint64_t> &maxsize) {
  return counts.currsize <= counts.misses && (!maxsize || counts.currsize <= *maxsize);
}

} // namespace

std::optional<FunctionCache> LruCacheReader::describe(Address cache) {
  const Layout &layout = objects_.layout();
  SnapshotMemory &memory = objects_.memory();
  const Address type = cache == 0 ? 0 : objects_.type_of(cache);
  const auto typed = memory.get<std::int32_t>(cache + layout.lru_typed);
  const auto maxsize = memory.get<std::int64_t>(cache + layout.lru_maxsize);
  const Address dict = memory.pointer(cache + layout.lru_cache);
  const Address function = memory.pointer(cache + layout.lru_function);
  if (!objects_.is_kind(type, k_type_name) || !typed || *typed < 0 || *typed > 1 || !maxsize || *maxsize < -1 ||
      function == 0 || !objects_.is_kind(objects_.type_of(dict), "dict")) {
    return std::nullopt;
  }
  FunctionCache found;
  found.id = cache;
  found.maxsize = maxsize_of(*maxsize);
  found.typed = *typed == 1;
  name(function, found);
  return found;
}

Address LruCacheReader::next_inner(Address function) {
  const Layout &layout = objects_.layout();
  SnapshotMemory &memory = objects_.memory();
  const Address type = objects_.type_of(function);
  if (objects_.is_kind(type, "function")) {
    // functools.wraps(): what stands here is a decorator's own function, which has the name of the one that it wraps.
    const Address dict = memory.pointer(function + layout.func_dict);
    return dict == 0 ? 0 : objects_.dict_value(dict, "__wrapped__");
  }
  if (objects_.is_kind(type, k_type_name)) {
    return memory.pointer(function + layout.lru_function);
  }
  if (objects_.is_kind(type, "staticmethod") || objects_.is_kind(type, "classmethod")) {
    return memory.pointer(function + layout.wrapper_callable);
  }
  if (objects_.is_kind(type, "method")) {
    return memory.pointer(function + layout.method_function);
  }
  return objects_.is_kind(type, "functools.partial") ? memory.pointer(function + layout.partial_function) : 0;
}

Address LruCacheReader::innermost(Address function) {
  for (int depth = 0; depth < k_max_wrappers; ++depth) {
    const Address inner = next_inner(function);
    if (inner == 0 || inner == function) {
      break;
    }
    function = inner;
  }
  return function;
}

std::string LruCacheReader::builtin_name(Address function) {
  const Layout &layout = objects_.layout();
  SnapshotMemory &memory = objects_.memory();
  constexpr std::size_t k_longest = 128;
  // Include/methodobject.h, PyMethodDef: ml_name comes first.
  const Address text = memory.pointer(memory.pointer(function + layout.cfunction_definition));
  std::string name;
  for (std::optional<char> letter; text != 0 && name.size() < k_longest; name += *letter) {
    letter = memory.get<char>(text + name.size());
    if (!letter || *letter == '\0') {
      break;
    }
  }
  return name;
}

void LruCacheReader::name(Address function, FunctionCache &cache) {
  const Layout &layout = objects_.layout();
  SnapshotMemory &memory = objects_.memory();
  const Address inner = innermost(function);
  const Address type = objects_.type_of(inner);
  const auto text = [&](Address str) {
    return str != 0 && objects_.is_kind(objects_.type_of(str), "str") ? objects_.text(str).value_or("") : std::string();
  };
  const bool builtin = objects_.is_kind(type, "builtin_function_or_method");
  if (objects_.is_kind(type, "function")) {
    cache.function = text(memory.pointer(inner + layout.func_qualname));
    cache.module = text(memory.pointer(inner + layout.func_module));
    if (const auto code = codes_.find(memory.pointer(inner + layout.func_code))) {
      cache.file = codes_.info(*code).file;
      cache.line = codes_.info(*code).first_line;
    }
  } else if (builtin) {
    cache.module = text(memory.pointer(inner + layout.cfunction_module));
  }
  // functools.update_wrapper() copied the names of what is wrapped, where that has any (and of a class all that is in its dict).
  const Address dict = objects_.dicts().instance_dict(cache.id, objects_.type_of_object(cache.id));
  if (cache.function.empty()) {
    cache.function = text(objects_.dict_value(dict, "__qualname__"));
  }
  if (cache.module.empty()) {
    cache.module = text(objects_.dict_value(dict, "__module__"));
  }
  if (cache.function.empty()) {
    const TypeInfo &info = objects_.type(objects_.is_kind(type, "type") ? inner : type); // of an object with __call__()
    cache.function = builtin ? builtin_name(inner) : info.name.substr(info.name.rfind('.') + 1);
    cache.function = cache.function.empty() ? "[unreadable]" : valid_utf8(cache.function);
  }
}

/// Where each has its dict; 0: it cannot be read.
std::vector<Address> LruCacheReader::dicts_of(std::span<const FunctionCache *const> caches) {
  std::vector<RemoteRange> ranges;
  ranges.reserve(caches.size());
  for (const FunctionCache *cache : caches) {
    ranges.push_back({cache->id + objects_.layout().lru_cache, sizeof(Address)});
  }
  std::vector<Address> dicts(ranges.size());
  std::vector<bool> whole;
  objects_.memory().remote().read_each(ranges, std::as_writable_bytes(std::span(dicts)).data(), whole);
  return dicts;
}

/// Reads those that are missing once more. The size comes first: what a call adds to it meanwhile has then been counted as a miss
/// already.
LruCacheReader::Round LruCacheReader::read_round(std::span<const FunctionCache *const> caches) {
  const Layout &layout = objects_.layout();
  const std::size_t size = sizeof(std::uint64_t) + wrapper_size();
  const std::vector<Address> dicts = dicts_of(caches);
  std::vector<RemoteRange> ranges;
  for (std::size_t i = 0; i < caches.size(); ++i) {
    ranges.push_back({dicts[i] + layout.dict_used, sizeof(std::uint64_t)});
    ranges.push_back({caches[i]->id, wrapper_size()});
  }
  std::vector<std::byte> bytes(caches.size() * size);
  std::vector<bool> whole;
  objects_.memory().remote().read_each(ranges, bytes.data(), whole);
  Round round{std::vector<std::optional<CacheCounts>>(caches.size()), std::vector<bool>(caches.size())};
  for (std::size_t i = 0; i < caches.size(); ++i) {
    const auto both = std::span(bytes).subspan(i * size, size);
    const auto wrapper = both.subspan(sizeof(std::uint64_t));
    const bool same = whole[2 * i] && whole[2 * i + 1] && value_at<Address>(wrapper, layout.lru_cache) == dicts[i] &&
                      maxsize_of(value_at<std::int64_t>(wrapper, layout.lru_maxsize)) == caches[i]->maxsize &&
                      objects_.is_kind(value_at<Address>(wrapper, layout.ob_type), k_type_name);
    const CacheCounts counts{value_at<std::uint64_t>(wrapper, layout.lru_hits),
                             value_at<std::uint64_t>(wrapper, layout.lru_misses), value_at<std::uint64_t>(both, 0)};
    round.torn[i] = same && !plausible(counts, caches[i]->maxsize);
    if (same && !round.torn[i]) {
      round.counts[i] = counts;
    }
  }
  return round;
}

std::vector<std::optional<CacheCounts>> LruCacheReader::counts(std::span<const FunctionCache> caches) {
  constexpr int k_rounds = 20;
  std::vector<std::optional<CacheCounts>> found(caches.size());
  std::vector<std::size_t> open(caches.size());
  std::iota(open.begin(), open.end(), std::size_t{0});
  for (int attempt = 0; attempt < k_rounds && !open.empty(); ++attempt) {
    std::vector<const FunctionCache *> wanted;
    wanted.reserve(open.size());
    for (const std::size_t at : open) {
      wanted.push_back(&caches[at]);
    }
    const Round round = read_round(wanted);
    std::vector<std::size_t> torn;
    for (std::size_t i = 0; i < open.size(); ++i) {
      found[open[i]] = round.counts[i];
      if (round.torn[i]) {
        torn.push_back(open[i]);
      }
    }
    open = std::move(torn);
  }
  return found;
}

} // namespace awaitscope
