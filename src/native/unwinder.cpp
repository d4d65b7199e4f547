#include "awaitscope/native/unwinder.hpp"

#include <array>
#include <cstring>
#include <new>

#include <libunwind.h>

// Exported by libunwind for those who find tables by themselves; declared in none of its public headers (include/dwarf.h).
extern "C" int UNW_OBJ(dwarf_search_unwind_table)(unw_addr_space_t space, unw_word_t instruction, unw_dyn_info_t *table,
                                                  unw_proc_info_t *info, int need_unwind_info, void *argument);

namespace awaitscope {
namespace {

/// The unwinding of one stack: what the functions that libunwind calls work with.
struct Walk {
  NativeImages &images;
  const RegistersAndStack &from;
  decltype(RegistersAndStack::registers) registers{}; ///< where it begins
  NativeImage *last_image = nullptr;                  ///< read from before
  std::uint64_t reads = 0;
  // Of one step:
  NativeLoss fault = NativeLoss::none; ///< why memory could not be read
  bool unknown_function = false;       ///< nothing describes its frame
};

Walk &walk_of(void *argument) { return *static_cast<Walk *>(argument); }

bool read_stack(const Walk &walk, Address address, unw_word_t &word) {
  const Address begin = walk.from.stack_pointer();
  const std::size_t size = walk.from.stack.size();
  if (address < begin || size < sizeof word || address - begin > size - sizeof word) {
    return false;
  }
  std::memcpy(&word, walk.from.stack.data() + (address - begin), sizeof word);
  return true;
}

bool read_image(Walk &walk, Address address, unw_word_t &word) {
  if (walk.last_image != nullptr && walk.last_image->read(address, &word, sizeof word)) {
    return true;
  }
  NativeImage *const image = walk.images.image_at(address);
  if (image == nullptr || !image->read(address, &word, sizeof word)) {
    return false;
  }
  walk.last_image = image;
  return true;
}

int access_memory(unw_addr_space_t /*space*/, unw_word_t address, unw_word_t *word, int write, void *argument) {
  Walk &walk = walk_of(argument);
  if (write != 0) {
    return -UNW_EINVAL;
  }
  if (++walk.reads > Unwinder::k_max_reads) {
    walk.fault = NativeLoss::limit;
    return -UNW_EINVAL;
  }
  if (read_stack(walk, address, *word) || read_image(walk, address, *word)) {
    return 0;
  }
  const Address begin = walk.from.stack_pointer();
  const bool behind = address >= begin && address < walk.images.end_of_stack(begin).value_or(0);
  walk.fault = behind ? NativeLoss::short_stack : NativeLoss::bad_address;
  return -UNW_EINVAL;
}

int access_register(unw_addr_space_t /*space*/, unw_regnum_t number, unw_word_t *word, int write, void *argument) {
  // libunwind numbers them as DWARF does (include/libunwind-x86_64.h).
  const auto &registers = walk_of(argument).registers;
  if (write != 0 || number < 0 || static_cast<std::size_t>(number) >= registers.size()) {
    return -UNW_EBADREG;
  }
  *word = registers[static_cast<std::size_t>(number)];
  return 0;
}

int access_float(unw_addr_space_t /*space*/, unw_regnum_t /*number*/, unw_fpreg_t * /*word*/, int /*write*/,
                 void * /*argument*/) {
  return -UNW_EBADREG;
}

int find_info(unw_addr_space_t space, unw_word_t instruction, unw_proc_info_t *info, int need, void *argument) {
  Walk &walk = walk_of(argument);
  NativeImage *const image = walk.images.image_at(instruction);
  const auto entry = image == nullptr ? std::nullopt : image->find_unwind_entry(instruction);
  if (!entry) {
    walk.unknown_function = true;
    return -UNW_ENOINFO;
  }
  walk.last_image = image;
  // A table of one entry, the right one.
  unw_dyn_info_t table{};
  table.format = UNW_INFO_FORMAT_REMOTE_TABLE;
  table.start_ip = instruction;
  table.end_ip = instruction + 1;
  table.u.rti.segbase = entry->table;
  table.u.rti.table_data = entry->entry;
  table.u.rti.table_len = 1; // words
  const int status = UNW_OBJ(dwarf_search_unwind_table)(space, instruction, &table, info, need, argument);
  walk.unknown_function = walk.unknown_function || status < 0;
  return status;
}

void put_info(unw_addr_space_t /*space*/, unw_proc_info_t * /*info*/, void * /*argument*/) {}

int no_dynamic_list(unw_addr_space_t /*space*/, unw_word_t * /*address*/, void * /*argument*/) { return -UNW_ENOINFO; }

int no_resume(unw_addr_space_t /*space*/, unw_cursor_t * /*cursor*/, void * /*argument*/) { return -UNW_EINVAL; }

int no_name(unw_addr_space_t /*space*/, unw_word_t /*address*/, char * /*name*/, std::size_t /*size*/,
            unw_word_t * /*offset*/, void * /*argument*/) {
  return -UNW_ENOINFO;
}

unw_accessors_t accessors() {
  unw_accessors_t all{};
  all.find_proc_info = find_info;
  all.put_unwind_info = put_info;
  all.get_dyn_info_list_addr = no_dynamic_list;
  all.access_mem = access_memory;
  all.access_reg = access_register;
  all.access_fpreg = access_float;
  all.resume = no_resume;
  all.get_proc_name = no_name;
  return all;
}

/// Why a step has failed, or was made by guessing in code that has a file; none if it was sound.
NativeLoss loss_of_step(const Walk &walk, int status, Address instruction) {
  if (walk.unknown_function && (status <= 0 || walk.images.image_at(instruction) != nullptr)) {
    return walk.fault == NativeLoss::limit ? NativeLoss::limit : NativeLoss::no_unwind_info;
  }
  if (status >= 0) {
    return NativeLoss::none;
  }
  if (walk.fault != NativeLoss::none) {
    return walk.fault;
  }
  return status == -UNW_EBADFRAME ? NativeLoss::loop : NativeLoss::no_unwind_info;
}

/// Adds the frames from the walk's registers on. `exact`: the thread was interrupted at the instruction; else it stands behind a call.
void follow(unw_addr_space_t space, Walk &walk, bool exact, NativeStack &stack) {
  stack.loss = NativeLoss::none;
  unw_cursor_t cursor{};
  if (unw_init_remote(&cursor, space, &walk) < 0) {
    stack.loss = NativeLoss::bad_address;
    return;
  }
  Address pointer = walk.registers[RegistersAndStack::k_stack_pointer];
  unw_word_t instruction = walk.registers[RegistersAndStack::k_instruction];
  while (stack.loss == NativeLoss::none) {
    const Address inside = instruction - (exact ? 0 : 1);
    if (!walk.images.is_code(inside) || stack.frames.size() >= Unwinder::k_max_frames) {
      stack.loss = stack.frames.size() >= Unwinder::k_max_frames ? NativeLoss::limit : NativeLoss::bad_address;
      return;
    }
    stack.frames.push_back({inside, pointer, pointer, 0, NativeRole::code});
    exact = unw_is_signal_frame(&cursor) > 0;
    walk.fault = NativeLoss::none;
    walk.unknown_function = false;
    const int status = unw_step(&cursor);
    stack.loss = loss_of_step(walk, status, inside);
    if (status <= 0 || stack.loss != NativeLoss::none) {
      return;
    }
    unw_word_t next = 0;
    if (unw_get_reg(&cursor, UNW_REG_IP, &instruction) < 0 || unw_get_reg(&cursor, UNW_REG_SP, &next) < 0) {
      stack.loss = NativeLoss::bad_address;
      return;
    }
    if (instruction == 0) { // no return address: the root
      return;
    }
    if (next <= pointer) {
      stack.loss = NativeLoss::loop;
      return;
    }
    stack.frames.back().stack_end = next;
    pointer = next;
  }
}

/// Leaves the function that the thread is in, if that has just made a system call, and nothing describes it there, as in glibc's
/// clone(): its description ends before the call, since it would be wrong for the child (sysdeps/unix/sysv/linux/x86_64/clone3.S,
/// cfi_endproc). Its stack is what it was when it began, with the return address on top. False if it is another function.
bool leave_system_call(Walk &walk, NativeStack &stack) {
  constexpr std::array<std::uint8_t, 2> k_syscall{0x0F, 0x05};
  std::array<std::uint8_t, 2> before{};
  NativeImage *const image = walk.images.image_at(walk.from.instruction());
  const Address pointer = walk.from.stack_pointer();
  unw_word_t caller = 0;
  if (image == nullptr || !image->read(walk.from.instruction() - before.size(), before.data(), before.size()) ||
      before != k_syscall || !read_stack(walk, pointer, caller)) {
    return false;
  }
  stack.frames.front().stack_end = pointer + sizeof caller;
  walk.registers[RegistersAndStack::k_instruction] = caller;
  walk.registers[RegistersAndStack::k_stack_pointer] = pointer + sizeof caller;
  return true;
}

} // namespace

Unwinder::Unwinder(NativeImages &images) : images_(images) {
  unw_accessors_t all = accessors();
  space_ = unw_create_addr_space(&all, 0);
  if (space_ == nullptr) {
    throw std::bad_alloc();
  }
  constexpr std::size_t k_cached_rules = 4096;
  unw_set_caching_policy(space_, UNW_CACHE_GLOBAL);
  unw_set_cache_size(space_, k_cached_rules, 0);
}

Unwinder::~Unwinder() { unw_destroy_addr_space(space_); }

void Unwinder::forget() { unw_flush_cache(space_, 0, 0); }

void Unwinder::unwind(const RegistersAndStack &from, NativeStack &stack) {
  stack.frames.clear();
  Walk walk{images_, from, from.registers};
  follow(space_, walk, true, stack);
  if (stack.loss == NativeLoss::no_unwind_info && stack.frames.size() == 1 && leave_system_call(walk, stack)) {
    follow(space_, walk, false, stack);
  }
}

} // namespace awaitscope
