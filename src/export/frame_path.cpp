#include "frame_path.hpp"

#include <algorithm>

#include <fmt/format.h>

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
  return frame.kind != FrameKind::unreadable &&
         file_origin(codes.at(frame.code).file).kind != FileOrigin::Kind::project;
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

} // namespace

std::string library_function(const CodeInfo &code) {
  if (file_origin(code.file).kind == FileOrigin::Kind::project) {
    return {};
  }
  const std::string module = module_of(code.file);
  return one_line(module.empty() ? code.function : fmt::format("{}.{}", module, code.function));
}

std::vector<std::string> path_parts(const std::vector<Frame> &frames, CodeId coroutine, const CodeTable &codes) {
  std::vector<std::string> parts;
  std::string_view file;
  for (std::size_t i = 0; i < frames.size(); ++i) {
    std::size_t end = i;
    while (end < frames.size() && is_library(frames[end], codes)) {
      ++end;
    }
    if (end - i >= 2) {
      parts.push_back(stretch_of(&frames[i], &frames[i] + (end - i), codes));
      file = {};
      i = end - 1;
      continue;
    }
    if (frames[i].kind == FrameKind::unreadable) {
      parts.emplace_back("[unreadable]");
      continue;
    }
    const CodeInfo &code = codes.at(frames[i].code);
    const std::string line = frames[i].line > 0 ? std::to_string(frames[i].line) : "?";
    const std::string base = code.file.substr(code.file.rfind('/') + 1); // all of it if there is no slash
    const std::string place = fmt::format("{}:{}", one_line(base), line);
    parts.push_back(i == 0 && frames[i].code == coroutine ? place
                    : code.file == file                   ? fmt::format("{}:{}", one_line(code.function), line)
                                                          : fmt::format("{} ({})", one_line(code.function), place));
    file = code.file;
  }
  return parts;
}

std::string fitted_path(const std::vector<std::string> &parts, std::size_t columns) {
  constexpr std::size_t k_least = 8;
  constexpr std::string_view k_arrow = " → ";
  if (parts.empty() || columns < k_least) {
    return {};
  }
  // The first one and as many of the last ones as fit.
  std::string tail;
  std::size_t from = parts.size();
  const std::size_t first = text_width(parts.front()) + k_least;
  while (from > 0) {
    const std::string longer = tail.empty() ? parts[from - 1] : parts[from - 1] + std::string(k_arrow) + tail;
    if (text_width(longer) + (from == 1 ? 0 : first) > columns && !tail.empty()) {
      break;
    }
    tail = longer;
    --from;
  }
  if (from == 0) {
    return cut_end(tail, columns);
  }
  const bool begins_with_gap =
      tail.starts_with("…"); // a stretch of libraries says by itself that something is left out
  const std::string whole = parts.front() + (from > 1 && !begins_with_gap ? " → … → " : " → ") + tail;
  return text_width(whole) <= columns ? whole : cut_end((begins_with_gap ? "" : "… → ") + tail, columns);
}

} // namespace awaitscope
