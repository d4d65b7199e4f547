#include <algorithm>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "awaitscope/cpython/code_cache.hpp"
#include "awaitscope/cpython/interpreter.hpp"
#include "awaitscope/cpython/lru_caches.hpp"
#include "awaitscope/cpython/module_walk.hpp"
#include "catch.hpp"
#include "fake_memory.hpp"

using namespace awaitscope;
using awaitscope::test::FakeMemory;

namespace {

constexpr Address k_runtime = 0x100000;
constexpr Address k_walked_interpreter = 0x200000;
constexpr std::uint64_t k_of_dict = std::uint64_t{1} << 29U;
constexpr std::uint64_t k_of_type = std::uint64_t{1} << 31U;

/// The memory of a Python 3.13 that a test furnishes with objects.
class FakePython {
public:
  FakePython()
      : memory(remote),
        layout(*layout_for({3, 13, 0}, Build::with_gil)), runtime{k_runtime, layout, 0, k_absent, "", ""},
        objects(memory, runtime.layout), interpreters(objects, runtime),
        codes(objects, table, runtime.next_code_version), reader(objects, codes) {
    metatype = type("type", k_of_type);
    dict_type = type("dict", k_of_dict);
    str_type = type("str", 0);
    module_type = type("module", 0);
    function_type = type("function", 0);
    cache_type = type(std::string(LruCacheReader::k_type_name), 0);
    remote.put<Address>(k_runtime + layout.rt_interpreters_head, k_walked_interpreter);
    remote.put<Address>(k_runtime + layout.rt_interpreters_main, k_walked_interpreter);
    remote.put<std::int64_t>(k_walked_interpreter + layout.is_id, 0);
    remote.put<Address>(k_walked_interpreter + layout.is_next, 0);
  }

  Address place(std::size_t size) {
    const Address at = next_;
    const std::vector<std::byte> zeros(size);
    remote.put_bytes(at, zeros.data(), size);
    next_ += (size + 15) / 16 * 16;
    return at;
  }

  Address object(Address type) {
    const Address at = place(256);
    remote.put<Address>(at + layout.ob_type, type);
    return at;
  }

  Address type(const std::string &name, std::uint64_t flags) {
    const Address at = place(1024);
    const Address text = place(name.size() + 1);
    remote.put_bytes(text, name.c_str(), name.size() + 1);
    remote.put<Address>(at + layout.ob_type, metatype);
    remote.put<Address>(at + layout.tp_name, text);
    remote.put<std::int64_t>(at + layout.tp_basicsize, 64);
    remote.put<std::uint64_t>(at + layout.tp_flags, flags);
    return at;
  }

  Address str(const std::string &text) {
    const Address at = place(layout.str_ascii + text.size() + 1);
    remote.put<Address>(at + layout.ob_type, str_type);
    remote.put<std::uint64_t>(at + layout.str_length, text.size());
    remote.put<std::uint32_t>(at + layout.str_state, ((1U | 8U | 16U) << layout.str_kind_shift));
    remote.put_bytes(at + layout.str_ascii, text.data(), text.size());
    return at;
  }

  Address dict(const std::vector<std::pair<Address, Address>> &entries) {
    const Address at = object(dict_type);
    const Address keys = place(layout.keys_indices + 64 + entries.size() * 16 + 16);
    remote.put<std::uint8_t>(keys + layout.keys_log2_size, 6);
    remote.put<std::uint8_t>(keys + layout.keys_log2_index, 6);
    remote.put<std::uint8_t>(keys + layout.keys_kind, 1);
    remote.put<std::uint64_t>(keys + layout.keys_nentries, entries.size());
    for (std::size_t i = 0; i < entries.size(); ++i) {
      remote.put<Address>(keys + layout.keys_indices + 64 + i * 16, entries[i].first);
      remote.put<Address>(keys + layout.keys_indices + 64 + i * 16 + 8, entries[i].second);
    }
    remote.put<std::uint64_t>(at + layout.dict_used, entries.size());
    remote.put<Address>(at + layout.dict_keys, keys);
    return at;
  }

  Address function(const std::string &name) {
    const Address at = object(function_type);
    remote.put<Address>(at + layout.func_qualname, str(name));
    remote.put<Address>(at + layout.func_module, str("app"));
    return at;
  }

  Address cache(Address function, std::int64_t maxsize) {
    const Address at = object(cache_type);
    remote.put<Address>(at + layout.lru_function, function);
    remote.put<Address>(at + layout.lru_cache, dict({}));
    remote.put<std::int64_t>(at + layout.lru_maxsize, maxsize);
    return at;
  }

  void set_counts(Address cache, std::uint64_t hits, std::uint64_t misses, std::uint64_t size) {
    remote.put<std::uint64_t>(cache + layout.lru_hits, hits);
    remote.put<std::uint64_t>(cache + layout.lru_misses, misses);
    Address entries = 0;
    REQUIRE(remote.RemoteMemory::read(cache + layout.lru_cache, &entries, sizeof entries) == ReadStatus::ok);
    remote.put<std::uint64_t>(entries + layout.dict_used, size);
  }

  Address module(const std::vector<std::pair<Address, Address>> &entries) {
    const Address at = object(module_type);
    remote.put<Address>(at + layout.module_dict, dict(entries));
    return at;
  }

  void set_modules(const std::vector<std::pair<Address, Address>> &entries) {
    remote.put<Address>(k_walked_interpreter + layout.is_modules, dict(entries));
  }

  /// Names of what was found, in order.
  std::vector<std::string> found(ModuleWalk::Limits limits = {}) {
    limits.deadline_ns = std::numeric_limits<std::int64_t>::max();
    std::vector<std::string> names;
    outcome = ModuleWalk(objects, interpreters).run(limits, [&](Address cache, std::int64_t interpreter) {
      CHECK(interpreter == 0);
      const std::optional<FunctionCache> found = reader.describe(cache);
      names.push_back(found ? found->function : "unreadable");
    });
    std::sort(names.begin(), names.end());
    return names;
  }

  FakeMemory remote;
  SnapshotMemory memory;
  Layout layout;
  PythonRuntime runtime;
  ObjectReader objects;
  InterpreterReader interpreters;
  CodeTable table;
  CodeCache codes;
  LruCacheReader reader;
  ModuleWalk::Outcome outcome;
  Address metatype = 0, dict_type = 0, str_type = 0, module_type = 0, function_type = 0, cache_type = 0;

private:
  Address next_ = 0x1000000;
};

using Modules = std::vector<std::string>;

} // namespace

TEST_CASE("caches in modules, classes and what those hold") {
  FakePython python;
  const Address plain = python.cache(python.function("plain"), 128);
  const Address inner_class = python.object(python.metatype);
  python.remote.put<Address>(inner_class + python.layout.tp_dict,
                             python.dict({{python.str("m"), python.cache(python.function("C.D.m"), -1)}}));
  const Address outer_class = python.object(python.metatype);
  python.remote.put<Address>(outer_class + python.layout.tp_dict, python.dict({{python.str("D"), inner_class}}));
  const Address held = python.dict({{python.str("a"), python.cache(python.function("in a dict"), 1)}});
  const Address deeper = python.dict({{python.str("a"), python.dict({{python.str("b"), python.cache(0x500, 1)}})}});
  const Address module = python.module({{python.str("plain"), plain},
                                        {python.str("again"), plain},
                                        {python.str("C"), outer_class},
                                        {python.str("held"), held},
                                        {python.str("deeper"), deeper}});
  python.set_modules({{python.str("app"), module}, {python.str("alias"), module}});
  CHECK(python.found() == Modules{"C.D.m", "in a dict", "plain"});
  CHECK(python.outcome.modules == 1);
  CHECK(python.outcome.left_out == 0);
  CHECK_FALSE(python.outcome.cut_short);
}

TEST_CASE("a walk ends in circles, at wrong pointers and at its limits") {
  FakePython python;
  const Address wrapped = python.function("wraps itself");
  python.remote.put<Address>(wrapped + python.layout.func_dict, python.dict({{python.str("__wrapped__"), wrapped}}));
  const Address own_dict = python.dict({{python.str("me"), 0}, {python.str("other"), 0}});
  const Address large = python.dict({{python.str("x"), python.str("y")}});
  python.remote.put<std::uint64_t>(large + python.layout.dict_used, std::uint64_t{1} << 40U);
  const Address bad_cache = python.cache(python.function("bad"), -7);
  const Address odd_cache = python.cache(0xdead0000, 5); // wraps what is not mapped
  const Address module = python.module({{python.str("wrapped"), python.cache(wrapped, 4)},
                                        {python.str("own"), own_dict},
                                        {python.str("large"), large},
                                        {python.str("bad"), bad_cache},
                                        {python.str("odd"), odd_cache},
                                        {python.str("unmapped"), 0xdead0000},
                                        {python.str("kernel"), 0xffff800000000000},
                                        {python.str("crooked"), 0x1003}});
  python.set_modules({{python.str("app"), module}});
  CHECK(python.found() == Modules{"[unreadable]", "unreadable", "wraps itself"});
  CHECK(python.outcome.left_out == 2); // the dict without values, and the one that says it is large

  ModuleWalk::Limits few;
  few.objects = 1;
  CHECK(python.found(few).empty());
  CHECK(python.outcome.cut_short);
}

TEST_CASE("counts of a cache are those of one moment") {
  FakePython python;
  python.memory.begin();
  const Address bounded = python.cache(python.function("f"), 10);
  const Address unbounded = python.cache(python.function("g"), -1);
  const std::vector<FunctionCache> caches{*python.reader.describe(bounded), *python.reader.describe(unbounded)};
  CHECK(caches[0].maxsize == 10U);
  CHECK_FALSE(caches[1].maxsize);
  python.set_counts(bounded, 5, 20, 10);
  python.set_counts(unbounded, 1, 7, 9); // being cleared: more entries than misses
  std::size_t reads = 0;
  python.remote.before_read = [&] {
    if (++reads == 4) {
      python.set_counts(bounded, 6, 20, 10);
      python.set_counts(unbounded, 0, 0, 0);
    }
  };
  auto counts = python.reader.counts(caches);
  REQUIRE(counts[0]);
  CHECK(counts[0]->hits == 5); // was whole at once, and is not read again
  CHECK(counts[0]->currsize == 10);
  REQUIRE(counts[1]);
  CHECK(counts[1]->misses == 0);

  python.remote.before_read = [] {};
  python.set_counts(unbounded, 1, 7, 9);
  CHECK_FALSE(python.reader.counts(caches)[1]); // for ever
  python.remote.put<Address>(bounded + python.layout.ob_type, python.dict_type);
  CHECK_FALSE(python.reader.counts(caches)[0]); // another object has its place
  python.remote.unmap(unbounded);
  counts = python.reader.counts(caches);
  CHECK_FALSE(counts[1]);
}
