#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "awaitscope/cpython/line_table.hpp"
#include "awaitscope/cpython/objects.hpp"
#include "awaitscope/model/code_table.hpp"

namespace awaitscope {

/// The code objects of a target, by address. Each use is checked against the object as it now is: an address that was
/// freed and taken by another code object is read again. Where the interpreter counts the code objects that it makes, and has
/// made none since the last check, the check is that count (CPython 3.12+).
///
/// Without a count the checks of a deep stack are half of what a sample costs. A caller who keeps what he was told back for
/// a while (many samples are handed on at once) has them made then, once for all of them: see confirm(). Only code that has
/// been the same for a second, at an address that never had another, is trusted until then.
///
/// What is kept of code objects, of which a program may make ever more, is bounded: once it is too much all of it is forgotten,
/// by confirm() if that is called, and read again as it is met. The functions that they belong to stay in the table.
class CodeCache {
public:
  /// `counter`: where the process counts its code objects, if not each interpreter does; 0 if nowhere that is known.
  CodeCache(ObjectReader &objects, CodeTable &table, const Address &counter)
      : objects_(objects), table_(table), counter_(counter) {}

  /// To be called at the start of each look: `interpreter` makes the code objects that find() will meet; 0 if not only one does.
  /// `now_ns`: the monotonic clock, from a caller who will call confirm(); 0 from others.
  void begin(Address interpreter, std::int64_t now_ns = 0);

  /// The word that says that the count of code objects is still what it was at the last begin(); none where there is no count.
  [[nodiscard]] std::optional<GuardedWord> count_word(Address interpreter) const;

  /// The code object at this address in the current snapshot. Nothing if it is none, or cannot be read.
  std::optional<CodeId> find(Address code);

  /// Equal and not 0 in two looks: what find() said in one and trust() was equal to holds in the other.
  [[nodiscard]] std::uint64_t epoch() const { return epoch_; }

  /// Of the last find(): the epoch for which it holds; 0 if for this look alone.
  [[nodiscard]] std::uint64_t trust() const { return trust_; }

  /// Of the last find(): a number that the code object at this address keeps for as long as it is known to be the same.
  [[nodiscard]] std::uint64_t edition() const { return edition_; }

  /// Checks what was trusted since the last call, in a look of its own: those that were not what find() had said. If the
  /// process is gone there is nothing left to check against, and all of it stands.
  std::vector<CodeId> confirm();

  [[nodiscard]] const CodeInfo &info(CodeId id) const { return table_.at(id); }
  [[nodiscard]] CodeTable &table() { return table_; }

  /// Code of the interpreter itself, which it hides from tracebacks: since 3.12 a specialized call of a class runs __init__
  /// under such a frame (Objects/codeobject.c, _Py_InitCleanup: its file, name and qualified name are one str, on line 0).
  [[nodiscard]] bool is_internal(CodeId id) const { return id < internal_.size() && internal_[id]; }

  /// The executing line at an instruction (in bytes from the first one) of the code object that the last find() found; 0 where it
  /// has none.
  [[nodiscard]] std::int32_t line(Address code, std::int64_t instruction) const;

  /// Of str `qualname`: the id of the code if it is its own name, else one interned by name.
  CodeId named(CodeId code, Address code_address, Address qualname);

private:
  struct Identity {
    Address filename = 0;
    Address qualname = 0;
    Address linetable = 0;
    std::int32_t first_line = 0;
    std::uint32_t version = 0;
    std::int64_t name_hash = 0;
    std::uint64_t file_digest = 0;
    bool operator==(const Identity &) const = default;
  };
  struct Known {
    Identity identity;
    CodeId id = 0;
    CodeLines lines{};
    std::uint64_t edition = 0;
    std::uint64_t epoch = 0;     ///< for which it holds
    std::int64_t since_ns = 0;   ///< when it was met first; 0: not known
    std::int64_t checked_ns = 0; ///< when it was checked last
    bool another_before = false; ///< the address had another before
  };
  struct Trusted {
    Address code = 0;
    Identity identity;
    CodeId id = 0;
  };

  [[nodiscard]] Address count_address(Address interpreter) const;
  std::uint32_t read_count(Address interpreter);
  [[nodiscard]] bool is_settled(const Known &known) const;
  std::optional<Identity> identify(Address code);
  std::optional<CodeId> load(Address code, const Identity &identity, CodeLines &lines);
  void keep(Address code, Known fresh);
  [[nodiscard]] bool holds_more_than(std::size_t part) const; ///< times what is kept from one confirm() to the next
  void forget();

  ObjectReader &objects_;
  CodeTable &table_;
  const Address &counter_;
  std::uint64_t epoch_ = 0;
  std::uint64_t trust_ = 0;
  std::uint64_t edition_ = 0;
  std::uint64_t last_edition_ = 0;   ///< that was given
  std::int64_t now_ns_ = 0;          ///< 0: nobody will call confirm()
  std::uint64_t window_ = 1;         ///< counts the calls of confirm()
  std::vector<Trusted> unconfirmed_; ///< what was trusted in this window
  std::uint32_t made_ = 0;           ///< how many code objects the interpreter has made; 0: not known
  std::uint32_t last_count_ = 0;     ///< at the look before
  std::uint32_t highest_ = 0;        ///< version of a code object that was met
  bool count_usable_ = true;
  std::unordered_map<Address, Known> known_;
  std::size_t line_bytes_ = 0; ///< of all that is known
  std::vector<bool> internal_; ///< by CodeId
};

} // namespace awaitscope
