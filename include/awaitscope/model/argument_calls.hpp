#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "awaitscope/model/ids.hpp"

namespace awaitscope {

// What is known of the arguments of calls. No value is here: hashes alone, keyed by what nobody keeps, so that equal hashes of one
// recording stand for equal values, and those of two recordings for nothing.

/// What a hash of values stands for: bits, of all of them together.
enum class ValueTrait : std::uint8_t {
  identity = 1,   ///< an object that is identified by its type and address
  unhashable = 2, ///< a list, dict, set, or what has no hash; the hash says nothing
  unread = 4,     ///< one could not be read, or is too large; the hash says nothing
  overwritten =
      8,      ///< the function may have set or deleted one of its arguments before it was read; the hash says nothing
  model = 16, ///< a Django model, identified by its class and primary key
  others_identity = 32, ///< `identity` is so of another argument than `self`
  may_equal = 64,       ///< so is one that its class may take for equal to another one (__eq__): hits are a lower bound
};

constexpr bool has(std::uint8_t traits, ValueTrait trait) { return (traits & static_cast<std::uint8_t>(trait)) != 0; }

constexpr std::uint8_t operator|(ValueTrait a, ValueTrait b) {
  return static_cast<std::uint8_t>(static_cast<std::uint8_t>(a) | static_cast<std::uint8_t>(b));
}

/// The arguments of a call: equal for calls that a cache would answer alike. Not so if the traits say that a hash says nothing.
struct ArgumentKey {
  CodeId code = 0;          ///< the function
  std::uint64_t self = 0;   ///< its argument `self` or `cls`; 0 if it has none
  std::uint64_t others = 0; ///< all other arguments; 0 if it has none
  std::uint64_t state =
      0; ///< the attributes of arguments that are compared by identity; 0 if there are none, or it is not known
  std::uint8_t traits = 0; ///< of all arguments

  bool operator==(const ArgumentKey &) const = default;

  /// Do equal keys stand for equal arguments?
  [[nodiscard]] bool judged() const {
    return !has(traits, ValueTrait::unhashable) && !has(traits, ValueTrait::unread) &&
           !has(traits, ValueTrait::overwritten);
  }
};

/// A call that a sample is the first to see.
struct SeenCall {
  std::uint32_t from_leaf = 0; ///< frames of the sample's stack that are inside of it
  ArgumentKey key;
  std::string shown{}; ///< the values, shortened and escaped, if they were asked for
};

/// Something about a function by which it is decided whether it can be cached, of its code alone. What names mean is not known here.
struct FunctionFact {
  enum class Kind : std::uint8_t {
    judged, ///< its code was read: what no fact says is not so
    generator,
    coroutine,
    async_generator,
    no_arguments,
    takes_self,       ///< its first argument is `self` or `cls`
    writes_global,    ///< of the name; or an item of it: NAME[]
    writes_attribute, ///< of the name, of any object
    writes_nonlocal,  ///< of the name
    uses, ///< a global name with the attributes that it takes of it at once (time.time), or of others (.execute)
    reads_nonlocal,  ///< of the name: a variable of an outer function
    returns_mutable, ///< it makes a list, dict or set (the name), and returns it
    overwrites,      ///< its argument of the name
    calls,           ///< the function of that code_label(), or may: a name in its code stands for it
    contains,        ///< the function of that code_label(): its code is inside of this one's
    never_returns,   ///< no instruction of it returns a value: it raises, or goes on
    reads_changing,  ///< of the name: a global or an attribute of a class or module, which was set anew meanwhile
    count_
  };
  CodeId code = 0;
  Kind kind = Kind::judged;
  std::string name{}; ///< valid UTF-8; empty for kinds without one

  bool operator==(const FunctionFact &) const = default;
};

/// One call of a function of which every call was seen, by code that runs in the process.
struct TracedCall {
  ThreadId process = 0;
  ThreadId tid = 0;
  std::int64_t begin_ns = 0;      ///< CLOCK_MONOTONIC
  std::uint64_t duration_ns = 0;  ///< from the call to its return, without what tracing took, as far as that is known
  std::uint64_t cpu_ns = 0;       ///< CPU time of the thread meanwhile; 0: not known
  ArgumentKey key;                ///< with the function
  std::uint64_t returned = 0;     ///< a hash of the value, as of arguments
  std::uint8_t return_traits = 0; ///< bits of ValueTrait
  bool raised = false;            ///< it ended by an exception, which no cache keeps
  bool unfinished = false;        ///< its end was not seen: the duration is what was seen
  std::uint64_t inner_ns = 0;     ///< of the duration, in other traced calls of its thread
};

} // namespace awaitscope
