#include "awaitscope/cpython/call_marks.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace awaitscope {
namespace {

constexpr std::uint32_t k_most_slots = 64; // of a frame: a bit each; few have more
constexpr std::uint64_t k_every_slot = ~std::uint64_t{0};

std::uint64_t mix(std::uint64_t mark, std::uint64_t word) {
  constexpr std::uint64_t k_mix = 0x9E3779B97F4A7C15ULL;
  mark = (mark ^ word) * k_mix;
  return mark ^ (mark >> 29U);
}

std::uint64_t bit(std::size_t slot) { return slot < 64 ? std::uint64_t{1} << slot : 0; }

std::uint64_t slots_below(std::uint64_t count) { return count >= 64 ? k_every_slot : (std::uint64_t{1} << count) - 1; }

using Loops = std::vector<std::pair<std::size_t, std::size_t>>;

/// Leaves the outermost ones, in order.
void unite(Loops &loops) {
  std::sort(loops.begin(), loops.end());
  Loops united;
  for (const auto &loop : loops) {
    if (united.empty() || loop.first > united.back().second) {
      united.push_back(loop);
    } else {
      united.back().second = std::max(united.back().second, loop.second);
    }
  }
  loops = std::move(united);
}

struct Stretch {
  std::size_t first;
  bool once;
};
Stretch stretch_of(const Loops &loops, std::size_t position) {
  const auto loop = std::find_if(loops.begin(), loops.end(),
                                 [&](const auto &each) { return each.first <= position && position <= each.second; });
  return loop == loops.end() ? Stretch{position, true} : Stretch{loop->first, false};
}

} // namespace

/// What the function's instructions say: which variables it sets or deletes, and its loops, each from where a jump backwards leads
/// to that jump. Words of caches that happen to be like an instruction add to both, which is on the safe side.
void CallMarkReader::read_instructions(Address code, CallShape &shape) {
  const std::vector<std::uint8_t> bytes = instructions(code);
  if (bytes.empty()) { // unreadable: it may do anything
    shape.arguments = shape.settled = 0;
    shape.loops = {{0, SIZE_MAX}};
    return;
  }
  const Layout &layout = objects_.layout();
  std::vector<std::pair<std::size_t, std::uint64_t>> stores; // position, slots
  std::size_t operand = 0;
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) {
    operand = operand << 8U | bytes[i + 1];
    if (bytes[i] == layout.extended_arg) {
      continue;
    }
    const auto *const store = std::find(layout.store_opcodes.begin(), layout.store_opcodes.end(), bytes[i]);
    if (bytes[i] != 0 && store != layout.store_opcodes.end()) {
      const bool packed = layout.stores_packed && store >= layout.store_opcodes.begin() + 2;
      stores.emplace_back(i, packed ? bit(operand >> 4U) | bit(operand & 15U) : bit(operand));
    }
    const auto *const jump = std::find(layout.jump_opcodes.begin(), layout.jump_opcodes.end(), bytes[i]);
    if (bytes[i] != 0 && jump != layout.jump_opcodes.end()) {
      const bool anywhere = jump + 1 == layout.jump_opcodes.end();
      const std::size_t back = 2 * operand; // from behind the instruction and its cache, if it has one
      const std::size_t target = anywhere                ? 0
                                 : layout.jumps_relative ? i + 2 - std::min(i + 2, back)
                                                         : operand * layout.lasti_unit;
      if (target <= i) {
        shape.loops.emplace_back(target, i + 2); // with its cache
      }
    }
    operand = 0;
  }
  unite(shape.loops);
  for (const auto &[position, slots] : stores) {
    shape.arguments &= ~slots;
    shape.settled &= stretch_of(shape.loops, position).once ? k_every_slot : ~slots;
  }
}

bool CallMarkReader::in_same_loop(const Known &known, std::uint32_t first, std::uint32_t second) {
  const Loops &loops = shape_of(known).loops;
  return std::any_of(loops.begin(), loops.end(), [&](const auto &loop) {
    return loop.first <= std::min(first, second) && std::max(first, second) <= loop.second;
  });
}

std::vector<std::uint8_t> CallMarkReader::instructions(Address code) {
  constexpr std::uint64_t k_longest = 64 * 1024; // bytes
  const Layout &layout = objects_.layout();
  SnapshotMemory &memory = objects_.memory();
  // Up to 3.10 a bytes object has them, and its ob_size counts bytes; since then they are in the code object, whose ob_size counts
  // pairs (Include/cpython/code.h).
  const bool apart = layout.if_generator != k_absent;
  const Address object = apart ? memory.pointer(code + layout.co_bytecode) : code;
  const std::uint64_t size = memory.get<std::uint64_t>(object + layout.ob_size).value_or(0) * (apart ? 1 : 2);
  std::vector<std::uint8_t> bytes(size <= k_longest ? size : 0);
  const Address first = apart ? object + layout.bytes_value : code + layout.co_bytecode;
  if (!bytes.empty() && !memory.copy(first, bytes.data(), bytes.size())) {
    bytes.clear();
  }
  return bytes;
}

std::uint32_t CallMarkReader::position_of(const Known &known) const {
  const Layout &layout = objects_.layout();
  const bool counted = layout.if_generator != k_absent || layout.if_tlbc_index != k_absent;
  return static_cast<std::uint32_t>(counted ? known.instruction_word
                                            : known.instruction_word - known.code - layout.co_bytecode);
}

const CallMarkReader::CallShape &CallMarkReader::shape_of(const Known &known) {
  const CodeId id = known.frame.code;
  if (id >= shapes_.size()) {
    shapes_.resize(id + std::size_t{1});
  }
  if (shapes_[id].code == known.code) { // others may have the same names and line
    return shapes_[id];
  }
  const Layout &layout = objects_.layout();
  SnapshotMemory &memory = objects_.memory();
  const auto number = [&](Address at) { return memory.get<std::uint32_t>(at).value_or(0); };
  CallShape shape;
  // co_argcount, co_posonlyargcount, co_kwonlyargcount; since 3.11 co_stacksize follows (Include/cpython/code.h).
  const std::uint32_t arguments = number(known.code + layout.co_argcount) + number(known.code + layout.co_argcount + 8);
  if (layout.if_generator == k_absent) {
    shape.slots = std::min(number(known.code + layout.co_nlocalsplus), k_most_slots) +
                  std::min(number(known.code + layout.co_argcount + 12), k_most_slots);
    shape.settled = slots_below(number(known.code + layout.co_nlocalsplus));
  } else { // Objects/frameobject.c, _PyFrame_New_NoTrack(): ob_size counts what is behind the frame's head
    shape.slots = number(known.address + layout.ob_size);
    const Address stack = memory.pointer(known.address + layout.if_valuestack);
    shape.settled = slots_below((stack - known.address - layout.if_localsplus) / 8);
  }
  shape.slots = std::min(shape.slots, k_most_slots);
  shape.arguments = slots_below(arguments);
  read_instructions(known.code, shape);
  shape.code = memory.refused() ? 0 : known.code;
  shapes_[id] = std::move(shape);
  return shapes_[id];
}

/// Of the slots that are wanted.
std::uint64_t CallMarkReader::mark_slots(std::uint64_t mark, const Known &known, std::uint64_t wanted) {
  constexpr std::uint32_t k_at_once = SnapshotMemory::k_longest_view / 8;
  const auto count = static_cast<std::uint32_t>(64 - std::countl_zero(wanted));
  for (std::uint32_t done = 0; done < count; done += k_at_once) {
    const std::uint32_t size = std::min(count - done, k_at_once);
    const std::byte *bytes = objects_.memory().view(known.address + objects_.layout().if_localsplus + Address{done} * 8,
                                                    std::size_t{size} * 8);
    for (std::uint32_t i = 0; bytes != nullptr && i < size; ++i) {
      std::uint64_t word = 0;
      std::memcpy(&word, bytes + std::size_t{i} * 8, sizeof word);
      mark = (wanted >> (done + i) & 1U) != 0 ? mix(mark, word) : mark;
    }
  }
  return mark;
}

std::uint64_t CallMarkReader::place_of(Address frame, Address code) { return mix(frame, code); }

void CallMarkReader::read(const StackReader &stacks, std::vector<CallMark> &marks) {
  marks.clear();
  // Up to 3.10 every call is made by C code, and nothing in a frame says which by that of Python's own.
  const bool all_from_c = objects_.layout().if_generator != k_absent;
  std::uint64_t callers = 0;
  bool from_c = true;
  for (const Known &known : stacks.last()) {
    from_c = from_c || all_from_c || known.entry;
    if (known.shim) {
      continue;
    }
    const CallShape &shape = shape_of(known);
    const Stretch stretch = stretch_of(shape.loops, position_of(known));
    CallMark mark;
    mark.place = place_of(known.address, known.code);
    mark.call = mark_slots(mix(callers, mark.place), known, shape.arguments);
    const std::uint64_t slots = mark_slots(0, known, slots_below(shape.slots));
    mark.kept = stretch.once ? slots : mark_slots(0, known, shape.settled);
    mark.stretch = static_cast<std::uint32_t>(stretch.first);
    mark.once = stretch.once;
    mark.from_c = from_c;
    if (!known.internal) {
      marks.push_back(mark);
    }
    callers = mix(mix(mark.call, known.instruction_word), slots);
    from_c = false;
  }
}

} // namespace awaitscope
