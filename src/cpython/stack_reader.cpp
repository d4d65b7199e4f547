#include "awaitscope/cpython/stack_reader.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace awaitscope {
namespace {

template <typename T> T field(const std::byte *bytes, Offset offset) {
  T value;
  std::memcpy(&value, bytes + offset, sizeof value);
  return value;
}

/// f_back to f_state of a PyFrameObject (Include/cpython/frameobject.h), and no further.
constexpr std::size_t k_frame_object_head = 112;

} // namespace

Address StackReader::current_frame(Address thread_state) {
  const Layout &layout = objects_.layout();
  SnapshotMemory &memory = objects_.memory();
  if (layout.cframe_frame != k_absent) {
    const Address cframe = memory.pointer(thread_state + layout.ts_cframe);
    return cframe == 0 ? 0 : memory.pointer(cframe + layout.cframe_frame);
  }
  return memory.pointer(thread_state + layout.ts_frame);
}

/// Where the bytecode that a frame runs begins.
Address StackReader::first_instruction(const std::byte *frame, Address code) {
  const Layout &layout = objects_.layout();
  if (layout.if_tlbc_index != k_absent) {
    // Include/internal/pycore_code.h, _PyCodeArray: size, then a pointer to each thread's copy; copy 0 is the code's own.
    const auto index = field<std::int32_t>(frame, layout.if_tlbc_index);
    const Address copies = index > 0 ? objects_.memory().pointer(code + layout.co_tlbc) : 0;
    if (copies != 0) {
      return objects_.memory().pointer(copies + 8 + static_cast<Address>(index) * 8);
    }
  }
  return code + layout.co_bytecode;
}

Address StackReader::value_stack_end(const std::byte *frame, Address address) const {
  const Layout &layout = objects_.layout();
  switch (layout.frame_form) {
  case FrameForm::frame_object_top:
  case FrameForm::stackpointer:
    return field<Address>(frame, layout.if_stacktop);
  case FrameForm::frame_object_depth: {
    const bool executing = field<std::int8_t>(frame, layout.if_state) == layout.state_executing;
    const auto depth = field<std::int32_t>(frame, layout.if_stacktop);
    return executing || depth < 0 ? 0 : field<Address>(frame, layout.if_valuestack) + static_cast<Address>(depth) * 8;
  }
  case FrameForm::slots_stacktop: {
    const auto slots = field<std::int32_t>(frame, layout.if_stacktop);
    return slots <= 0 ? 0 : address + layout.if_localsplus + static_cast<Address>(slots) * 8;
  }
  }
  return 0;
}

std::optional<RawFrame> StackReader::raw_frame(Address address) {
  const Layout &layout = objects_.layout();
  const bool is_object = layout.if_generator != k_absent;
  std::array<std::byte, 128> bytes{};
  const std::size_t size = is_object ? k_frame_object_head : layout.if_localsplus;
  if (address == 0 || size > bytes.size() || !objects_.memory().copy(address, bytes.data(), size)) {
    return std::nullopt;
  }
  RawFrame raw;
  raw.address = address;
  raw.previous = field<Address>(bytes.data(), layout.if_previous);
  raw.code = field<Address>(bytes.data(), layout.if_code) & ~layout.reference_tag;
  raw.stack_end = value_stack_end(bytes.data(), address);
  if (is_object) {
    raw.of_generator = field<Address>(bytes.data(), layout.if_generator) != 0;
    raw.instruction = std::int64_t{field<std::int32_t>(bytes.data(), layout.if_instr)} * layout.lasti_unit;
    return raw;
  }
  const auto owner = field<std::uint8_t>(bytes.data(), layout.if_owner);
  raw.of_generator = owner == layout.owner_generator;
  raw.shim = owner >= layout.owner_first_shim;
  if (!raw.shim) {
    raw.instruction = static_cast<std::int64_t>(field<Address>(bytes.data(), layout.if_instr) -
                                                first_instruction(bytes.data(), raw.code));
  }
  return raw;
}

Address StackReader::local(Address frame, std::size_t index) {
  const Layout &layout = objects_.layout();
  return objects_.memory().pointer(frame + layout.if_localsplus + index * 8) & ~layout.reference_tag;
}

std::optional<Frame> StackReader::decode(const RawFrame &raw) {
  Decoded &known = decoded_[(raw.address >> 4U) % k_decoded];
  const bool same = known.address == raw.address && known.code == raw.code && known.instruction == raw.instruction;
  if (same && known.epoch != 0 && known.epoch == codes_.epoch()) {
    return known.frame;
  }
  const std::optional<CodeId> code = codes_.find(raw.code);
  if (!code) {
    return std::nullopt;
  }
  if (!same || known.frame.code != *code) {
    known = {
        raw.address, raw.code, raw.instruction, 0, {*code, codes_.line(*code, raw.instruction), FrameKind::python}};
  }
  known.epoch = codes_.epoch();
  return known.frame;
}

std::optional<std::size_t> StackReader::local_slot(Address code_address, CodeId code, std::string_view name) {
  const Layout &layout = objects_.layout();
  const auto [known, added] = local_names_.try_emplace(code);
  if (added) {
    const Offset field = layout.co_varnames != k_absent ? layout.co_varnames : layout.co_localsplusnames;
    const auto names = objects_.tuple_elements(objects_.memory().pointer(code_address + field));
    for (std::size_t i = 0; names && i < names->size(); ++i) {
      known->second.push_back(objects_.text((*names)[i]).value_or(""));
    }
  }
  const auto found = std::find(known->second.begin(), known->second.end(), name);
  if (found == known->second.end()) {
    return std::nullopt;
  }
  return static_cast<std::size_t>(found - known->second.begin());
}

void StackReader::read(Address thread_state, PythonStack &stack) {
  const Layout &layout = objects_.layout();
  SnapshotMemory &memory = objects_.memory();
  stack.frames.clear();

  // The live part of the newest data-stack chunk in one call; warm looks have it already.
  const bool has_chunks = layout.ts_chunk != k_absent;
  const Address chunk = has_chunks ? memory.pointer(thread_state + layout.ts_chunk) : 0;
  const Address top = has_chunks ? memory.pointer(thread_state + layout.ts_chunk_top) : 0;
  constexpr Address k_most = 256 * 1024;
  if (chunk != 0 && top > chunk) {
    const RemoteRange live{chunk, std::min(top - chunk, k_most)};
    memory.prefetch(std::span(&live, 1));
  }

  bool whole = false;
  Address at = current_frame(thread_state);
  for (std::size_t count = 0; count < k_max_frames; ++count) {
    if (at == 0) {
      whole = true;
      break;
    }
    const std::optional<RawFrame> raw = raw_frame(at);
    if (!raw) {
      break;
    }
    if (!raw->shim) {
      const std::optional<Frame> frame = decode(*raw);
      if (!frame) {
        break;
      }
      stack.frames.push_back({*frame, at, raw->of_generator});
    }
    at = raw->previous;
  }
  if (!whole) {
    stack.frames.push_back({k_unreadable_frame, 0, false});
  }
  std::reverse(stack.frames.begin(), stack.frames.end());
}

} // namespace awaitscope
