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

bool is_entry(const std::byte *frame, const Layout &layout) {
  return layout.if_is_entry != k_absent ? field<std::uint8_t>(frame, layout.if_is_entry) != 0
                                        : field<std::uint8_t>(frame, layout.if_owner) >= layout.owner_first_shim;
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

RecordList StackReader::frames_of(Address thread_state) const {
  const Layout &layout = objects_.layout();
  RecordList list;
  list.indirect = layout.cframe_frame != k_absent;
  list.root = thread_state + (list.indirect ? layout.ts_cframe : layout.ts_frame);
  list.first = list.indirect ? layout.cframe_frame : 0;
  list.next = layout.if_previous;
  list.key = layout.if_code;
  list.key_mask = ~layout.reference_tag;
  list.size = Copies::k_longest_record; // with the locals that most readings follow
  return list;
}

void StackReader::add_codes(std::vector<std::uint64_t> &codes) const {
  for (const Known &known : last_) {
    if (known.epoch != 0 || known.shim) {
      codes.push_back(known.code);
    }
  }
}

/// Is the stack that was read the one that the thread is in? Python/ceval.c of 3.11 and 3.12, _PyEval_EvalFrameDefault(): the
/// thread state gets a _PyCFrame on the C stack before that has a current frame and a previous _PyCFrame. Until it has, what
/// stands there is from an earlier call, and leads to frames that are over. As long as an evaluation lasts, what its caller's
/// _PyCFrame says lies right below the frame with which it began.
bool StackReader::entered(Address thread_state) {
  const Layout &layout = objects_.layout();
  SnapshotMemory &memory = objects_.memory();
  if (layout.cframe_frame == k_absent || last_.empty()) {
    return true;
  }
  const auto entry = std::find_if(last_.rbegin(), last_.rend(), [](const Known &known) { return known.entry; });
  if (entry == last_.rend()) {
    return false;
  }
  const Address below = std::next(entry) == last_.rend() ? 0 : std::next(entry)->address;
  const Address before = memory.pointer(memory.pointer(thread_state + layout.ts_cframe) + layout.cframe_previous);
  return before != 0 && memory.get<Address>(before + layout.cframe_frame) == below;
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

/// What is read of a frame, in bytes.
std::size_t StackReader::head_size() const {
  const Layout &layout = objects_.layout();
  return layout.if_generator != k_absent ? k_frame_object_head : layout.if_localsplus;
}

std::optional<RawFrame> StackReader::raw_frame(Address address) {
  const Layout &layout = objects_.layout();
  const bool is_object = layout.if_generator != k_absent;
  const std::size_t size = head_size();
  if (address == 0 || size > SnapshotMemory::k_longest_view) {
    return std::nullopt;
  }
  const std::byte *bytes = objects_.memory().view(address, size);
  if (bytes == nullptr) {
    return std::nullopt;
  }
  RawFrame raw;
  raw.address = address;
  raw.previous = field<Address>(bytes, layout.if_previous);
  raw.code = field<Address>(bytes, layout.if_code) & ~layout.reference_tag;
  raw.stack_end = value_stack_end(bytes, address);
  if (is_object) {
    raw.of_generator = field<Address>(bytes, layout.if_generator) != 0;
    raw.ended = layout.frame_form == FrameForm::frame_object_depth && raw.stack_end != 0 &&
                field<std::int8_t>(bytes, layout.if_state) >= layout.state_finished;
    raw.instruction = std::int64_t{field<std::int32_t>(bytes, layout.if_instr)} * layout.lasti_unit;
    raw.instruction_word = static_cast<std::uint64_t>(raw.instruction);
    raw.owner = raw.of_generator ? 1 : 0;
    return raw;
  }
  raw.owner = field<std::uint8_t>(bytes, layout.if_owner);
  raw.of_generator = raw.owner == layout.owner_generator;
  raw.shim = raw.owner >= layout.owner_first_shim;
  raw.entry = is_entry(bytes, layout);
  raw.instruction_word = field<std::uint64_t>(bytes, layout.if_instr);
  if (!raw.shim) {
    raw.instruction =
        static_cast<std::int64_t>(raw.instruction_word - first_instruction(bytes, raw.code)); // ends the view
  }
  if (layout.if_tlbc_index != k_absent) { // where a copy of the bytecode was, another one may be later
    raw.instruction_word = static_cast<std::uint64_t>(raw.instruction);
  }
  return raw;
}

Address StackReader::local(Address frame, std::size_t index) {
  const Layout &layout = objects_.layout();
  return objects_.memory().pointer(frame + layout.if_localsplus + index * 8) & ~layout.reference_tag;
}

Address StackReader::value_stack_begin(const RawFrame &raw) {
  const Layout &layout = objects_.layout();
  if (layout.if_valuestack != k_absent) {
    return objects_.memory().pointer(raw.address + layout.if_valuestack);
  }
  const auto locals = objects_.memory().get<std::int32_t>(raw.code + layout.co_nlocalsplus);
  return locals && *locals >= 0 ? raw.address + layout.if_localsplus + static_cast<Address>(*locals) * 8 : 0;
}

std::vector<Address> StackReader::value_stack(const RawFrame &raw) {
  constexpr std::uint64_t k_most = 128;
  const Address begin = value_stack_begin(raw);
  std::vector<Address> objects;
  if (begin == 0 || (raw.stack_end != 0 && raw.stack_end < begin)) {
    return objects;
  }
  // Not what a frame object's ob_size says before 3.11: one that was made for longer code is used again (Objects/frameobject.c,
  // _PyFrame_New_NoTrack()).
  const auto room = [&] {
    return objects_.memory().get<std::uint32_t>(raw.code + objects_.layout().co_stacksize()).value_or(0);
  };
  const std::uint64_t size = raw.stack_end != 0 ? (raw.stack_end - begin) / 8 : room();
  for (std::uint64_t i = 0; i < std::min(size, k_most); ++i) {
    objects.push_back(objects_.memory().pointer(begin + i * 8) & ~objects_.layout().reference_tag);
  }
  return objects;
}

std::optional<Frame> StackReader::decode(const RawFrame &raw) {
  const Decoded *const known = decoded(raw);
  return known == nullptr ? std::nullopt : std::optional<Frame>(known->frame);
}

/// Holds until the next call; null if its code cannot be read.
const StackReader::Decoded *StackReader::decoded(const RawFrame &raw) {
  constexpr std::uint64_t k_mix = 0x9E3779B97F4A7C15ULL;
  const std::uint64_t place = (raw.code ^ static_cast<std::uint64_t>(raw.instruction) * k_mix) * k_mix;
  Decoded &known = decoded_[(place >> 40U) % k_decoded];
  const bool same = known.code == raw.code && known.instruction == raw.instruction;
  if (same && known.epoch != 0 && known.epoch == codes_.epoch()) {
    return &known;
  }
  const std::optional<CodeId> code = codes_.find(raw.code);
  if (!code) {
    return nullptr;
  }
  const std::uint64_t epoch = codes_.trust();
  if (!same || known.edition != codes_.edition()) {
    known = {raw.code,
             raw.instruction,
             0,
             codes_.edition(),
             {*code, codes_.line(raw.code, raw.instruction), FrameKind::python}};
  }
  known.epoch = epoch;
  return &known;
}

std::uint64_t StackReader::arguments_identity(const RawFrame &raw) {
  constexpr std::int32_t k_most = 8;
  constexpr std::uint64_t k_mix = 0x9E3779B97F4A7C15ULL;
  const Layout &layout = objects_.layout();
  const std::int32_t count = objects_.memory().get<std::int32_t>(raw.code + layout.co_argcount).value_or(0);
  std::uint64_t identity = 0;
  for (std::int32_t i = 0; i < std::min(count, k_most); ++i) {
    Address value = local(raw.address, static_cast<std::size_t>(i));
    if (value != 0 && objects_.type_of_object(value).name == "cell") { // an inner function uses it
      value = objects_.memory().pointer(value + layout.cell_contents);
    }
    identity = (identity ^ value) * k_mix;
  }
  return identity;
}

std::optional<std::size_t> StackReader::local_slot(Address code_address, CodeId code, std::string_view name) {
  const Layout &layout = objects_.layout();
  constexpr std::size_t k_most = 4096; // codes
  if (local_names_.size() >= k_most) {
    local_names_.clear();
  }
  const auto [known, added] = local_names_.try_emplace(code);
  if (added) {
    const Offset field = layout.co_varnames != k_absent ? layout.co_varnames : layout.co_localsplusnames;
    const auto names = objects_.tuple_elements(objects_.memory().pointer(code_address + field));
    for (std::size_t i = 0; names && i < names->size(); ++i) {
      known->second.push_back(objects_.text((*names)[i]).value_or(""));
    }
    if (objects_.memory().refused()) {
      local_names_.erase(known);
      return std::nullopt;
    }
  }
  const auto found = std::find(known->second.begin(), known->second.end(), name);
  if (found == known->second.end()) {
    return std::nullopt;
  }
  return static_cast<std::size_t>(found - known->second.begin());
}

Address StackReader::free_variable(const RawFrame &raw, CodeId code, std::string_view name) {
  const Layout &layout = objects_.layout();
  SnapshotMemory &memory = objects_.memory();
  Address slot = 0;
  if (layout.co_freevars != k_absent) { // the last of f_localsplus before the value stack (Objects/frameobject.c)
    // Include/cpython/code.h: co_cellvars follows; those lie below these.
    std::size_t above = 0;
    for (const Offset field : {layout.co_freevars, layout.co_freevars + 8}) {
      const auto names = objects_.tuple_elements(memory.pointer(raw.code + field));
      for (std::size_t i = 0; names && i < names->size() && slot == 0; ++i) {
        if (objects_.text((*names)[i]) == name) {
          slot = memory.pointer(raw.address + layout.if_valuestack) - (above + names->size() - i) * 8;
        }
      }
      above += names ? names->size() : 0;
    }
  } else if (const std::optional<std::size_t> index = local_slot(raw.code, code, name)) {
    slot = raw.address + layout.if_localsplus + *index * 8;
  }
  const Address cell = slot == 0 ? 0 : memory.pointer(slot) & ~layout.reference_tag;
  return cell != 0 && objects_.type_of_object(cell).name == "cell" ? memory.pointer(cell + layout.cell_contents) : 0;
}

/// The live part of the newest data-stack chunk in one call. Warm readings have it already.
void StackReader::fetch_chunk(Address thread_state) {
  constexpr Address k_most = 256 * 1024;
  const Layout &layout = objects_.layout();
  SnapshotMemory &memory = objects_.memory();
  if (layout.ts_chunk == k_absent || memory.has_records()) {
    return;
  }
  const Address chunk = memory.pointer(thread_state + layout.ts_chunk);
  const Address top = memory.pointer(thread_state + layout.ts_chunk_top);
  if (chunk != 0 && top > chunk) {
    const RemoteRange live{chunk, std::min(top - chunk, k_most)};
    memory.prefetch(std::span(&live, 1));
  }
}

void StackReader::read(Address thread_state, PythonStack &stack) {
  stack.frames.clear();
  fetch_chunk(thread_state);
  stack.frames.reserve(last_.size() + 1);
  bool whole = walk(current_frame(thread_state));
  if (whole && !entered(thread_state)) {
    last_.clear();
    whole = false;
  }
  if (!whole) {
    stack.frames.push_back({0, k_unreadable_frame, false});
  }
  for (const Known &known : last_) {
    if (!known.shim && !known.internal) {
      stack.frames.push_back({known.address, known.frame, known.of_generator});
    }
  }
}

std::vector<RawFrame> StackReader::innermost(Address thread_state, std::size_t count) {
  std::vector<RawFrame> frames;
  fetch_chunk(thread_state);
  Address at = current_frame(thread_state);
  for (std::size_t i = 0; i < 2 * count && frames.size() < count && at != 0; ++i) { // with those that mark an entry
    const std::optional<RawFrame> raw = raw_frame(at);
    if (!raw) {
      break;
    }
    if (!raw->shim) {
      frames.push_back(*raw);
    }
    at = raw->previous;
  }
  return frames;
}

bool StackReader::is_at(Address thread_state, const std::vector<RawFrame> &frames) {
  const Layout &layout = objects_.layout();
  SnapshotMemory &memory = objects_.memory();
  std::vector<RemoteRange> ranges;
  const Offset first = layout.cframe_frame != k_absent ? layout.ts_cframe : layout.ts_frame;
  ranges.push_back({thread_state + first, sizeof(Address)});
  for (const RawFrame &frame : frames) {
    ranges.push_back({frame.address, head_size()});
  }
  memory.prefetch(ranges);
  const auto same = [&](const RawFrame &known) {
    const std::optional<RawFrame> now = raw_frame(known.address);
    return now && now->code == known.code && now->instruction_word == known.instruction_word &&
           now->previous == known.previous;
  };
  return !frames.empty() && current_frame(thread_state) == frames.front().address &&
         std::all_of(frames.begin(), frames.end(), same);
}

/// Brings last_ up to date with the stack whose innermost frame this is. False if the frames towards the root are missing.
bool StackReader::walk(Address at) {
  fresh_.clear();
  again_ = {last_.size(), last_.size()};
  at = skip_unchanged(at);
  while (at != 0 && fresh_.size() + again_.end - again_.begin < k_max_frames) {
    const std::optional<RawFrame> raw = raw_frame(at);
    if (!raw || !take(*raw)) {
      break;
    }
    at = skip_unchanged(raw->previous);
  }
  const bool whole = at == 0;
  if (!whole || again_.begin != 0) { // not all the way down as the last one
    leave_last();
    last_.clear();
  }
  last_.resize(std::min(last_.size(), again_.end));
  last_.insert(last_.end(), fresh_.rbegin(), fresh_.rend());
  return whole;
}

/// Past the frames that are as they were in the last stack, one above the other: most of them, most of the time. What is left to
/// read, or 0 at the root.
Address StackReader::skip_unchanged(Address at) {
  const Layout &layout = objects_.layout();
  const bool comparable = layout.if_generator == k_absent && layout.if_tlbc_index == k_absent;
  const std::uint64_t epoch = codes_.epoch();
  while (comparable && at != 0 && again_.begin > 0) {
    const Known &known = last_[again_.begin - 1];
    if (known.address != at || known.epoch == 0 || known.epoch != epoch) {
      break;
    }
    const std::byte *bytes = objects_.memory().view(at, layout.if_localsplus);
    if (bytes == nullptr || field<std::uint64_t>(bytes, layout.if_instr) != known.instruction_word ||
        (field<Address>(bytes, layout.if_code) & ~layout.reference_tag) != known.code ||
        field<std::uint8_t>(bytes, layout.if_owner) != known.owner || is_entry(bytes, layout) != known.entry) {
      break;
    }
    at = field<Address>(bytes, layout.if_previous);
    --again_.begin;
  }
  return at;
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
  if (known.epoch != 0 && known.epoch == codes_.epoch() && known.address == raw.address && known.code == raw.code &&
      known.instruction_word == raw.instruction_word && known.owner == raw.owner && known.entry == raw.entry) {
    return true;
  }
  known = {raw.address, raw.code, raw.instruction_word, 0, {}, raw.owner, raw.entry, raw.of_generator, raw.shim, false};
  if (raw.shim) {
    return true;
  }
  const Decoded *const found = decoded(raw);
  if (found != nullptr) {
    known.epoch = found->epoch;
    known.frame = found->frame;
    known.internal = codes_.is_internal(found->frame.code);
  }
  return found != nullptr;
}

} // namespace awaitscope
