#include "awaitscope/asyncio/groups.hpp"

#include <algorithm>

namespace awaitscope {
namespace {

constexpr unsigned k_max_managers = 4; // one within the other
constexpr std::size_t k_max_callbacks = 64;

bool ends_with(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

bool is_exit_name(std::string_view name) { return ends_with(name, "__aexit__") || ends_with(name, "__exit__"); }

} // namespace

bool GroupReader::is_exit(Address function) {
  if (objects_.type_of_object(function).name != "function") {
    return false;
  }
  const auto code = codes_.find(objects_.memory().pointer(function + objects_.layout().func_code));
  return code && is_exit_name(codes_.info(*code).function);
}

/// Does an exit that was entered, this function of this object, belong to the group?
bool GroupReader::leads_to(Address function, Address manager, Address group, unsigned depth,
                           std::vector<Frame> &inner) {
  if (manager == 0 || !is_exit(function)) {
    return false;
  }
  if (manager == group) {
    return true;
  }
  if (depth >= k_max_managers) {
    return false;
  }
  const std::string &type = objects_.type_of_object(manager).name;
  // Lib/contextlib.py: _AsyncGeneratorContextManager and _GeneratorContextManager drive `gen`.
  if (type == "_AsyncGeneratorContextManager" || type == "_GeneratorContextManager") {
    const Address frame = coroutines_.frame_of(objects_.attribute(manager, "gen"));
    const std::optional<RawFrame> raw = frame == 0 ? std::nullopt : stacks_.raw_frame(frame);
    const std::optional<Frame> decoded = raw ? stacks_.decode(*raw) : std::nullopt;
    if (decoded) {
      inner.push_back(*decoded);
      if (holds_exit(frame, group, depth + 1, inner)) {
        return true;
      }
      inner.pop_back();
    }
    return false;
  }
  return type == "AsyncExitStack" && in_exit_stack(manager, group, depth, inner);
}

/// Lib/contextlib.py, _BaseExitStack: _exit_callbacks, a deque of (is_sync, method of the context manager).
bool GroupReader::in_exit_stack(Address stack, Address group, unsigned depth, std::vector<Frame> &inner) {
  const Layout &layout = objects_.layout();
  const auto pairs = objects_.deque_elements(objects_.attribute(stack, "_exit_callbacks"));
  for (std::size_t i = 0; pairs && i < std::min(pairs->size(), k_max_callbacks); ++i) {
    const auto pair = objects_.tuple_elements((*pairs)[i]);
    const Address method = pair && pair->size() == 2 ? (*pair)[1] : 0;
    if (method != 0 && objects_.type_of_object(method).name == "method" &&
        leads_to(objects_.memory().pointer(method + layout.method_function),
                 objects_.memory().pointer(method + layout.method_self), group, depth + 1, inner)) {
      return true;
    }
  }
  return false;
}

/// Is the exit on the value stack? Up to 3.13 a bound method (Python/ceval.c, BEFORE_ASYNC_WITH, and SETUP_ASYNC_WITH before it);
/// since 3.14 the function and, above it, its object (Python/bytecodes.c, LOAD_SPECIAL).
bool GroupReader::holds_exit(Address frame, Address group, unsigned depth, std::vector<Frame> &inner) {
  const Layout &layout = objects_.layout();
  SnapshotMemory &memory = objects_.memory();
  const std::optional<RawFrame> raw = frame == 0 ? std::nullopt : stacks_.raw_frame(frame);
  Address below = 0;
  for (const Address object : raw ? stacks_.value_stack(*raw) : std::vector<Address>{}) {
    const bool bound = object != 0 && objects_.type_of_object(object).name == "method";
    const Address function = bound ? memory.pointer(object + layout.method_function) : below;
    const Address manager = bound ? memory.pointer(object + layout.method_self) : object;
    if (function != 0 && leads_to(function, manager, group, depth, inner)) {
      return true;
    }
    below = object;
  }
  return false;
}

void GroupReader::Entered::append(std::span<const Frame> frames, std::vector<Frame> &above) const {
  const auto kept = frames.first(std::min(frames.size(), depth));
  above.insert(above.end(), kept.begin(), kept.end());
  above.insert(above.end(), inner.begin(), inner.end());
  if (!found) {
    above.push_back(k_unreadable_frame);
  }
}

GroupReader::Entered GroupReader::find(Address group, std::span<const Frame> frames, std::span<const Address> places) {
  Entered entered;
  for (std::size_t i = 0; i < std::min(frames.size(), places.size()); ++i) {
    entered.found = i > 0 && places[i] != 0 && frames[i].kind == FrameKind::python &&
                    is_exit_name(codes_.info(frames[i].code).function) && stacks_.local(places[i], 0) == group;
    if (entered.found) {
      entered.leaving = true;
      entered.depth = i;
      return entered;
    }
    entered.found = holds_exit(places[i], group, 0, entered.inner);
    if (entered.found) {
      entered.depth = i + 1;
      return entered;
    }
  }
  return entered;
}

} // namespace awaitscope
