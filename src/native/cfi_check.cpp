#include "cfi_check.hpp"

#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include <dwarf.h>

namespace awaitscope {
namespace {

constexpr std::uint32_t k_longest_entry =
    64 * 1024;                                 // of a description, in bytes; the longest of CPython has some thousand
constexpr std::uint64_t k_registers = 17;      // DWARF_NUM_PRESERVED_REGS of libunwind
constexpr std::uint64_t k_return_address = 16; // its number (System V ABI, AMD64, figure 3.36)
constexpr std::uint8_t k_format_mask = 0x0F;   // of a DW_EH_PE
constexpr std::uint8_t k_application_mask = 0x70;
constexpr std::uint8_t k_aligned = 0x50;

/// Bytes, read from the first one on. What is not there makes all that follows fail.
class Bytes {
public:
  explicit Bytes(std::string_view bytes) : bytes_(bytes) {}

  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] bool at_end() const { return bytes_.empty(); }

  std::string_view take(std::uint64_t size) {
    if (size > bytes_.size()) {
      ok_ = false;
      bytes_ = {};
      return {};
    }
    const std::string_view part = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return part;
  }
  std::uint8_t byte() {
    const std::string_view part = take(1);
    return part.empty() ? 0 : static_cast<std::uint8_t>(part.front());
  }
  /// A ULEB128 of at most 64 bits, or a SLEB128 of which only the length matters.
  std::uint64_t leb() {
    constexpr unsigned k_payload = 7;
    std::uint64_t value = 0;
    for (unsigned shift = 0; ok_; shift += k_payload) {
      const std::uint8_t next = byte();
      if (shift < 64) {
        value |= std::uint64_t{next & 0x7FU} << shift;
      }
      if ((next & 0x80U) == 0) {
        return value;
      }
      ok_ = ok_ && shift < 64;
    }
    return 0;
  }
  std::string_view text() {
    const std::size_t end = bytes_.find('\0');
    const std::string_view found = take(end == std::string_view::npos ? bytes_.size() + 1 : end + 1);
    return found.empty() ? found : found.substr(0, found.size() - 1);
  }
  std::string_view rest() { return take(bytes_.size()); }
  void fail() { ok_ = false; }

private:
  std::string_view bytes_;
  bool ok_ = true;
};

/// Of a pointer in this encoding; 0: of no fixed size.
std::size_t size_of(std::uint8_t encoding) {
  if ((encoding & k_application_mask) == k_aligned) {
    return 0;
  }
  switch (encoding & k_format_mask) {
  case DW_EH_PE_absptr:
  case DW_EH_PE_udata8:
  case DW_EH_PE_sdata8:
    return 8;
  case DW_EH_PE_udata4:
  case DW_EH_PE_sdata4:
    return 4;
  case DW_EH_PE_udata2:
  case DW_EH_PE_sdata2:
    return 2;
  default:
    return 0;
  }
}

enum class Operand : std::uint8_t { refused, none, one, two, four, eight, leb };

/// Of an operation, as compilers and assemblers use them in rules: no jump, no division, no call.
Operand operand_of(std::uint8_t operation) {
  if ((operation >= DW_OP_lit0 && operation <= DW_OP_lit31) ||
      (operation >= DW_OP_and && operation <= DW_OP_xor && operation != DW_OP_div && operation != DW_OP_mod &&
       operation != DW_OP_plus_uconst) ||
      (operation >= DW_OP_eq && operation <= DW_OP_ne)) {
    return Operand::none;
  }
  if (operation >= DW_OP_breg0 && operation <= DW_OP_breg16) {
    return Operand::leb;
  }
  switch (operation) {
  case DW_OP_deref:
  case DW_OP_dup:
  case DW_OP_drop:
  case DW_OP_over:
  case DW_OP_swap:
  case DW_OP_rot:
  case DW_OP_nop:
    return Operand::none;
  case DW_OP_const1u:
  case DW_OP_const1s:
  case DW_OP_pick:
  case DW_OP_deref_size:
    return Operand::one;
  case DW_OP_const2u:
  case DW_OP_const2s:
    return Operand::two;
  case DW_OP_const4u:
  case DW_OP_const4s:
    return Operand::four;
  case DW_OP_addr:
  case DW_OP_const8u:
  case DW_OP_const8s:
    return Operand::eight;
  case DW_OP_constu:
  case DW_OP_consts:
  case DW_OP_plus_uconst:
    return Operand::leb;
  default:
    return Operand::refused;
  }
}

bool is_sound_expression(std::string_view text) {
  Bytes in(text);
  while (in.ok() && !in.at_end()) {
    switch (operand_of(in.byte())) {
    case Operand::refused:
      return false;
    case Operand::none:
      break;
    case Operand::one:
      in.take(1);
      break;
    case Operand::two:
      in.take(2);
      break;
    case Operand::four:
      in.take(4);
      break;
    case Operand::eight:
      in.take(8);
      break;
    case Operand::leb:
      in.leb();
      break;
    }
  }
  return in.ok();
}

struct Common {
  std::uint8_t encoding = DW_EH_PE_absptr; ///< of addresses of code
  bool sized = false;                      ///< descriptions have an augmentation, with its length
};

/// Instructions that set rules. `gives_cfa` becomes true once one says what the CFA is.
class Program {
public:
  Program(std::string_view text, const Common &common) : in_(text), common_(common) {}

  bool is_sound(bool &gives_cfa) {
    while (in_.ok() && !in_.at_end()) {
      const std::uint8_t instruction = in_.byte();
      if ((instruction & 0xC0U) == DW_CFA_offset) {
        in_.leb();
      } else if ((instruction & 0xC0U) == 0) {
        plain(instruction, gives_cfa);
      }
    }
    return in_.ok();
  }

private:
  void expression() {
    if (!is_sound_expression(in_.take(in_.leb()))) {
      in_.fail();
    }
  }

  void plain(std::uint8_t instruction, bool &gives_cfa) {
    switch (instruction) {
    case DW_CFA_nop:
    case DW_CFA_remember_state:
    case DW_CFA_restore_state:
      break;
    case DW_CFA_set_loc:
      in_.take(size_of(common_.encoding));
      break;
    case DW_CFA_advance_loc1:
      in_.take(1);
      break;
    case DW_CFA_advance_loc2:
      in_.take(2);
      break;
    case DW_CFA_advance_loc4:
      in_.take(4);
      break;
    case DW_CFA_restore_extended:
    case DW_CFA_undefined:
    case DW_CFA_same_value:
    case DW_CFA_def_cfa_register:
    case DW_CFA_def_cfa_offset:
    case DW_CFA_def_cfa_offset_sf:
    case DW_CFA_GNU_args_size:
      in_.leb();
      break;
    case DW_CFA_offset_extended:
    case DW_CFA_offset_extended_sf:
    case DW_CFA_GNU_negative_offset_extended:
      in_.leb();
      in_.leb();
      break;
    case DW_CFA_register:
      in_.leb();
      if (in_.leb() >= k_registers) {
        in_.fail();
      }
      break;
    case DW_CFA_def_cfa:
    case DW_CFA_def_cfa_sf:
      in_.leb();
      in_.leb();
      gives_cfa = true;
      break;
    case DW_CFA_def_cfa_expression:
      expression();
      gives_cfa = true;
      break;
    case DW_CFA_expression:
    case DW_CFA_val_expression:
      in_.leb();
      expression();
      break;
    default:
      in_.fail();
    }
  }

  Bytes in_;
  const Common &common_;
};

/// What stands behind the length of an entry, in the 32-bit format.
std::optional<std::string> entry_at(const ReadImage &read, Address address) {
  std::uint32_t length = 0;
  if (!read(address, &length, sizeof length) || length < sizeof(std::uint32_t) || length > k_longest_entry) {
    return std::nullopt;
  }
  std::string body(length, '\0');
  return read(address + sizeof length, body.data(), body.size()) ? std::optional(std::move(body)) : std::nullopt;
}

std::uint32_t word(Bytes &in) {
  std::uint32_t value = 0;
  const std::string_view part = in.take(sizeof value);
  std::memcpy(&value, part.data(), part.size());
  return value;
}

/// The letters of an augmentation, as libunwind reads them: Gfde.c, parse_cie().
bool take_augmentation(Bytes &in, std::string_view letters, Common &common) {
  constexpr std::size_t k_most_letters = 4;
  if (letters.size() > k_most_letters || (!letters.empty() && letters.front() != 'z')) {
    return false;
  }
  common.sized = !letters.empty();
  Bytes data(common.sized ? in.take(in.leb()) : std::string_view());
  for (const char letter : letters.substr(common.sized ? 1 : 0)) {
    switch (letter) {
    case 'R':
      common.encoding = data.byte();
      break;
    case 'P': {
      const std::size_t size = size_of(data.byte());
      data.take(size == 0 ? k_longest_entry + 1 : size);
      break;
    }
    case 'L':
      data.byte();
      break;
    case 'S':
      break;
    default:
      return false;
    }
  }
  return data.ok() && data.at_end() && size_of(common.encoding) != 0;
}

bool is_sound_common(const ReadImage &read, Address address, Common &common) {
  const std::optional<std::string> entry = entry_at(read, address);
  if (!entry) {
    return false;
  }
  Bytes in(*entry);
  const bool is_common = word(in) == 0;
  const std::uint8_t form = in.byte(); // its version
  const std::string_view letters = in.text();
  in.leb(); // alignment of code and of data
  in.leb();
  const std::uint64_t return_column = form == 1 ? in.byte() : in.leb();
  if (!is_common || (form != 1 && form != 3) || return_column != k_return_address ||
      !take_augmentation(in, letters, common)) {
    return false;
  }
  bool gives_cfa = false;
  return in.ok() && Program(in.rest(), common).is_sound(gives_cfa) && gives_cfa;
}

} // namespace

bool is_sound_description(const ReadImage &read, Address description) {
  const std::optional<std::string> entry = entry_at(read, description);
  if (!entry) {
    return false;
  }
  Bytes in(*entry);
  const std::uint32_t back = word(in);
  const Address common_at = description + sizeof(std::uint32_t) - static_cast<Address>(static_cast<std::int32_t>(back));
  Common common;
  if (back == 0 || !is_sound_common(read, common_at, common)) {
    return false;
  }
  in.take(2 * size_of(common.encoding));
  if (common.sized) {
    in.take(in.leb());
  }
  bool gives_cfa = true; // the common part does
  return in.ok() && Program(in.rest(), common).is_sound(gives_cfa);
}

} // namespace awaitscope
