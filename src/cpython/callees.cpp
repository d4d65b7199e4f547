#include "callees.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "awaitscope/cpython/values.hpp"
#include "awaitscope/support/clock.hpp"
#include "awaitscope/support/library_paths.hpp"
#include "code_parts.hpp"

namespace awaitscope {
namespace {

using Kind = FunctionFact::Kind;

constexpr int k_deepest = 8;                   // calls from a function that was added
constexpr std::size_t k_most_met = 4096;       // code objects
constexpr std::size_t k_most_reported = 65536; // facts
constexpr std::size_t k_at_once = 2;           // functions: some 0.2 ms each
constexpr std::size_t k_most_watched = 512;
constexpr std::int64_t k_between_checks_ns = 50'000'000;
constexpr std::int64_t k_longest_check_ns = 500'000;               // of them all
constexpr std::size_t k_checks = 8;                                // at once
constexpr std::int64_t k_until_again_ns = 500'000'000;             // from a function's first reading
constexpr std::uint64_t k_most_contents = 256;                     // of a dict or list that is watched
constexpr int k_most_wrappers = 20;                                // of a function, one around the other
constexpr std::uint64_t k_type_subclass = std::uint64_t{1} << 31U; // Include/object.h, Py_TPFLAGS_TYPE_SUBCLASS

std::vector<std::string> split(std::string_view chain) {
  std::vector<std::string> names;
  for (std::size_t begin = 0; begin <= chain.size();) {
    const std::size_t end = std::min(chain.find('.', begin), chain.size());
    names.emplace_back(chain.substr(begin, end - begin));
    begin = end + 1;
  }
  return names;
}

bool is_of_library(std::string_view file) { return file.starts_with("<frozen ") || behind_library(file) != 0; }

bool is_standard(std::string_view file) {
  const std::size_t behind = behind_library(file);
  return file.starts_with("<frozen ") || (behind != 0 && !file.substr(0, behind).ends_with("-packages/"));
}

} // namespace

CalleeReader::CalleeReader(RemoteMemory &remote, const Layout &layout, CodeTable &codes)
    : memory_(remote), objects_(memory_, layout), codes_(objects_, codes, no_counter_), marks_(objects_),
      wrappers_(objects_, codes_) {}

void CalleeReader::add(CodeId id, Address code, Scope scope) {
  if (met_.size() < k_most_met && met_.insert(code).second) {
    waiting_.push_back({code, id, scope, 0, 0});
  }
}

void CalleeReader::work(std::vector<FunctionFact> &facts) {
  const std::int64_t now_ns = monotonic_ns();
  const bool checks = !watched_.empty() && now_ns >= next_check_ns_;
  const auto first_due = [&]() {
    return std::find_if(waiting_.begin(), waiting_.end(), [&](const Waiting &each) { return each.due_ns <= now_ns; });
  };
  if (first_due() == waiting_.end() && !checks) {
    return;
  }
  memory_.begin(SnapshotMemory::Prefetch::nothing);
  codes_.begin(0);
  facts_ = &facts;
  for (std::size_t i = 0; i < k_at_once; ++i) {
    const auto due = first_due();
    if (due == waiting_.end()) {
      break;
    }
    Waiting next = *due;
    waiting_.erase(due);
    current_ = &next;
    read(next);
    if (std::exchange(next.due_ns, now_ns + k_until_again_ns) == 0) {
      waiting_.push_back(next);
    }
  }
  current_ = nullptr;
  if (checks) {
    next_check_ns_ = now_ns + k_between_checks_ns;
    const std::size_t most = std::min(k_checks, watched_.size());
    for (std::size_t i = 0; i < most && monotonic_ns() < now_ns + k_longest_check_ns; ++i) {
      check_again();
    }
  }
}

/// Has the one that was checked longest ago changed?
void CalleeReader::check_again() {
  Watched watched = std::move(watched_.front());
  watched_.pop_front();
  const std::string value = mark_of(watched.id, value_of(watched.scope, watched.path));
  if (value.empty() || value == watched.value) {
    watched_.push_back(std::move(watched));
    return;
  }
  std::string name;
  for (const std::string &part : watched.path) {
    name += (&part == &watched.path.front() ? "" : ".") + part;
  }
  facts_->push_back({watched.id, Kind::reads_changing, std::move(name)});
}

void CalleeReader::watch(const Waiting &waiting, std::vector<std::string> path) {
  std::string value = mark_of(waiting.id, value_of(waiting.scope, path));
  const bool known = std::any_of(watched_.begin(), watched_.end(), [&](const Watched &watched) {
    return watched.id == waiting.id && watched.path == path;
  });
  if (!value.empty() && !known && watched_.size() < k_most_watched) {
    watched_.push_back({waiting.id, waiting.scope, std::move(path), std::move(value)});
  }
}

/// What a chain of names stands for; 0 if that is not known.
Address CalleeReader::value_of(const Scope &scope, Path path) {
  const bool of_owner = path.front().empty();
  Address value = of_owner ? scope.owner : objects_.dict_value(scope.globals, path.front());
  for (const std::string &name : path.subspan(1)) {
    const Address type = value == 0 ? 0 : objects_.type_of(value);
    if (type == 0 || !objects_.type(type).valid) {
      return 0;
    }
    if (objects_.is_kind(type, "module")) {
      value = objects_.dict_value(memory_.pointer(value + objects_.layout().module_dict), name);
    } else {
      const bool is_class = (objects_.type(type).flags & k_type_subclass) != 0;
      value = is_class ? member_of(value, name) : objects_.attribute(value, name);
    }
  }
  return value;
}

/// Tells whether it is what it was: by its address, and where that may be another value's, by what lies there. Empty for what the
/// names of a program stand for all the time: functions, classes, modules.
std::string CalleeReader::mark_of(CodeId reader, Address value) {
  constexpr std::array<std::string_view, 6> k_constant{"module",       "function", "builtin_function_or_method",
                                                       "staticmethod", "property", "classmethod"};
  constexpr std::array<std::string_view, 5> k_simple{"int", "float", "str", "bytes", "complex"};
  const Address type = value == 0 ? 0 : objects_.type_of(value);
  if (type == 0 || !objects_.type(type).valid || (objects_.type(type).flags & k_type_subclass) != 0) {
    return {};
  }
  const std::string &name = objects_.type(type).name;
  if (std::find(k_constant.begin(), k_constant.end(), name) != k_constant.end()) {
    return {};
  }
  std::string mark(sizeof value, '\0');
  std::memcpy(mark.data(), &value, sizeof value);
  if (std::find(k_simple.begin(), k_simple.end(), name) != k_simple.end()) {
    std::array<char, 16> words{}; // of a str its length and its hash, which is there or not: equal ones may differ
    const bool read = memory_.copy(value + objects_.layout().sizeof_object, words.data(), words.size());
    mark.append(words.data(), read && name != "str" && name != "bytes" ? words.size() : 0);
  } else if (!is_of_library(codes_.info(reader).file)) { // libraries fill tables of their own as they go
    append_contents(value, type, mark);
  }
  return mark;
}

/// Of a dict, list or set: how many, and which.
void CalleeReader::append_contents(Address value, Address type, std::string &mark) {
  const auto put = [&](Address word) {
    std::array<char, sizeof word> bytes{};
    std::memcpy(bytes.data(), &word, sizeof word);
    mark.append(bytes.data(), bytes.size());
  };
  if (objects_.is_kind(type, "dict")) {
    put(objects_.dicts().used(value).value_or(0));
    const auto entries = objects_.dicts().entries(objects_.dicts().storage(value), k_most_contents);
    for (const DictEntry &entry : entries.value_or(std::vector<DictEntry>())) {
      put(entry.key);
      put(entry.value);
    }
  } else if (objects_.is_kind(type, "list")) {
    const std::uint64_t size = memory_.get<std::uint64_t>(value + objects_.layout().ob_size).value_or(0);
    put(size);
    const auto elements = size <= k_most_contents ? objects_.list_elements(value) : std::nullopt;
    for (const Address element : elements.value_or(std::vector<Address>())) {
      put(element);
    }
  } else if (objects_.is_kind(type, "set")) {
    put(memory_.get<std::uint64_t>(value + objects_.layout().set_used).value_or(0));
  }
}

void CalleeReader::read(const Waiting &waiting) {
  const Layout &layout = objects_.layout();
  const std::vector<std::uint8_t> bytes = marks_.instructions(waiting.code);
  if (layout.bytecode == nullptr || layout.co_names == k_absent || bytes.empty()) {
    return;
  }
  const CodeParts parts = read_code_parts(objects_, waiting.code);
  const FunctionFacts facts = facts_of(parts, *layout.bytecode, layout.bytecode->decode(bytes));
  if (std::find(parts.names.begin(), parts.names.end(), "super") != parts.names.end() && waiting.scope.owner != 0) {
    add_inherited(waiting.scope.owner, parts.names);
  }
  for (const FunctionFact &fact : facts.facts) {
    if (waiting.depth > 0) {
      add_fact(fact.kind, fact.name);
    }
    if (fact.kind != Kind::uses) {
      continue;
    }
    const std::vector<std::string> path = split(fact.name);
    const Path rest = Path(path).subspan(1);
    watch(waiting, path);
    if (!path.front().empty()) {
      resolve(objects_.dict_value(waiting.scope.globals, path.front()), path.front(), rest);
    } else if (waiting.scope.owner != 0 && !rest.empty()) {
      resolve_member(waiting.scope.owner, rest.front());
    }
  }
  const Address closure = waiting.scope.closure;
  for (const Address cell :
       closure == 0 ? std::vector<Address>() : objects_.tuple_elements(closure).value_or(std::vector<Address>())) {
    add_functions(memory_.pointer(cell + layout.cell_contents), 0); // what a decorator calls
  }
  // Include/cpython/code.h: co_consts stands in front of co_names.
  const Address constants = memory_.pointer(waiting.code + layout.co_names - 8);
  for (const Address constant : objects_.tuple_elements(constants).value_or(std::vector<Address>())) {
    if (objects_.type_of_object(constant).name == "code") {
      add_edge(Kind::contains, constant, waiting.scope);
    }
  }
}

/// `rest` are the attributes that are taken of the value; `prefix` is what the code calls it.
void CalleeReader::resolve(Address value, std::string_view prefix, Path rest) {
  const Address type = value == 0 ? 0 : objects_.type_of(value);
  if (type == 0 || !objects_.type(type).valid) {
    return;
  }
  const Layout &layout = objects_.layout();
  if (objects_.is_kind(type, "module")) {
    const Address names = memory_.pointer(value + layout.module_dict);
    add_use(text(objects_.dict_value(names, "__name__")), rest);
    if (!rest.empty()) {
      resolve(objects_.dict_value(names, rest.front()), rest.front(), rest.subspan(1));
    }
  } else if ((objects_.type(type).flags & k_type_subclass) != 0) {
    add_use(type_name(value), rest);
    for (const std::string_view made_by : {"__new__", "__init__", "__post_init__"}) {
      resolve_member(value, std::string(made_by));
    }
    if (!rest.empty()) {
      resolve_member(value, rest.front());
    }
  } else if (objects_.is_kind(type, "builtin_function_or_method")) {
    const Address self = memory_.pointer(value + layout.cfunction_self);
    const Address module = memory_.pointer(value + layout.cfunction_module);
    const std::string of = module != 0 ? text(module) : self != 0 ? type_name(objects_.type_of(self)) : std::string();
    add_use(of + "." + wrappers_.builtin_name(value), rest);
  } else if (!add_functions(value, 0)) {
    const std::string name = type_name(type);
    add_use(is_used_up(name) ? "iterator." + std::string(prefix) : name, rest);
    if (!rest.empty()) {
      resolve_member(type, rest.front());
    }
    for (const std::string_view method : {"__call__", "__enter__", "__exit__", "__getitem__"}) {
      if (rest.empty()) {
        resolve_member(type, std::string(method)); // NAME(), with NAME, NAME[]
      }
    }
  }
}

void CalleeReader::resolve_member(Address type, const std::string &name) {
  if (const Address member = member_of(type, name); member != 0) {
    add_functions(member, type);
  }
}

/// What super() may lead to.
void CalleeReader::add_inherited(Address type, const std::vector<std::string> &names) {
  for (const Address base : order_of(type)) {
    const Address members = base == type ? 0 : memory_.pointer(base + objects_.layout().tp_dict);
    for (const std::string &name : members == 0 ? std::vector<std::string>() : names) {
      if (const Address member = objects_.dict_value(members, name); member != 0) {
        add_functions(member, type);
      }
    }
  }
}

/// tp_mro, which stands behind tp_bases (Include/cpython/object.h).
std::vector<Address> CalleeReader::order_of(Address type) {
  return objects_.tuple_elements(memory_.pointer(type + objects_.layout().tp_bases + 8))
      .value_or(std::vector<Address>());
}

/// What a class or its bases have under a name (Objects/typeobject.c, find_name_in_mro()).
Address CalleeReader::member_of(Address type, std::string_view name) {
  for (const Address base : order_of(type)) {
    const Address names = memory_.pointer(base + objects_.layout().tp_dict);
    if (const Address member = names == 0 ? 0 : objects_.dict_value(names, name); member != 0) {
      return member;
    }
  }
  return 0;
}

/// Every Python function on the way from wrappers inwards; false if there is none.
bool CalleeReader::add_functions(Address value, Address owner) {
  const Layout &layout = objects_.layout();
  bool found = false;
  for (int i = 0; i < k_most_wrappers && value != 0; ++i) {
    const Address type = objects_.type_of(value);
    if (objects_.is_kind(type, "property")) { // fget, fset, fdel
      for (const Offset more : {Offset{8}, Offset{16}}) {
        add_function(memory_.pointer(value + layout.property_functions + more), owner);
      }
      value = memory_.pointer(value + layout.property_functions);
      continue;
    }
    if (objects_.is_kind(type, "function")) {
      add_function(value, owner);
      found = true;
    }
    const Address inner = wrappers_.next_inner(value);
    value = inner == value ? 0 : inner;
  }
  return found;
}

void CalleeReader::add_function(Address function, Address owner) {
  const Layout &layout = objects_.layout();
  if (function == 0 || !objects_.is_kind(objects_.type_of(function), "function")) {
    return;
  }
  const Address code = memory_.pointer(function + layout.func_code);
  const auto id = codes_.find(code);
  if (id && is_of_library(codes_.info(*id).file)) { // whatever name it was imported under
    add_use(text(memory_.pointer(function + layout.func_module)) + "." +
                text(memory_.pointer(function + layout.func_qualname)),
            {});
  }
  // Include/cpython/funcobject.h: func_globals follows func_code where that comes first (up to 3.9), and else comes first.
  const Offset globals = layout.func_code == layout.sizeof_object ? layout.func_code + 8 : layout.sizeof_object;
  add_edge(Kind::calls, code,
           {memory_.pointer(function + globals), owner, memory_.pointer(function + layout.func_closure)});
}

void CalleeReader::add_edge(Kind kind, Address code, Scope scope) {
  const auto id = code == 0 ? std::nullopt : codes_.find(code);
  if (!id) {
    return;
  }
  const CodeInfo &info = codes_.info(*id);
  add_fact(kind, code_label(info));
  if (!is_standard(info.file) && current_->depth < k_deepest && met_.size() < k_most_met && met_.insert(code).second) {
    waiting_.push_back({code, *id, scope, current_->depth + 1, 0});
  }
}

void CalleeReader::add_fact(Kind kind, std::string name) {
  if (reported_.size() < k_most_reported && reported_.emplace(current_->id, kind, name).second) {
    facts_->push_back({current_->id, kind, std::move(name)});
  }
}

void CalleeReader::add_use(const std::string &name, Path rest) {
  if (name.empty()) {
    return;
  }
  std::string whole = name;
  for (const std::string &attribute : rest) {
    whole += "." + attribute;
  }
  add_fact(Kind::uses, std::move(whole));
}

/// With its module: tp_name has that of a class that C code defines, and else the class's dict.
std::string CalleeReader::type_name(Address type) {
  std::string name = objects_.type(type).name;
  if (name.find('.') != std::string::npos) {
    return name;
  }
  const Address names = memory_.pointer(type + objects_.layout().tp_dict);
  const std::string module = names == 0 ? std::string() : text(objects_.dict_value(names, "__module__"));
  return module.empty() ? name : module + "." + name;
}

std::string CalleeReader::text(Address str) {
  return str != 0 && objects_.is_kind(objects_.type_of(str), "str") ? objects_.text(str).value_or("") : std::string();
}

} // namespace awaitscope
