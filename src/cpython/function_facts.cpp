#include "awaitscope/cpython/function_facts.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <string_view>

namespace awaitscope {
namespace {

using Kind = FunctionFact::Kind;
using Instruction = Bytecode::Instruction;

constexpr std::size_t k_most_facts = 512; // of one function

/// What a call makes that its users may change, by the name of what is called: a class, or what returns one. Empty if it makes none.
std::string_view mutable_made_by(std::string_view name) {
  using Row = std::pair<std::string_view, std::string_view>;
  constexpr std::array k_names{
      Row{"list", "list"},
      Row{"dict", "dict"},
      Row{"set", "set"},
      Row{"sorted", "list"},
      Row{"bytearray", "bytearray"},
      Row{"deque", "deque"},
      Row{"iter", "iter"},
      Row{"map", "map"},
      Row{"defaultdict", "defaultdict"},
      Row{"Counter", "Counter"},
      Row{"reversed", "reversed"},
      Row{"filter", "filter"},
      Row{"OrderedDict", "dict"},
      Row{"zip", "zip"},
      Row{"enumerate", "enumerate"},
      Row{"split", "list"},
      Row{"rsplit", "list"},
      Row{"splitlines", "list"},
      Row{"findall", "list"},
      Row{"tolist", "list"},
      Row{"array", "array"},
      Row{"copy", "copy"},
      Row{"deepcopy", "copy"},
      Row{"SimpleNamespace", "SimpleNamespace"},
      Row{"loads", "list or dict"},
  };
  name = name.substr(name.rfind('.') + 1); // npos + 1 is 0
  const auto *const found =
      std::find_if(k_names.begin(), k_names.end(), [&](const Row &row) { return row.first == name; });
  return found == k_names.end() ? std::string_view() : found->second;
}

/// One statement, as far as it was read.
struct Statement {
  std::vector<Operation> operations; ///< without those that do nothing
  std::string first;                 ///< what is loaded first, if that is no local variable
  std::string container;             ///< what is loaded last but one
  std::string last_loaded;
  std::vector<std::string>
      globals; ///< with their attributes; without those that are called, where the minor's bytecode says so
  std::optional<std::uint32_t> local; ///< the only thing in it
  bool of_argument = false;           ///< an attribute of an argument is in it
  std::string_view built;             ///< the last list, dict or set

  void load(std::string name) {
    if (operations.empty()) {
      first = name;
    }
    container = std::exchange(last_loaded, std::move(name));
  }
};

class Judge {
public:
  Judge(const CodeParts &code, const Bytecode &bytecode) : code_(code), bytecode_(bytecode) {}

  FunctionFacts judge(const std::vector<Instruction> &instructions) {
    add(Kind::judged);
    of_flags();
    for (const Instruction &instruction : instructions) {
      read(instruction);
    }
    end_chain();
    const bool returns = std::any_of(instructions.begin(), instructions.end(), [](const Instruction &instruction) {
      return instruction.operation == Operation::return_value || instruction.operation == Operation::return_constant ||
             instruction.operation == Operation::hidden;
    });
    if (!returns) {
      add(Kind::never_returns);
    }
    return std::move(facts_);
  }

private:
  void add(Kind kind, std::string name = {}) {
    FunctionFact fact{0, kind, std::move(name)};
    if (facts_.facts.size() < k_most_facts &&
        std::find(facts_.facts.begin(), facts_.facts.end(), fact) == facts_.facts.end()) {
      facts_.facts.push_back(std::move(fact));
    }
  }

  void of_flags() {
    constexpr std::array<std::pair<std::uint32_t, Kind>, 3> k_flags{
        {{CodeParts::k_generator, Kind::generator},
         {CodeParts::k_coroutine, Kind::coroutine},
         {CodeParts::k_async_generator, Kind::async_generator}}};
    for (const auto &[flag, kind] : k_flags) {
      if ((code_.flags & flag) != 0) {
        add(kind);
      }
    }
    if (code_.arguments() == 0) {
      add(Kind::no_arguments);
    }
    if (code_.takes_self()) {
      add(Kind::takes_self);
    }
  }

  [[nodiscard]] std::string name_of(const Instruction &instruction) const {
    const std::uint32_t index = bytecode_.name_of(instruction);
    return index < code_.names.size() ? code_.names[index] : "?";
  }

  /// A global with the attributes that were taken of it at once.
  void end_chain() {
    argument_ = false;
    of_argument_.clear();
    if (!chain_.empty()) {
      add(Kind::uses, std::exchange(chain_, {}));
    }
  }

  void store(const Instruction &at, std::uint32_t slot) {
    if (slot < code_.arguments()) {
      facts_.stores.emplace_back(at.position, slot);
      add(Kind::overwrites, slot < code_.locals.size() ? code_.locals[slot] : "?");
    }
    if (std::string alias = loaded_alone(); !alias.empty()) {
      aliases_[slot] = std::move(alias);
    } else {
      aliases_.erase(slot);
    }
    const std::string_view made = made_by_statement();
    if (!made.empty()) {
      made_[slot] = made;
    } else if (!after_store_) { // what a comprehension has put back is no new value
      made_.erase(slot);
    }
  }

  /// The global, or the attribute of a global or an argument, that is all that the statement loads; else empty.
  [[nodiscard]] std::string loaded_alone() const {
    const std::vector<Operation> &operations = statement_.operations;
    const bool alone = !operations.empty() && std::all_of(operations.begin() + 1, operations.end(), [](Operation each) {
      return each == Operation::load_attribute;
    });
    if (alone && !statement_.local && statement_.globals.size() == 1) {
      return statement_.globals.front();
    }
    return alone && operations.size() > 1 && statement_.of_argument ? statement_.last_loaded : std::string();
  }

  /// What the statement leaves on the stack, if that is a list, dict or set that it has made.
  [[nodiscard]] std::string_view made_by_statement() const {
    if (statement_.operations.empty()) {
      return after_store_ ? last_built_ : std::string_view(); // of a comprehension in line (PEP 709)
    }
    const Operation last = statement_.operations.back();
    const bool builds = last == Operation::build_list || last == Operation::build_set || last == Operation::build_map;
    if (builds || last == Operation::operate) {
      return statement_.built;
    }
    if (last == Operation::call && begins_with_function()) {
      return guarded_.empty() ? "list, dict or set" : mutable_made_by(guarded_); // of a comprehension
    }
    return last == Operation::call ? mutable_made_by(statement_.first) : std::string_view();
  }

  /// Up to 3.11 a comprehension is a function that is made of constants and called at once.
  [[nodiscard]] bool begins_with_function() const {
    const auto first = std::find_if(statement_.operations.begin(), statement_.operations.end(),
                                    [](Operation operation) { return operation != Operation::load_constant; });
    return first != statement_.operations.end() && *first == Operation::make_function;
  }

  /// `tuple(i for …)` runs in line since 3.15 if tuple is what it was; else the function of its generator is called (Python/codegen.c,
  /// codegen_maybe_inline_genexpr).
  [[nodiscard]] bool is_guard() const {
    const std::vector<Operation> &operations = statement_.operations;
    return operations.size() == 3 && operations[0] == Operation::load_global && operations[1] == Operation::other &&
           operations[2] == Operation::other;
  }

  void give_back() {
    std::string_view made = made_by_statement();
    if (made.empty() && statement_.local && statement_.operations.size() == 1) {
      const auto known = made_.find(*statement_.local);
      made = known == made_.end() ? std::string_view() : known->second;
    }
    if (!made.empty()) {
      add(Kind::returns_mutable, std::string(made));
    }
  }

  void end_statement(bool by_store) {
    last_built_ = !statement_.built.empty() ? statement_.built : last_built_;
    statement_ = {};
    after_store_ = by_store;
  }

  /// `NAME[key] = value` loads NAME and key at last; `NAME[key] += value` begins with NAME. With a key that is computed, it may be any
  /// object that the statement loads.
  void write_item() {
    const std::vector<Operation> &operations = statement_.operations;
    if (!operations.empty() && operations.back() == Operation::operate) {
      add_item_of(statement_.first);
    } else if (!operations.empty() && is_load(operations.back())) {
      add_item_of(statement_.container);
    } else {
      for (const std::string &name : statement_.globals) {
        add_item_of(name);
      }
    }
  }

  void add_item_of(const std::string &name) {
    if (!name.empty()) {
      add(Kind::writes_global, name + "[]");
    }
  }

  /// An item of a global, or of an attribute of an argument: with a key that is computed, of what the statement loads first.
  void take_item() {
    const bool plain_key = !statement_.operations.empty() && is_load(statement_.operations.back());
    item_ = plain_key ? statement_.container : statement_.first;
    item_ = item_.empty() || (item_.front() == '.' && !statement_.of_argument) ? std::string() : item_ + "[]";
    statement_.load(item_);
  }

  static bool is_load(Operation operation) {
    return operation == Operation::load_fast || operation == Operation::load_fast_pair ||
           operation == Operation::load_global || operation == Operation::load_deref ||
           operation == Operation::load_attribute || operation == Operation::load_constant;
  }

  /// One that was set to a global stands for that.
  void load_local(std::uint32_t slot) {
    if (const auto alias = aliases_.find(slot); alias != aliases_.end()) {
      chain_ = alias->second;
      statement_.load(chain_);
      statement_.globals.push_back(chain_);
      return;
    }
    statement_.local = slot;
    statement_.load({});
    argument_ = slot < code_.arguments();
  }

  void load(const Instruction &instruction) {
    switch (instruction.operation) {
    case Operation::load_fast:
      load_local(instruction.operand);
      break;
    case Operation::load_fast_pair:
      load_local(instruction.operand >> 4U);
      end_chain();
      load_local(instruction.operand & 15U);
      break;
    case Operation::load_global:
      chain_ = name_of(instruction);
      statement_.load(chain_);
      if (!bytecode_.loads_callee(instruction)) {
        statement_.globals.push_back(chain_);
      }
      break;
    case Operation::load_deref: {
      const std::size_t index = instruction.operand;
      const std::string name = index < code_.derefs.size() ? code_.derefs[index] : "?";
      const bool outer = index < code_.free.size() && code_.free[index];
      if (outer) {
        if (name != "__class__") { // of super()
          add(Kind::reads_nonlocal, name);
        }
        statement_.globals.push_back(name);
      }
      statement_.load(outer ? name : std::string());
      break;
    }
    default: // an attribute
      statement_.last_loaded = chain_.empty() ? "." + name_of(instruction) : chain_ + "." + name_of(instruction);
      statement_.first = statement_.operations.size() == 1 ? statement_.last_loaded : statement_.first;
      if (chain_.empty() && !statement_.operations.empty() && statement_.operations.back() == Operation::load_item) {
        chain_ = item_;
      }
      if (chain_.empty()) {
        add_attribute_of_argument(name_of(instruction));
        add(Kind::uses, "." + name_of(instruction));
      } else {
        extend_chain(instruction);
      }
      break;
    }
  }

  /// Attributes of attributes are named together: a method of one may change it.
  void add_attribute_of_argument(const std::string &name) {
    if (!argument_) {
      return;
    }
    statement_.of_argument = true;
    of_argument_ += "." + name;
    if (of_argument_.size() > name.size() + 1) {
      add(Kind::uses, of_argument_);
    }
  }

  void extend_chain(const Instruction &instruction) {
    if (!statement_.globals.empty() && statement_.globals.back() == chain_) {
      statement_.globals.pop_back();
    }
    chain_ += "." + name_of(instruction);
    if (!bytecode_.loads_callee(instruction)) {
      statement_.globals.push_back(chain_);
    }
  }

  /// True if it ends a statement.
  bool write(const Instruction &instruction) {
    switch (instruction.operation) {
    case Operation::store_fast:
    case Operation::delete_fast:
      store(instruction, instruction.operand);
      return true;
    case Operation::store_fast_pair:
      store(instruction, instruction.operand >> 4U);
      store(instruction, instruction.operand & 15U);
      return true;
    case Operation::store_load_fast:
      store(instruction, instruction.operand >> 4U);
      return true;
    case Operation::write_global:
      add(Kind::writes_global, name_of(instruction));
      return true;
    case Operation::write_attribute:
      add(Kind::writes_attribute, name_of(instruction));
      return true;
    case Operation::write_deref: {
      const std::size_t index = instruction.operand;
      if (index < code_.free.size() && code_.free[index]) {
        add(Kind::writes_nonlocal, code_.derefs[index]);
      } else if (index < code_.derefs.size()) {
        const auto argument = std::find(code_.locals.begin(), code_.locals.end(), code_.derefs[index]);
        store(instruction, static_cast<std::uint32_t>(argument - code_.locals.begin()));
      }
      return true;
    }
    case Operation::write_item:
      write_item();
      return true;
    default:
      return false;
    }
  }

  void read(const Instruction &instruction) {
    const Operation operation = instruction.operation;
    if (operation == Operation::nothing) {
      return;
    }
    if (operation == Operation::hidden) {
      add(Kind::uses, "?");
    }
    const bool loads = is_load(operation) && operation != Operation::load_constant;
    if (operation != Operation::load_attribute) {
      end_chain();
    }
    if (loads) {
      load(instruction);
      statement_.operations.push_back(operation);
      return;
    }
    if (operation == Operation::import_name) {
      add(Kind::uses, name_of(instruction));
    }
    statement_.built = operation == Operation::build_list  ? "list"
                       : operation == Operation::build_set ? "set"
                       : operation == Operation::build_map ? "dict"
                                                           : statement_.built;
    if (operation == Operation::return_value) {
      give_back();
    }
    if (operation == Operation::jump && is_guard()) {
      guarded_ = statement_.first;
    }
    const bool ends = write(instruction);
    if (ends || operation == Operation::return_value) {
      end_statement(ends && operation != Operation::write_item);
      if (operation == Operation::store_load_fast) {
        load_local(instruction.operand & 15U);
        statement_.operations.push_back(Operation::load_fast);
      }
    } else if (operation == Operation::jump || operation == Operation::pop || operation == Operation::return_constant) {
      end_statement(false);
    } else {
      if (operation == Operation::load_constant) {
        statement_.load({});
      } else if (operation == Operation::load_item) {
        take_item();
      }
      statement_.operations.push_back(operation);
    }
  }

  const CodeParts &code_;
  const Bytecode &bytecode_;
  FunctionFacts facts_;
  Statement statement_;
  std::string chain_;
  std::string item_;            ///< the last item of a global or an attribute that was taken: "NAME[]"
  std::string guarded_;         ///< the function that a generator is an argument of, if that may run in line
  std::string_view last_built_; ///< in the statement before
  std::map<std::uint32_t, std::string> aliases_;   ///< of globals, by the local that was set to one
  bool argument_ = false;                          ///< right behind an argument, or an attribute of one
  std::string of_argument_;                        ///< attributes that were taken of an argument at once
  bool after_store_ = false;                       ///< the statement begins right behind a store
  std::map<std::uint32_t, std::string_view> made_; ///< locals that hold what the function has made
};

} // namespace

FunctionFacts facts_of(const CodeParts &code, const Bytecode &bytecode,
                       const std::vector<Bytecode::Instruction> &instructions) {
  return Judge(code, bytecode).judge(instructions);
}

} // namespace awaitscope
