#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "awaitscope/cpython/code_cache.hpp"
#include "awaitscope/cpython/objects.hpp"
#include "awaitscope/model/stack.hpp"

namespace awaitscope {

/// One frame of a call (a PyFrameObject or a _PyInterpreterFrame), as far as anyone needs it.
struct RawFrame {
  Address address = 0;
  Address previous = 0;
  Address code = 0;
  std::int64_t instruction = -1; ///< of the instruction that runs, in bytes from the first one; negative before it
  Address stack_end = 0;         ///< right above the top of its value stack; 0 while it runs
  bool of_generator = false;     ///< it is inside a coroutine, generator or async generator
  bool ended = false;            ///< its call is over, where the frame itself tells
  bool shim = false;             ///< it marks an entry from C and runs no code
  bool entry = false;            ///< it is the first after an entry from C, or marks that, where the frame itself tells
  // What lies in the frame: where this and `code` are the same, so is all above but `previous`, `stack_end` and `entry`.
  std::uint8_t owner = 0;
  std::uint64_t instruction_word = 0;
};

/// Reads the interpreter frames of a thread whose thread state lies in the current snapshot.
class StackReader {
public:
  StackReader(ObjectReader &objects, CodeCache &codes) : objects_(objects), codes_(codes), decoded_(k_decoded) {}

  /// Root first. Where the walk meets what cannot be, the rest towards the root is one unreadable frame.
  void read(Address thread_state, PythonStack &stack);

  /// A frame of the last stack.
  struct Known {
    Address address = 0;
    Address code = 0;
    std::uint64_t instruction_word = 0;
    std::uint64_t epoch = 0; ///< for which its code holds
    Frame frame;             ///< of no meaning for a shim
    std::uint8_t owner = 0;
    bool entry = false;
    bool of_generator = false;
    bool shim = false;
    bool internal = false; ///< of code that no program wrote
  };
  /// What read() has read last, root first, with the frames that it leaves out.
  [[nodiscard]] const std::vector<Known> &last() const { return last_; }

  /// The innermost frames that run code, the innermost first, at most so many; fewer where one cannot be read.
  std::vector<RawFrame> innermost(Address thread_state, std::size_t count);

  /// Are the innermost frames still these, each at the same instruction? In one call, if that has not changed.
  bool is_at(Address thread_state, const std::vector<RawFrame> &frames);

  /// Whether it is inside any call.
  bool has_frames(Address thread_state) { return current_frame(thread_state) != 0; }

  /// The frames of this thread state as a list, from the innermost one on, with their code as the key. Without its thread.
  [[nodiscard]] RecordList frames_of(Address thread_state) const;

  /// The code of the last stack's frames, as far as it is known for more than that look.
  void add_codes(std::vector<std::uint64_t> &codes) const;

  std::optional<RawFrame> raw_frame(Address address);

  /// The first local variables of a frame: its positional arguments. 0 if it is unset.
  Address local(Address frame, std::size_t index);

  /// Where the frame's local variables end and its value stack begins; 0 if that cannot be read.
  Address value_stack_begin(const RawFrame &raw);

  /// What is on the frame's value stack. Where that ends is not known while the frame executes: then all that it has room for,
  /// with what earlier calls have left there.
  std::vector<Address> value_stack(const RawFrame &raw);

  /// A number for the positional arguments of a frame, by their addresses: another call at the same place mostly has another.
  std::uint64_t arguments_identity(const RawFrame &raw);

  /// Where a frame of this code keeps a local variable of this name: an index for local().
  std::optional<std::size_t> local_slot(Address code_address, CodeId code, std::string_view name);

  /// What the cell of this name holds, one of the frame's closure or one that it made for an inner function; or 0.
  Address free_variable(const RawFrame &raw, CodeId code, std::string_view name);

  /// The frame with its code and line; nothing if its code cannot be read.
  std::optional<Frame> decode(const RawFrame &raw);

  static constexpr std::size_t k_max_frames = 65536;

private:
  Address current_frame(Address thread_state);
  void fetch_chunk(Address thread_state);
  bool entered(Address thread_state);
  Address first_instruction(const std::byte *frame, Address code);
  [[nodiscard]] std::size_t head_size() const;
  Address value_stack_end(const std::byte *frame, Address address) const;

  /// What a place in a code object was last decoded to: a program is in few places most of the time.
  struct Decoded {
    Address code = 0;
    std::int64_t instruction = 0;
    std::uint64_t epoch = 0;   ///< for which its code holds
    std::uint64_t edition = 0; ///< of its code
    Frame frame;
  };
  static constexpr std::size_t k_decoded = 1024; // direct-mapped
  const Decoded *decoded(const RawFrame &raw);

  ObjectReader &objects_;
  CodeCache &codes_;
  std::vector<Decoded> decoded_;
  std::unordered_map<CodeId, std::vector<std::string>> local_names_;

  std::vector<Known>
      last_; ///< most of it is the same in the next one, in the same order: what is compared lies side by side

  // A walk, which goes from the leaf to the root.
  struct Span {
    std::size_t begin = 0;
    std::size_t end = 0;
  };
  bool walk(Address at);
  bool take(const RawFrame &raw);
  void leave_last();
  bool refresh(Known &known, const RawFrame &raw);
  Address skip_unchanged(Address at);
  Span again_;               ///< of last_: the frames met again, one behind the other up to the last one met
  std::vector<Known> fresh_; ///< the frames above those, leaf first
};

} // namespace awaitscope
