#include "awaitscope/cpython/module_walk.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "awaitscope/cpython/lru_caches.hpp"
#include "awaitscope/support/clock.hpp"

namespace awaitscope {
namespace {

// Include/object.h, Py_TPFLAGS_…
constexpr std::uint64_t k_heap_type = std::uint64_t{1} << 9U;
constexpr std::uint64_t k_list_subclass = std::uint64_t{1} << 25U;
constexpr std::uint64_t k_tuple_subclass = std::uint64_t{1} << 26U;
constexpr std::uint64_t k_dict_subclass = std::uint64_t{1} << 29U;
constexpr std::uint64_t k_is_class = std::uint64_t{1} << 31U;

constexpr Address k_alignment = 8; // of every object

constexpr std::uint8_t k_opens = 1; // what lies in a module or a class is opened, what lies in that is not
constexpr std::size_t k_batch = 1024;
constexpr int k_attempts = 4;

} // namespace

ModuleWalk::ModuleWalk(ObjectReader &objects, InterpreterReader &interpreters)
    : objects_(objects), interpreters_(interpreters) {}

ModuleWalk::Kind ModuleWalk::find_kind(Address type) {
  const TypeInfo &info = objects_.type(type);
  if (objects_.is_kind(type, LruCacheReader::k_type_name)) {
    return Kind::cache;
  }
  if ((info.flags & k_is_class) != 0) {
    return Kind::type;
  }
  if ((info.flags & k_dict_subclass) != 0) {
    return Kind::dict;
  }
  if ((info.flags & (k_list_subclass | k_tuple_subclass)) != 0) {
    return Kind::sequence;
  }
  static constexpr std::array<std::pair<std::string_view, Kind>, 8> k_kinds{{{"function", Kind::function},
                                                                             {"module", Kind::module},
                                                                             {"staticmethod", Kind::wrapper},
                                                                             {"classmethod", Kind::wrapper},
                                                                             {"property", Kind::property},
                                                                             {"method", Kind::method},
                                                                             {"cell", Kind::cell},
                                                                             {"functools.partial", Kind::partial}}};
  const auto *const known = std::find_if(k_kinds.begin(), k_kinds.end(),
                                         [&](const auto &kind) { return objects_.is_kind(type, kind.first); });
  if (known != k_kinds.end()) {
    return known->second;
  }
  const bool has_dict = info.dict_offset > 0 || (info.flags & objects_.layout().managed_dict_flag) != 0;
  const bool has_attributes = (info.flags & k_heap_type) != 0 && (has_dict || !objects_.slots_of(type).empty());
  return has_attributes ? Kind::instance : Kind::plain;
}

ModuleWalk::Kind ModuleWalk::kind_of(Address type) {
  const auto known = kinds_.find(type);
  if (known != kinds_.end()) {
    return known->second;
  }
  if (!objects_.type(type).valid) {
    return Kind::plain; // not kept: the memory may hold a type later
  }
  return kinds_.emplace(type, find_kind(type)).first->second;
}

void ModuleWalk::add(Address object, std::uint8_t opens) {
  const bool seen = object == 0 || object % k_alignment != 0 || seen_.contains(object | k_opens) ||
                    !seen_.insert(object | opens).second;
  if (!seen) {
    next_.push_back({object, opens});
  }
}

void ModuleWalk::add_values(const std::vector<DictEntry> &entries, std::uint8_t opens) {
  for (const DictEntry &entry : entries) {
    add(entry.value, opens);
  }
}

std::vector<DictEntry> ModuleWalk::entries(Address dict, std::uint64_t most, Outcome &outcome) {
  SnapshotMemory &memory = objects_.memory();
  if (dict == 0 || kind_of(objects_.type_of(dict)) != Kind::dict) {
    return {};
  }
  for (int attempt = 0; attempt < k_attempts; ++attempt) {
    const std::optional<std::uint64_t> used = objects_.dicts().used(dict);
    if (!used || *used > most) {
      break;
    }
    // Deleted entries may stand between the others until the table is made anew.
    std::optional<std::vector<DictEntry>> found = objects_.dicts().entries(objects_.dicts().storage(dict), 2 * most);
    if (found && found->size() == *used) {
      return std::move(*found);
    }
    memory.begin(SnapshotMemory::Prefetch::nothing);
  }
  ++outcome.left_out;
  return {};
}

void ModuleWalk::look_at_function(Address function, Outcome &outcome) {
  const Layout &layout = objects_.layout();
  SnapshotMemory &memory = objects_.memory();
  const Address closure = memory.pointer(function + layout.func_closure);
  const Address dict = memory.pointer(function + layout.func_dict);
  if (closure != 0) {
    for (const Address cell : objects_.tuple_elements(closure).value_or(std::vector<Address>())) {
      add(cell, 0);
    }
  }
  add_values(entries(dict, limits_.container_entries, outcome), 0); // __wrapped__, and what decorators keep there
}

void ModuleWalk::look_at_type(Address type, Outcome &outcome) {
  // Static types of 3.12+ have their dicts in the interpreter: none of them holds anything that Python code made.
  const Layout &layout = objects_.layout();
  add_values(entries(objects_.memory().pointer(type + layout.tp_dict), limits_.namespace_entries, outcome), k_opens);
  const Address bases = objects_.memory().pointer(type + layout.tp_bases);
  for (const Address base : objects_.tuple_elements(bases).value_or(std::vector<Address>())) {
    add(base, 0);
  }
}

void ModuleWalk::open(const Step &step, Kind kind, Outcome &outcome) {
  const std::uint8_t opens = step.opens - 1;
  if (kind == Kind::dict) {
    add_values(entries(step.object, limits_.container_entries, outcome), opens);
    return;
  }
  if (kind == Kind::instance) {
    add_values(objects_.attributes(step.object, limits_.container_entries), opens);
    for (const Offset slot : objects_.slots_of(objects_.type_of(step.object))) {
      add(objects_.memory().pointer(step.object + slot), opens);
    }
    return;
  }
  const auto size = objects_.memory().get<std::uint64_t>(step.object + objects_.layout().ob_size);
  if (!size || *size > limits_.container_entries) {
    ++outcome.left_out;
    return;
  }
  std::optional<std::vector<Address>> elements = objects_.list_elements(step.object);
  elements = elements ? elements : objects_.tuple_elements(step.object);
  for (const Address element : elements.value_or(std::vector<Address>())) {
    add(element, opens);
  }
}

void ModuleWalk::look_at(const Step &step, Kind kind, Outcome &outcome) {
  const Layout &layout = objects_.layout();
  SnapshotMemory &memory = objects_.memory();
  switch (kind) {
  case Kind::plain:
    return;
  case Kind::cache:
    add(memory.pointer(step.object + layout.lru_function), 0);
    add_values(objects_.attributes(step.object, limits_.container_entries), 0);
    return;
  case Kind::function:
    look_at_function(step.object, outcome);
    return;
  case Kind::cell:
    add(memory.pointer(step.object + layout.cell_contents), 0);
    return;
  case Kind::wrapper:
    add(memory.pointer(step.object + layout.wrapper_callable), 0);
    return;
  case Kind::property:
    for (Offset accessor = 0; accessor < 3; ++accessor) {
      add(memory.pointer(step.object + layout.property_functions + accessor * sizeof(Address)), 0);
    }
    return;
  case Kind::method:
    add(memory.pointer(step.object + layout.method_function), 0);
    add(memory.pointer(step.object + layout.method_self), step.opens);
    return;
  case Kind::partial:
    add(memory.pointer(step.object + layout.partial_function), 0);
    return;
  case Kind::type:
    look_at_type(step.object, outcome);
    return;
  case Kind::module:
    ++outcome.modules;
    add_values(entries(memory.pointer(step.object + layout.module_dict), limits_.namespace_entries, outcome), k_opens);
    return;
  case Kind::dict:
  case Kind::sequence:
  case Kind::instance:
    if (step.opens > 0) {
      open(step, kind, outcome);
    }
    return;
  }
}

/// In one call what look_at() will read of each.
void ModuleWalk::prefetch(std::span<const Step> steps, std::span<const Kind> kinds) {
  constexpr std::size_t k_head = 128; // of a function, the largest
  const Layout &layout = objects_.layout();
  std::vector<RemoteRange> ranges;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (kinds[i] == Kind::type) {
      ranges.push_back({steps[i].object + layout.tp_dict, layout.tp_bases + sizeof(Address) - layout.tp_dict});
    } else if (kinds[i] != Kind::plain) {
      ranges.push_back({steps[i].object, k_head});
    }
  }
  objects_.memory().prefetch(ranges);
}

void ModuleWalk::look_at(std::span<const Step> steps, Outcome &outcome, const Visit &visit) {
  const Layout &layout = objects_.layout();
  std::vector<RemoteRange> ranges;
  for (const Step &step : steps) {
    ranges.push_back({step.object + layout.ob_type, sizeof(Address)});
  }
  // Most of what is met is of no interest: only its type is read, past the snapshot, which would fetch more.
  std::vector<Address> types(steps.size());
  std::vector<bool> whole;
  objects_.memory().remote().read_each(ranges, std::as_writable_bytes(std::span(types)).data(), whole);
  std::vector<Kind> kinds;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    kinds.push_back(whole[i] ? kind_of(types[i]) : Kind::plain);
  }
  prefetch(steps, kinds);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (kinds[i] == Kind::cache && caches_.insert(steps[i].object).second) {
      visit(steps[i].object, interpreter_id_);
    }
    look_at(steps[i], kinds[i], outcome);
  }
}

void ModuleWalk::walk(Address interpreter, Outcome &outcome, const Visit &visit) {
  SnapshotMemory &memory = objects_.memory();
  const Layout &layout = objects_.layout();
  interpreter_id_ = memory.get<std::int64_t>(interpreter + layout.is_id).value_or(0);
  add_values(entries(memory.pointer(interpreter + layout.is_modules), limits_.namespace_entries, outcome), k_opens);
  while (!next_.empty()) {
    const std::vector<Step> steps = std::exchange(next_, {});
    for (std::size_t first = 0; first < steps.size(); first += k_batch) {
      const ReadStatus status = memory.begin(SnapshotMemory::Prefetch::nothing);
      if (seen_.size() > limits_.objects || monotonic_ns() > limits_.deadline_ns || limits_.stop() ||
          status == ReadStatus::gone || status == ReadStatus::denied) {
        outcome.cut_short = true;
        next_.clear();
        return;
      }
      look_at(std::span(steps).subspan(first, std::min(k_batch, steps.size() - first)), outcome, visit);
    }
  }
}

ModuleWalk::Outcome ModuleWalk::run(const Limits &limits, const Visit &visit) {
  limits_ = limits;
  seen_.clear();
  caches_.clear();
  kinds_.clear();
  Outcome outcome;
  objects_.memory().begin(SnapshotMemory::Prefetch::nothing);
  const std::vector<Address> interpreters = interpreters_.interpreters();
  for (const Address interpreter : interpreters) {
    walk(interpreter, outcome, visit);
  }
  return outcome;
}

} // namespace awaitscope
