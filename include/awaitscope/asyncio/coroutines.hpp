#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "awaitscope/asyncio/compiled_coroutines.hpp"
#include "awaitscope/asyncio/function_roles.hpp"
#include "awaitscope/asyncio/suspended_greenlets.hpp"
#include "awaitscope/cpython/code_cache.hpp"
#include "awaitscope/cpython/objects.hpp"
#include "awaitscope/cpython/stack_reader.hpp"
#include "awaitscope/model/stack.hpp"

namespace awaitscope {

/// What a coroutine, or whatever else is awaited, awaits in the end.
struct AwaitEnd {
  Address awaitable = 0; ///< a future, or an object that is not looked into; 0 if nothing is awaited
  bool whole = true;     ///< false if the chain could not be followed to its end
  Address frame = 0;     ///< the innermost one, if it awaits a future or such an object
};

/// What one reading saw of the call that a coroutine's frame is of.
struct CallSight {
  std::uint64_t number = 0;      ///< CoroutineReader::call_number()
  std::int64_t instruction = -1; ///< at which it is
  std::array<Address, 4>
      held{}; ///< what it holds beside its arguments and what it awaits; while it runs, in variables only

  bool operator==(const CallSight &) const = default;
};

/// The first call of `now` that is another one than at its place before; calls that were not there before are new. As many as `now`
/// has if none is.
///
/// Nothing that CPython keeps proves that a coroutine which has run between two readings is still the same: its memory, and
/// that of what it awaits, is given to the next call at once. A number that differs proves that it is another. Where it
/// does not, a call goes on
/// - if what it awaits is the same: `awaits_same`, or the call below it;
/// - if it has got further, or back: it is at another instruction;
/// - if it still holds something that it had before, and awaits a call and not a future itself: such calls await in loops;
/// - if it is the task's own coroutine, which lives as long as the task.
/// All others count as ended, and begun again: of short calls, one behind the other, none is a long one. The bias of it: a
/// function that awaits in a loop and keeps nothing for itself is cut at each iteration; and short calls that keep what is
/// there for longer than themselves (the event loop) are one if two readings in succession see them at one place.
std::size_t first_new_call(const std::vector<CallSight> &before, const std::vector<CallSight> &now, bool awaits_same);

/// Follows suspended coroutines, generators, async generators and custom awaitables to the innermost one.
class CoroutineReader {
public:
  CoroutineReader(ObjectReader &objects, CodeCache &codes, StackReader &stacks, FunctionRoles &roles)
      : objects_(objects), codes_(codes), stacks_(stacks), roles_(roles), compiled_(objects, codes),
        greenlets_(objects, codes, stacks) {}

  /// Appends the frame of each object on the way, outermost first; and a number for each call, if asked for: the next
  /// call often takes the object's address. `places` gets where each frame lies; 0 for one of compiled code or of a greenlet.
  /// Where a coroutine awaits on behalf of a greenlet (integrations/greenlet.cpp), the calls of that come before what it awaits.
  AwaitEnd follow(Address object, std::vector<Frame> &frames, std::vector<CallSight> *calls = nullptr,
                  std::vector<Address> *places = nullptr);

  /// Appends the calls that a greenlet waits in, if the coroutine whose frame lies there, and which awaits something, does so
  /// on behalf of one. `calls` and `places` as for follow().
  void add_greenlet(Address frame_address, const Frame &frame, std::vector<Frame> &frames,
                    std::vector<CallSight> *calls = nullptr, std::vector<Address> *places = nullptr);

  /// The same of a frame of a thread that is in a task, if the next one is what the coroutine awaits.
  void add_greenlet(const PythonStack &stack, std::size_t index, std::vector<Frame> &frames,
                    std::vector<CallSight> *calls = nullptr);

  /// A number for the call that a coroutine's frame is of: by its object, its arguments and, where that tells, the line from
  /// which it is awaited. A coroutine can be awaited once only, so that at another line it is another one, even with the same
  /// arguments at the same address (Objects/genobject.c, gen_send_ex2(): "cannot reuse already awaited coroutine"); a generator
  /// may go on from elsewhere.
  std::uint64_t call_number(const RawFrame &raw, std::int32_t caller_line);

  /// What there is to see of that call.
  CallSight call_sight(const RawFrame &raw, std::int32_t caller_line);

  /// The frame inside a coroutine, generator or async generator; 0 for any other object.
  Address frame_of(Address coroutine);

  /// Does it drive another one, which its first word is (an async generator's asend() and the like)?
  bool wraps(Address object) { return kind_of(object) == Kind::wrapper; }

  /// Is it in a step? Of what is no Python coroutine nobody knows: true.
  bool executes(Address coroutine);

  /// The object's qualname as an interned name; that of its type if it is no Python coroutine.
  CodeId label(Address coroutine);

  static constexpr std::size_t k_max_chain = 16384;

private:
  enum class Kind : std::uint8_t { coroutine, compiled, wrapper, future_iterator, other };
  Kind kind_of(Address object);
  bool take_compiled(Address &object, std::vector<Frame> &frames, std::vector<CallSight> *calls);

  /// What PyGenObject and its kin say of themselves.
  enum class State : std::uint8_t { unknown, suspended, awaiting, executing, finished };
  State state_of(Address coroutine, const RawFrame *frame);
  Address awaited(const RawFrame &frame);
  bool next_instruction_awaits(const RawFrame &frame);

  ObjectReader &objects_;
  CodeCache &codes_;
  StackReader &stacks_;
  FunctionRoles &roles_;
  CompiledCoroutineReader compiled_;
  SuspendedGreenletReader greenlets_;
};

} // namespace awaitscope
