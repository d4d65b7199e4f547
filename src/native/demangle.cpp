#include "demangle.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>
#include <utility>

// Of libstdc++ (libiberty/cp-demangle.c, IN_GLIBCPP_V3): as abi::__cxa_demangle(), but it hands out the name in pieces.
// NOLINTNEXTLINE(bugprone-reserved-identifier,readability-identifier-naming)
extern "C" int __gcclibcxx_demangle_callback(const char *mangled, void (*take)(const char *, std::size_t, void *),
                                             void *argument);

namespace awaitscope {
namespace {

constexpr std::size_t k_longest_name = 4096;
constexpr std::size_t k_longest_mangled = 2048;

/// Ends demangling. A mangled name of some hundred bytes may stand for one of any length, since it may repeat its parts, and those
/// theirs: a hostile one takes all memory, and all time. There is no other way to stop halfway.
struct TooLong {};

void take_piece(const char *text, std::size_t size, void *argument) {
  auto &name = *static_cast<std::string *>(argument);
  if (name.size() + size > k_longest_name) {
    throw TooLong{};
  }
  name.append(text, size);
}

bool is_hash(std::string_view text) {
  return text.size() == 17 && text.front() == 'h' &&
         text.find_first_not_of("0123456789abcdef", 1) == std::string_view::npos;
}

/// What rustc writes for characters that a symbol may not have (compiler/rustc_symbol_mangling/src/legacy.rs, sanitize()).
constexpr std::array<std::pair<std::string_view, std::string_view>, 11> k_rust_characters{{{"..", "::"},
                                                                                           {"$SP$", "@"},
                                                                                           {"$BP$", "*"},
                                                                                           {"$RF$", "&"},
                                                                                           {"$LT$", "<"},
                                                                                           {"$GT$", ">"},
                                                                                           {"$LP$", "("},
                                                                                           {"$RP$", ")"},
                                                                                           {"$C$", ","},
                                                                                           {"$u20$", " "},
                                                                                           {"$u7b$", "{"}}};

std::string rust_name(std::string name) {
  for (const auto &[from, to] : k_rust_characters) {
    for (std::size_t at = name.find(from); at != std::string::npos; at = name.find(from, at + to.size())) {
      name.replace(at, from.size(), to);
    }
  }
  return name;
}

/// "shape::Circle::area" of "shape::Circle::area(double, int) const". What ends otherwise is no function, and stays as it is.
std::string without_parameters(std::string name) {
  const std::size_t end = name.rfind(')');
  if (end == std::string::npos || name.find_first_of(">:}", end) != std::string::npos) {
    return name;
  }
  std::size_t depth = 0;
  for (std::size_t at = end; at > 0; --at) {
    if (name[at] == ')') {
      ++depth;
    } else if (name[at] == '(' && --depth == 0) {
      name.resize(at);
      break;
    }
  }
  return name;
}

} // namespace

std::string demangled(std::string_view full) {
  // What linkers add: @@VERSION. What compilers add to parts and copies of a function: .cold, .part.0, .constprop.0.
  full = full.substr(0, full.find('@', 1));
  if (!full.starts_with("_Z") || full.size() > k_longest_mangled) {
    return std::string(full.substr(0, full.find('.', 1)));
  }
  std::string symbol(full);
  std::string name;
  try {
    if (__gcclibcxx_demangle_callback(symbol.c_str(), take_piece, &name) != 0) {
      return symbol;
    }
  } catch (const TooLong &) {
    return symbol;
  }
  name.resize(std::min(name.find(" [clone "), name.size()));
  const std::size_t last = name.rfind("::");
  if (last != std::string::npos && is_hash(std::string_view(name).substr(last + 2))) {
    return rust_name(name.substr(0, last));
  }
  return without_parameters(std::move(name));
}

} // namespace awaitscope
