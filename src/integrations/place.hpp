#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

#include "awaitscope/model/code_table.hpp"

namespace awaitscope {

/// A function of a library.
struct Place {
  std::string_view file; ///< the end of it
  std::string_view function;
};

/// Before 3.11 a code object has the last part of the name only.
inline bool is_at(const CodeInfo &code, const Place &place) {
  const std::string_view file = code.file;
  if (file.size() < place.file.size() || file.substr(file.size() - place.file.size()) != place.file ||
      (file.size() > place.file.size() && file[file.size() - place.file.size() - 1] != '/')) {
    return false;
  }
  const std::size_t dot = place.function.rfind('.');
  return code.function == place.function ||
         (dot != std::string_view::npos && code.function == place.function.substr(dot + 1));
}

template <std::size_t N> bool is_one_of(const CodeInfo &code, const std::array<Place, N> &places) {
  return std::any_of(places.begin(), places.end(), [&](const Place &place) { return is_at(code, place); });
}

} // namespace awaitscope
