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

} // namespace

Address StackReader::current_frame(Address thread_state) {
  const Layout &layout = objects_.layout();
  SnapshotMemory &memory = objects_.memory();
  if (layout.ts_cframe != k_absent) {
    const Address cframe = memory.pointer(thread_state + layout.ts_cframe);
    return cframe == 0 ? 0 : memory.pointer(cframe + layout.cframe_frame);
  }
  return memory.pointer(thread_state + layout.ts_frame);
}

std::optional<RawFrame> StackReader::raw_frame(Address address) {
  const Layout &layout = objects_.layout();
  std::array<std::byte, 128> bytes{};
  if (address == 0 || layout.if_localsplus > bytes.size() ||
      !objects_.memory().copy(address, bytes.data(), layout.if_localsplus)) {
    return std::nullopt;
  }
  RawFrame raw;
  raw.address = address;
  raw.previous = field<Address>(bytes.data(), layout.if_previous);
  raw.code = field<Address>(bytes.data(), layout.if_code);
  raw.instruction = field<Address>(bytes.data(), layout.if_instr);
  raw.stacktop = field<std::int32_t>(bytes.data(), layout.if_stacktop);
  raw.owner = field<std::uint8_t>(bytes.data(), layout.if_owner);
  return raw;
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
    known = {raw.address,
             raw.code,
             raw.instruction,
             0,
             {*code, codes_.line(*code, raw.code, raw.instruction), FrameKind::python}};
  }
  known.epoch = codes_.epoch();
  return known.frame;
}

void StackReader::read(Address thread_state, PythonStack &stack) {
  const Layout &layout = objects_.layout();
  SnapshotMemory &memory = objects_.memory();
  stack.frames.clear();

  // The live part of the newest data-stack chunk in one call; warm looks have it already.
  const Address chunk = memory.pointer(thread_state + layout.ts_chunk);
  const Address top = memory.pointer(thread_state + layout.ts_chunk_top);
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
    if (raw->owner != layout.owner_shim) {
      const std::optional<Frame> frame = decode(*raw);
      if (!frame) {
        break;
      }
      stack.frames.push_back({*frame, at, raw->owner == layout.owner_generator});
    }
    at = raw->previous;
  }
  if (!whole) {
    stack.frames.push_back({k_unreadable_frame, 0, false});
  }
  std::reverse(stack.frames.begin(), stack.frames.end());
}

} // namespace awaitscope
