#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "awaitscope/cpython/interpreter.hpp"
#include "awaitscope/cpython/objects.hpp"

namespace awaitscope {

/// Finds the functools.lru_caches (lru_caches.hpp) in what the modules of a process define: from sys.modules through the dicts of modules and classes to functions and what
/// wraps them (staticmethod, classmethod, property, functools.partial, functools.lru_cache, closures, __wrapped__), and into the
/// attributes of instances and the elements of dicts, lists and tuples that lie directly in a module or a class. The target runs
/// on meanwhile; a dict that changes while it is read is read again.
class ModuleWalk {
public:
  ModuleWalk(ObjectReader &objects, InterpreterReader &interpreters);

  /// Of how much a walk may read.
  struct Limits {
    std::size_t objects = std::size_t{1} << 21U;
    std::uint64_t namespace_entries = std::uint64_t{1} << 16U; ///< of a module or a class
    std::uint64_t container_entries = std::uint64_t{1} << 12U; ///< of any other dict, list, tuple or instance
    std::int64_t deadline_ns = 0;                              ///< CLOCK_MONOTONIC
    std::function<bool()> stop = [] { return false; };         ///< whether to end it early
  };

  struct Outcome {
    std::size_t modules = 0;  ///< that were walked
    std::size_t left_out = 0; ///< of what was met: too large, or never in good order
    bool cut_short = false;   ///< by the limit of objects or of time, or by `stop`
  };

  /// Called once for each cache, while the current snapshot can be asked about it; with the id of the interpreter.
  using Visit = std::function<void(Address cache, std::int64_t interpreter)>;
  Outcome run(const Limits &limits, const Visit &visit);

private:
  enum class Kind : std::uint8_t {
    plain, ///< leads to no cache
    cache,
    function,
    cell,
    wrapper, ///< staticmethod, classmethod
    property,
    method,
    partial,
    type,
    module,
    dict,
    sequence,
    instance,
  };
  /// Something to visit, and how many containers or instances may be opened on the way from it.
  struct Step {
    Address object = 0;
    std::uint8_t opens = 0;
  };

  void walk(Address interpreter, Outcome &outcome, const Visit &visit);
  void look_at(std::span<const Step> steps, Outcome &outcome, const Visit &visit);
  void look_at(const Step &step, Kind kind, Outcome &outcome);
  void look_at_function(Address function, Outcome &outcome);
  void look_at_type(Address type, Outcome &outcome);
  void open(const Step &step, Kind kind, Outcome &outcome);
  void add(Address object, std::uint8_t opens);
  void add_values(const std::vector<DictEntry> &entries, std::uint8_t opens);
  std::vector<DictEntry> entries(Address dict, std::uint64_t most, Outcome &outcome);
  void prefetch(std::span<const Step> steps, std::span<const Kind> kinds);
  Kind kind_of(Address type);
  Kind find_kind(Address type);

  ObjectReader &objects_;
  InterpreterReader &interpreters_;
  Limits limits_;
  std::int64_t interpreter_id_ = 0;
  std::vector<Step> next_;
  std::unordered_set<Address> seen_;        ///< with Step::opens in the low bits
  std::unordered_set<Address> caches_;      ///< that were visited
  std::unordered_map<Address, Kind> kinds_; ///< by type
};

} // namespace awaitscope
