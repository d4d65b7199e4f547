// StackReader's second part: what tells calls apart.

#include <algorithm>
#include <cstring>

#include "awaitscope/cpython/stack_reader.hpp"

namespace awaitscope {
namespace {

constexpr std::uint32_t k_most_slots = 64; // of a frame; few have more
constexpr std::uint64_t k_every_slot = ~std::uint64_t{0};

std::uint64_t mix(std::uint64_t mark, std::uint64_t word) {
  constexpr std::uint64_t k_mix = 0x9E3779B97F4A7C15ULL;
  mark = (mark ^ word) * k_mix;
  return mark ^ (mark >> 29U);
}

} // namespace

/// The arguments (bits of the first 64 slots) that the function itself sets or deletes. All, if its instructions cannot be read.
std::uint64_t StackReader::set_arguments(Address code) {
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
  if (bytes.empty() || !memory.copy(first, bytes.data(), bytes.size())) {
    return k_every_slot;
  }
  std::uint64_t set = 0;
  const auto add = [&](unsigned slot) { set |= slot < 64 ? std::uint64_t{1} << slot : 0; };
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) {
    const auto found = std::find(layout.store_opcodes.begin(), layout.store_opcodes.end(), bytes[i]);
    if (found == layout.store_opcodes.end() || *found == 0) {
      continue;
    }
    const unsigned operand = bytes[i + 1];
    if (layout.stores_packed && found >= layout.store_opcodes.begin() + 2) {
      add(operand >> 4U);
      add(operand & 15U);
    } else {
      add(operand);
    }
  }
  return set;
}

StackReader::CallShape StackReader::shape_of(const Known &known) {
  const CodeId id = known.frame.code;
  if (id >= shapes_.size()) {
    shapes_.resize(id + std::size_t{1});
  }
  if (shapes_[id].known) {
    return shapes_[id];
  }
  const Layout &layout = objects_.layout();
  SnapshotMemory &memory = objects_.memory();
  const auto number = [&](Address at) { return memory.get<std::uint32_t>(at).value_or(0); };
  CallShape shape;
  // co_argcount, co_posonlyargcount, co_kwonlyargcount; since 3.11 co_stacksize follows (Include/cpython/code.h).
  const std::uint32_t arguments =
      number(known.code + layout.co_argcount) + number(known.code + layout.co_argcount + 8);
  if (layout.if_generator == k_absent) {
    shape.slots = std::min(number(known.code + layout.co_nlocalsplus), k_most_slots) +
                  std::min(number(known.code + layout.co_argcount + 12), k_most_slots);
  } else { // Objects/frameobject.c, _PyFrame_New_NoTrack(): ob_size counts what is behind the frame's head
    shape.slots = number(known.address + layout.ob_size);
  }
  shape.slots = std::min(shape.slots, k_most_slots);
  const std::uint64_t all = arguments >= 64 ? k_every_slot : (std::uint64_t{1} << arguments) - 1;
  shape.arguments = all == 0 ? 0 : all & ~set_arguments(known.code);
  shape.known = !memory.refused();
  shapes_[id] = shape;
  return shape;
}

/// Of the first `count` slots those that are wanted.
std::uint64_t StackReader::mark_slots(std::uint64_t mark, const Known &known, std::uint32_t count,
                                      std::uint64_t wanted) {
  constexpr std::uint32_t k_at_once = SnapshotMemory::k_longest_view / 8;
  for (std::uint32_t done = 0; done < count; done += k_at_once) {
    const std::uint32_t size = std::min(count - done, k_at_once);
    const std::byte *bytes = objects_.memory().view(
        known.address + objects_.layout().if_localsplus + Address{done} * 8, std::size_t{size} * 8);
    for (std::uint32_t i = 0; bytes != nullptr && i < size; ++i) {
      std::uint64_t word = 0;
      std::memcpy(&word, bytes + std::size_t{i} * 8, sizeof word);
      mark = (wanted >> (done + i) & 1U) != 0 ? mix(mark, word) : mark;
    }
  }
  return mark;
}

void StackReader::call_marks(std::vector<CallMark> &marks) {
  marks.clear();
  std::uint64_t callers = 0;
  const Known *caller = nullptr;
  for (const Known &known : last_) {
    if (known.shim) {
      continue;
    }
    if (caller != nullptr) {
      callers = mark_slots(mix(callers, caller->instruction_word), *caller, shape_of(*caller).slots, k_every_slot);
    }
    const CallShape shape = shape_of(known);
    const std::uint64_t place = mix(known.address, known.code);
    const auto arguments = static_cast<std::uint32_t>(64 - __builtin_clzll(shape.arguments | 1));
    callers = mark_slots(mix(callers, place), known, shape.arguments == 0 ? 0 : arguments, shape.arguments);
    caller = &known;
    if (!known.internal) {
      marks.push_back({place, callers});
    }
  }
}

} // namespace awaitscope
