#include "awaitscope/cpython/arguments.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include "callees.hpp"
#include "code_parts.hpp"

namespace awaitscope {
namespace {

constexpr std::size_t k_most_arguments = 32; // that are read; more make a call that says nothing
constexpr std::size_t k_most_keywords = 64;
constexpr std::size_t k_most_reported_of_one = 256; // of all functions of one name and line
constexpr std::uint64_t k_longest_code = 64 * 1024; // bytes

// Include/internal/pycore_code.h: CO_FAST_CELL.
constexpr std::uint8_t k_kind_cell = 0x40;

} // namespace

ArgumentReader::ArgumentReader(ObjectReader &objects, CodeCache &codes, CallMarkReader &marks)
    : objects_(objects), codes_(codes), marks_(marks), values_(objects) {}

ArgumentReader::~ArgumentReader() = default;

void ArgumentReader::choose(ArgumentChoice choice) {
  choice_ = std::move(choice);
  callees_ = std::make_unique<CalleeReader>(objects_.memory().remote(), objects_.layout(), codes_.table());
}

std::vector<FunctionFact> ArgumentReader::take_facts() {
  if (callees_) {
    callees_->work(facts_);
  }
  return std::exchange(facts_, {});
}

void ArgumentReader::add_slots(const Known &known, const CodeParts &parts, Function &function) {
  const Layout &layout = objects_.layout();
  SnapshotMemory &memory = objects_.memory();
  const bool apart = layout.co_varnames != k_absent;
  const Address kinds = apart ? 0 : memory.pointer(known.code + layout.co_localspluskinds);
  const std::uint32_t plain = parts.positional + parts.keyword_only;
  const bool varargs = (parts.flags & CodeParts::k_varargs) != 0;
  for (std::uint32_t i = 0; i < std::min<std::size_t>(parts.arguments(), parts.locals.size()); ++i) {
    Slot slot;
    slot.at = layout.if_localsplus + Address{i} * 8;
    slot.name = parts.locals[i];
    slot.of_positions = varargs && i == plain;
    slot.of_keywords = i >= plain && !slot.of_positions;
    if (apart) {
      const auto cell = std::find(parts.derefs.begin(), parts.derefs.end(), slot.name);
      const auto index = static_cast<std::size_t>(cell - parts.derefs.begin());
      if (cell != parts.derefs.end() && !parts.free[index]) {
        slot.cell = layout.if_localsplus + (parts.locals.size() + index) * 8;
      }
    } else {
      slot.is_cell = (memory.get<std::uint8_t>(kinds + layout.bytes_value + i).value_or(0) & k_kind_cell) != 0;
    }
    function.slots.push_back(std::move(slot));
  }
}

/// What its names stand for is looked up where its frame looks: f_globals stands two words behind f_code (Include/cpython/frameobject.h,
/// up to 3.10), three in front of it (3.11), and three behind it (3.12+, Include/internal/pycore_frame.h, pycore_interpframe_structs.h).
void ArgumentReader::add_callees(const Known &known, const Function &function) {
  const Layout &layout = objects_.layout();
  const std::int64_t to_globals = layout.if_generator != k_absent ? 16 : layout.if_code == 0 ? 24 : -24;
  CalleeReader::Scope scope{
      objects_.memory().pointer(known.address + layout.if_code + static_cast<Address>(to_globals)), 0, 0};
  if (function.takes_self && !function.slots.empty()) {
    const Address self = argument(known, function.slots.front());
    const Address type = self == 0 ? 0 : objects_.type_of(self);
    scope.owner = objects_.is_kind(type, "type") ? self : type;
  }
  callees_->add(known.frame.code, known.code, scope);
}

void ArgumentReader::read_function(const Known &known, Function &function) {
  const Layout &layout = objects_.layout();
  SnapshotMemory &memory = objects_.memory();
  function = {0, false, false, std::move(function.reported), {}, {}};
  function.chosen = choice_.chooses(codes_.info(known.frame.code));
  const std::vector<std::uint8_t> bytes = marks_.instructions(known.code);
  if (layout.bytecode == nullptr || layout.co_flags == k_absent || bytes.empty() || bytes.size() > k_longest_code) {
    function.chosen = false; // nothing could be said of it
    function.code = memory.refused() ? 0 : known.code;
    return;
  }
  const CodeParts parts = read_code_parts(objects_, known.code);
  FunctionFacts facts = facts_of(parts, *layout.bytecode, layout.bytecode->decode(bytes));
  add_slots(known, parts, function);
  function.takes_self = parts.takes_self();
  function.stores = std::move(facts.stores);
  if (memory.refused() || memory.ended()) {
    return; // again the next time
  }
  function.code = known.code;
  // Not of the body of a module or a class: what its names stand for is not there before it has run.
  if (function.chosen && (parts.flags & CodeParts::k_optimized) != 0) {
    add_callees(known, function);
  }
  for (FunctionFact &fact : facts.facts) {
    fact.code = known.frame.code;
    const bool is_new = std::find(function.reported.begin(), function.reported.end(), fact) == function.reported.end();
    if (is_new && function.reported.size() < k_most_reported_of_one) {
      function.reported.push_back(fact);
      facts_.push_back(std::move(fact));
    }
  }
}

const ArgumentReader::Function &ArgumentReader::function_of(const Known &known) {
  const CodeId id = known.frame.code;
  if (id >= functions_.size()) {
    functions_.resize(id + std::size_t{1});
  }
  const bool chosen = choice_.chooses(codes_.info(id));
  if (functions_[id].code != known.code && (chosen || strangers_left_ > 0)) {
    strangers_left_ -= chosen ? 0 : 1;
    read_function(known, functions_[id]);
  }
  return functions_[id];
}

/// Whether the function can have passed an instruction that sets or deletes an argument.
bool ArgumentReader::is_overwritten(const Function &function, const Known &known) {
  const std::uint32_t position = marks_.position_of(known);
  const auto passed = [&](const auto &store) {
    return store.first <= position || marks_.in_same_loop(known, store.first, position);
  };
  return std::any_of(function.stores.begin(), function.stores.end(), passed);
}

Address ArgumentReader::argument(const Known &known, const Slot &slot) {
  const Layout &layout = objects_.layout();
  SnapshotMemory &memory = objects_.memory();
  const Address value = memory.pointer(known.address + slot.at) & ~layout.reference_tag;
  // Up to 3.10 it has moved into its cell, unless the call has not begun.
  const Address cell = slot.cell != 0 && value == 0 ? memory.pointer(known.address + slot.cell)
                       : slot.is_cell               ? value
                                                    : 0;
  return cell != 0 && objects_.type_of_object(cell).name == "cell" ? memory.pointer(cell + layout.cell_contents)
                                                                   : value;
}

/// The heads of what the slots hold, in one call.
void ArgumentReader::prefetch(const Known &known, const Function &function) {
  constexpr std::uint64_t k_head = 64;
  std::vector<RemoteRange> heads;
  for (const Slot &slot : function.slots) {
    const Address value = objects_.memory().pointer(known.address + slot.at) & ~objects_.layout().reference_tag;
    if (value != 0) {
      heads.push_back({value, k_head});
    }
  }
  objects_.memory().prefetch(heads);
}

void ArgumentReader::append(Address object, const Slot &slot, ValueReader::Bytes &out) {
  if (!slot.of_keywords) {
    values_.append(object, out);
    return;
  }
  const auto used = objects_.memory().get<std::uint64_t>(object + objects_.layout().dict_used);
  const auto entries = object != 0 && used && *used <= k_most_keywords ? objects_.dict_entries(object) : std::nullopt;
  if (!entries) {
    out.traits |= static_cast<std::uint8_t>(ValueTrait::unread);
    return;
  }
  out.value += 'k';
  for (const ObjectReader::Entry &entry : *entries) { // in their order, which a cache minds too
    values_.append(entry.key, out);
    values_.append(entry.value, out);
  }
}

ArgumentKey ArgumentReader::key_of(const Known &known, const Function &function) {
  ArgumentKey key;
  key.code = known.frame.code;
  if (function.slots.size() > k_most_arguments) {
    key.traits = static_cast<std::uint8_t>(ValueTrait::unread);
    return key;
  }
  if (is_overwritten(function, known)) {
    key.traits = static_cast<std::uint8_t>(ValueTrait::overwritten);
    return key;
  }
  prefetch(known, function);
  ValueReader::Bytes self;
  ValueReader::Bytes others;
  if (function.slots.size() > (function.takes_self ? 1U : 0U)) {
    // Two lambdas of one line, or what exec() has made twice: functions of one name, each with a cache of its own.
    others.value.assign(reinterpret_cast<const char *>(&known.code), sizeof known.code);
  }
  for (std::size_t i = 0; i < function.slots.size(); ++i) {
    const Slot &slot = function.slots[i];
    const bool is_self = i == 0 && function.takes_self;
    append(argument(known, slot), slot, is_self ? self : others);
  }
  key.traits = self.traits | others.traits;
  if (has(others.traits, ValueTrait::identity)) {
    key.traits |= static_cast<std::uint8_t>(ValueTrait::others_identity);
  }
  if (!key.judged()) {
    return key;
  }
  key.self = function.takes_self ? values_.hash(self.value) : 0;
  key.others = others.value.empty() ? 0 : values_.hash(others.value);
  const std::string state = self.state + others.state;
  key.state = state.empty() ? 0 : values_.hash(state);
  return key;
}

bool ArgumentReader::is_known_generator(const Known &known, const ArgumentKey &key) {
  constexpr std::size_t k_remembered = 1024;
  constexpr std::uint64_t k_mix = 0x9E3779B97F4A7C15ULL;
  generators_.resize(k_remembered);
  const std::uint64_t mark = (known.address ^ (key.self + key.others) * k_mix) * k_mix;
  return std::exchange(generators_[(known.address * k_mix >> 40U) % k_remembered], mark) == mark;
}

std::string ArgumentReader::shown(const Known &known, const Function &function) {
  std::string text;
  for (const Slot &slot : function.slots) {
    text += (text.empty() ? "" : ", ") + slot.name + "=" + values_.shown(argument(known, slot));
  }
  return text;
}

void ArgumentReader::read(const StackReader &stacks, std::size_t from, std::vector<SeenCall> &calls) {
  constexpr std::size_t k_most_strangers = 4;
  values_.begin();
  strangers_left_ = k_most_strangers;
  std::size_t depth = 0;
  for (const Known &known : stacks.last()) {
    if (known.shim || known.internal) {
      continue;
    }
    if (depth++ < from) {
      continue;
    }
    const Function &function = function_of(known);
    if (function.chosen) {
      SeenCall call;
      call.from_leaf = static_cast<std::uint32_t>(depth); // for now from the root
      call.key = key_of(known, function);
      if (known.of_generator && is_known_generator(known, call.key)) {
        continue;
      }
      if (choice_.shown && call.key.judged()) {
        call.shown = shown(known, function);
      }
      calls.push_back(std::move(call));
    }
  }
  for (SeenCall &call : calls) {
    call.from_leaf = static_cast<std::uint32_t>(depth) - call.from_leaf;
  }
}

} // namespace awaitscope
