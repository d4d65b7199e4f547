#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "awaitscope/cpython/stack_reader.hpp"

namespace awaitscope {

/// What tells a call from others. Hashes: no address or value can be had from them. Two readings of a thread have the same call in the
/// same place only if
///
/// - its frame lies at the same address, and is of the same code;
/// - its arguments are the same objects, those aside that the function itself sets or deletes;
/// - so it is with all its callers, and each of these stands at the same instruction, and has the same objects in its variables and
///   on its value stack: as long as a call lasts, its callers do not run.
///
/// That is `place` and `call`. A call that begins right behind another one of the same function may have all of that too. So the
/// function is asked as well: each outermost loop of its instructions, and each instruction outside of loops, is a stretch, and
///
/// - a call never gets back to an earlier stretch;
/// - while it stays in one, what no loop sets stays what it is; at a single instruction, all its variables and its value stack do;
/// - an instruction outside of loops makes one call of Python's own, in the same stretch never a second one.
///
/// What is left are calls that are alike in all of that: `while True: step(self)`, with all that `step` has made at the same
/// addresses again.
struct CallMark {
  std::uint64_t place = 0; ///< its function, and where its frame lies
  std::uint64_t call = 0;  ///< and what it was made with, and by which calls
  std::uint64_t kept = 0;  ///< what stays as it is while the function is in the stretch
  std::uint32_t stretch = 0;
  bool once = false;  ///< the stretch is one instruction
  bool from_c = true; ///< C code may have called it, and may call it again

  [[nodiscard]] bool same(const CallMark &other) const { return place == other.place && call == other.call; }
};

/// Marks the calls of a stack that was just read.
class CallMarkReader {
public:
  explicit CallMarkReader(ObjectReader &objects) : objects_(objects) {}

  /// Of the stack that `stacks` has read last, which must be whole, in the order of PythonStack. Reads from the same snapshot.
  void read(const StackReader &stacks, std::vector<CallMark> &marks);

  /// CallMark::place of a frame there, of this code.
  [[nodiscard]] static std::uint64_t place_of(Address frame, Address code);

  using Known = StackReader::Known;

  /// Where its function is, in bytes from the first instruction.
  [[nodiscard]] std::uint32_t position_of(const Known &known) const;

  /// Whether one loop of its function has both of these positions.
  [[nodiscard]] bool in_same_loop(const Known &known, std::uint32_t first, std::uint32_t second);

  /// Those of a code object; nothing if they cannot be read.
  std::vector<std::uint8_t> instructions(Address code);

private:
  /// What is to be known of a code object.
  struct CallShape {
    Address code = 0;                                       ///< 0: not read yet
    std::uint32_t slots = 0;                                ///< variables and value stack, as far as they are read
    std::uint64_t arguments = 0;                            ///< a bit for each that the function leaves as it is
    std::uint64_t settled = 0;                              ///< a bit for each variable that no loop sets or deletes
    std::vector<std::pair<std::size_t, std::size_t>> loops; ///< outermost ones, in order: first and last position
  };
  const CallShape &shape_of(const Known &known);
  void read_instructions(Address code, CallShape &shape);
  std::uint64_t mark_slots(std::uint64_t mark, const Known &known, std::uint64_t wanted);

  ObjectReader &objects_;
  std::vector<CallShape> shapes_; ///< by CodeId
};

} // namespace awaitscope
