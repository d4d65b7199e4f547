#pragma once

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "awaitscope/cpython/call_marks.hpp"
#include "awaitscope/cpython/code_cache.hpp"
#include "awaitscope/cpython/function_facts.hpp"
#include "awaitscope/cpython/stack_reader.hpp"
#include "awaitscope/cpython/values.hpp"
#include "awaitscope/model/argument_calls.hpp"

namespace awaitscope {

class CalleeReader;

/// Which functions' arguments are read, and what of them.
struct ArgumentChoice {
  std::function<bool(const CodeInfo &)> chooses;
  bool shown = false; ///< the values too
};

/// Reads the arguments of calls out of their frames: positional ones, keyword-only ones, *args and **kwargs, also of defaults, and
/// through the cell where an inner function uses one. They lie in the first slots of a frame (Objects/codeobject.c: co_varnames
/// begins with them; up to 3.10 one with a cell is in the cell alone, Python/ceval.c, _PyEval_EvalCode(); since 3.11 the cell is in
/// its slot).
///
/// What a function sets or deletes lies there no more: an argument counts as overwritten once the function can have passed such an
/// instruction, and the call says nothing of its arguments then. That an inner function may set it, by nonlocal, is not seen.
///
/// Coroutines and generators come and go in calls of others: one is known by its frame and its arguments.
class ArgumentReader {
public:
  ArgumentReader(ObjectReader &objects, CodeCache &codes, CallMarkReader &marks);
  ~ArgumentReader();
  ArgumentReader(const ArgumentReader &) = delete;
  ArgumentReader &operator=(const ArgumentReader &) = delete;

  /// Once, before anything is read.
  void choose(ArgumentChoice choice);
  [[nodiscard]] bool chosen() const { return choice_.chooses != nullptr; }

  /// Of the calls of a stack from this one on, counted as StackReader::read() has them. Reads from the same snapshot.
  void read(const StackReader &stacks, std::size_t from, std::vector<SeenCall> &calls);

  /// What was found out since the last time, of functions that are chosen and of those that they call. Reads on, of the latter, past
  /// the snapshot, for a bounded time: to be called between samples.
  std::vector<FunctionFact> take_facts();

private:
  using Known = StackReader::Known;

  /// An argument of a function.
  struct Slot {
    Address at = 0;            ///< from the frame
    Address cell = 0;          ///< up to 3.10: where its cell is; 0: it has none
    bool is_cell = false;      ///< since 3.11
    std::string name;          ///< if values are shown
    bool of_keywords = false;  ///< **kwargs
    bool of_positions = false; ///< *args
  };
  struct Function {
    Address code = 0; ///< 0: not read yet
    bool chosen = false;
    bool takes_self = false;
    std::vector<FunctionFact> reported; ///< of this code object, and of others of its name and line
    std::vector<Slot> slots;
    std::vector<std::pair<std::uint32_t, std::uint32_t>> stores;
  };

  const Function &function_of(const Known &known);
  void add_callees(const Known &known, const Function &function);
  void read_function(const Known &known, Function &function);
  void add_slots(const Known &known, const CodeParts &parts, Function &function);
  [[nodiscard]] bool is_overwritten(const Function &function, const Known &known);
  Address argument(const Known &known, const Slot &slot);
  void prefetch(const Known &known, const Function &function);
  void append(Address object, const Slot &slot, ValueReader::Bytes &out);
  bool is_known_generator(const Known &known, const ArgumentKey &key);
  ArgumentKey key_of(const Known &known, const Function &function);
  std::string shown(const Known &known, const Function &function);

  ObjectReader &objects_;
  CodeCache &codes_;
  CallMarkReader &marks_;
  ValueReader values_;
  ArgumentChoice choice_;
  std::vector<Function> functions_; ///< by CodeId
  std::vector<FunctionFact> facts_;
  std::unique_ptr<CalleeReader> callees_;
  std::size_t strangers_left_ = 0; ///< functions that are not chosen, of which this reading may still read the code
  std::vector<std::uint64_t> generators_; ///< that were seen last: direct-mapped by their frames
};

} // namespace awaitscope
