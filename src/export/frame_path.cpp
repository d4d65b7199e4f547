#include "frame_path.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "awaitscope/export/names.hpp"
#include "awaitscope/report/file_origin.hpp"
#include "awaitscope/support/library_paths.hpp"
#include "awaitscope/support/text.hpp"
#include "awaitscope/support/text_width.hpp"

namespace awaitscope {
namespace {

/// "asyncio/tasks.py" -> "asyncio.tasks"; "<frozen importlib._bootstrap>" -> "importlib._bootstrap".
std::string module_of(std::string_view file) {
  constexpr std::string_view k_frozen = "<frozen ";
  if (file.starts_with(k_frozen)) {
    return std::string(file.substr(k_frozen.size(), file.size() - k_frozen.size() - 1));
  }
  file.remove_prefix(behind_library(file));
  for (const std::string_view ending : {"/__init__.py", ".py"}) {
    file.remove_suffix(file.ends_with(ending) ? ending.size() : 0);
  }
  std::string module(file);
  std::replace(module.begin(), module.end(), '/', '.');
  return module;
}

bool is_library(const Frame &frame, const CodeTable &codes) {
  return is_named(frame.kind) && file_origin(codes.at(frame.code).file).kind != FileOrigin::Kind::project;
}

/// "… 14 django frames", "… 21 uvicorn, django frames".
std::string stretch_of(const Frame *begin, const Frame *end, const CodeTable &codes) {
  constexpr std::size_t k_most_named = 3;
  std::vector<std::string> packages;
  for (const Frame *frame = begin; frame != end; ++frame) {
    const std::string module = module_of(codes.at(frame->code).file);
    std::string package = module.empty() ? "?" : one_line(module.substr(0, module.find('.')));
    if (std::find(packages.begin(), packages.end(), package) == packages.end()) {
      packages.push_back(std::move(package));
    }
  }
  std::string names;
  for (std::size_t i = 0; i < std::min(k_most_named, packages.size()); ++i) {
    names += (i == 0 ? "" : ", ") + packages[i];
  }
  return fmt::format("… {} {}{} frames", end - begin, names, packages.size() > k_most_named ? ", …" : "");
}

constexpr std::string_view k_gap = "…";
constexpr std::string_view k_arrow = " → ";

std::string joined(const std::vector<std::string> &parts) { return fmt::format("{}", fmt::join(parts, k_arrow)); }

void append(std::vector<std::string> &parts, std::string_view part) {
  if (part != k_gap || parts.empty() || parts.back() != k_gap) {
    parts.emplace_back(part);
  }
}

std::vector<std::string> without_libraries(const std::vector<PathPart> &parts) {
  std::vector<std::string> left;
  for (const PathPart &part : parts) {
    append(left, part.library ? k_gap : std::string_view(part.text));
  }
  return left;
}

/// The first part and as many of the last ones as there is room for; the last one in any case.
std::vector<std::string> first_and_last(const std::vector<std::string> &parts, std::size_t columns) {
  const std::size_t around = text_width(parts.front()) + 2 * text_width(k_arrow) + text_width(k_gap);
  std::size_t from = parts.size() - 1;
  std::size_t width = around + text_width(parts[from]);
  while (from > 1 && width + text_width(k_arrow) + text_width(parts[from - 1]) <= columns) {
    width += text_width(k_arrow) + text_width(parts[--from]);
  }
  std::vector<std::string> left{parts.front()};
  append(left, k_gap);
  std::for_each(parts.begin() + static_cast<std::ptrdiff_t>(from), parts.end(),
                [&](const std::string &part) { append(left, part); });
  return left;
}

} // namespace

std::string library_function(const CodeInfo &code) {
  if (file_origin(code.file).kind == FileOrigin::Kind::project) {
    return {};
  }
  const std::string module = module_of(code.file);
  return one_line(module.empty() ? code.function : fmt::format("{}.{}", module, code.function));
}

std::vector<PathPart> path_parts(const std::vector<Frame> &frames, CodeId coroutine, const CodeTable &codes) {
  std::vector<PathPart> parts;
  std::string_view file;
  for (std::size_t i = 0; i < frames.size(); ++i) {
    std::size_t end = i;
    while (end < frames.size() && is_library(frames[end], codes)) {
      ++end;
    }
    if (end - i >= 2) {
      parts.push_back({stretch_of(&frames[i], &frames[i] + (end - i), codes), true});
      file = {};
      i = end - 1;
      continue;
    }
    if (!is_named(frames[i].kind)) {
      parts.push_back({std::string(mark_text(frames[i].kind)), false});
      continue;
    }
    const CodeInfo &code = codes.at(frames[i].code);
    const std::string line = frames[i].line > 0 ? std::to_string(frames[i].line) : "?";
    const std::string base = code.file.substr(code.file.rfind('/') + 1); // all of it if there is no slash
    const std::string place = fmt::format("{}:{}", one_line(base), line);
    std::string text = i == 0 && frames[i].code == coroutine ? place
                       : code.file == file                   ? fmt::format("{}:{}", one_line(code.function), line)
                                                             : fmt::format("{} ({})", one_line(code.function), place);
    parts.push_back({std::move(text), false});
    file = code.file;
  }
  return parts;
}

std::string fitted_path(const std::vector<PathPart> &parts, std::size_t columns) {
  constexpr std::size_t k_least = 8;
  if (parts.empty() || columns < k_least) {
    return {};
  }
  std::vector<std::string> left;
  left.reserve(parts.size());
  for (const PathPart &part : parts) {
    left.push_back(part.text);
  }
  const auto fits = [&] { return text_width(joined(left)) <= columns; };
  if (fits()) {
    return joined(left);
  }
  left = without_libraries(parts);
  if (left.size() > 2 && !fits()) {
    left = first_and_last(left, columns);
  }
  if (left.size() > 1 && !fits()) {
    left = {std::string(k_gap), left.back()};
  }
  return cut_end(joined(left), columns);
}

} // namespace awaitscope
