#pragma once

#include <optional>
#include <string>
#include <unordered_map>

#include "awaitscope/cpython/objects.hpp"
#include "awaitscope/model/code_table.hpp"

namespace awaitscope {

/// The code objects of a target, by address. Each use is checked against the object as it now is: an address that was
/// freed and taken by another code object is read again. Where the interpreter counts the code objects that it makes, and has
/// made none since the last check, the check is that count.
class CodeCache {
public:
  CodeCache(ObjectReader &objects, CodeTable &table) : objects_(objects), table_(table) {}

  /// To be called at the start of each look: `interpreter` makes the code objects that find() will meet; 0 if not only one does.
  void begin(Address interpreter);

  /// The code object at this address in the current snapshot. Nothing if it is none, or cannot be read.
  std::optional<CodeId> find(Address code);

  /// Equal and not 0 in two looks: no code object was made in between, and what find() said still holds.
  [[nodiscard]] std::uint32_t epoch() const { return made_; }

  [[nodiscard]] const CodeInfo &info(CodeId id) const { return table_.at(id); }
  [[nodiscard]] CodeTable &table() { return table_; }

  /// The executing line at an instruction, in bytes from the first one; 0 where the code has none.
  [[nodiscard]] std::int32_t line(CodeId id, std::int64_t instruction) const {
    return line_at(table_.at(id), instruction);
  }

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
    std::uint32_t checked_at = 0; ///< the count of code objects at the last check
  };

  std::optional<Identity> identify(Address code);
  std::optional<CodeId> load(Address code, const Identity &identity);

  ObjectReader &objects_;
  CodeTable &table_;
  std::uint32_t made_ = 0;       ///< how many code objects the interpreter has made; 0: not known
  std::uint32_t last_count_ = 0; ///< at the look before
  std::uint32_t highest_ = 0;    ///< version of a code object that was met
  bool count_usable_ = true;
  std::unordered_map<Address, Known> known_;
  std::unordered_map<std::string, CodeId> by_content_;
};

} // namespace awaitscope
