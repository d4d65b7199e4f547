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
  if (address == 0 || layout.if_localsplus > SnapshotMemory::k_longest_view) {
    return std::nullopt;
  }
  const std::byte *bytes = objects_.memory().view(address, layout.if_localsplus);
  if (bytes == nullptr) {
    return std::nullopt;
  }
  RawFrame raw;
  raw.address = address;
  raw.previous = field<Address>(bytes, layout.if_previous);
  raw.code = field<Address>(bytes, layout.if_code);
  raw.instruction = field<Address>(bytes, layout.if_instr);
  raw.stacktop = field<std::int32_t>(bytes, layout.if_stacktop);
  raw.owner = field<std::uint8_t>(bytes, layout.if_owner);
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

  const bool whole = walk(current_frame(thread_state));
  if (!whole) {
    stack.frames.push_back({k_unreadable_frame, 0, false});
  }
  for (const Known &known : last_) {
    if (known.owner != layout.owner_shim) {
      stack.frames.push_back({known.frame, known.address, known.owner == layout.owner_generator});
    }
  }
}

/// Brings last_ up to date with the stack whose innermost frame this is. False if the frames towards the root are missing.
bool StackReader::walk(Address at) {
  fresh_.clear();
  again_ = {last_.size(), last_.size()};
  trusted_ = codes_.epoch() != 0 && codes_.epoch() == last_epoch_;
  bool whole = at == 0;
  for (std::size_t count = 0; at != 0 && count < k_max_frames; ++count) {
    const std::optional<RawFrame> raw = raw_frame(at);
    if (!raw || !take(*raw)) {
      break;
    }
    at = raw->previous;
    whole = at == 0;
  }
  if (!whole || again_.begin != 0) { // not all the way down as the last one
    leave_last();
    last_.clear();
  }
  last_.resize(std::min(last_.size(), again_.end));
  last_.insert(last_.end(), fresh_.rbegin(), fresh_.rend());
  last_epoch_ = codes_.epoch();
  return whole;
}

/// The next frame towards the root. False if it cannot be decoded.
bool StackReader::take(const RawFrame &raw) {
  if (again_.begin == 0 || last_[again_.begin - 1].address != raw.address) {
    leave_last();
    constexpr std::size_t k_most_popped = 64;
    std::size_t at = again_.begin;
    const std::size_t lowest = at - std::min(at, k_most_popped);
    while (at > lowest && last_[at - 1].address != raw.address) {
      --at;
    }
    if (at == lowest) {
      const bool decoded = refresh(fresh_.emplace_back(), raw);
      fresh_.resize(fresh_.size() - (decoded ? 0 : 1));
      return decoded;
    }
    again_ = {at, at};
  }
  const bool decoded = refresh(last_[again_.begin - 1], raw);
  again_.begin -= decoded ? 1 : 0;
  return decoded;
}

/// The frames that were met again count as new: what is below them is not what it was.
void StackReader::leave_last() {
  while (again_.end > again_.begin) {
    fresh_.push_back(last_[--again_.end]);
  }
}

bool StackReader::refresh(Known &known, const RawFrame &raw) {
  if (trusted_ && known.address == raw.address && known.code == raw.code && known.instruction == raw.instruction &&
      known.owner == raw.owner) {
    return true;
  }
  known = {raw.address, raw.code, raw.instruction, {}, raw.owner};
  if (raw.owner == objects_.layout().owner_shim) {
    return true;
  }
  const std::optional<Frame> frame = decode(raw);
  if (frame) {
    known.frame = *frame;
  }
  return frame.has_value();
}

} // namespace awaitscope
