#include "awaitscope/export/names.hpp"

#include <array>

#include <fmt/format.h>

namespace awaitscope {
namespace {

/// Behind "/lib/python3.12/", or npos.
std::size_t behind_standard_library(std::string_view file) {
  constexpr std::string_view k_marker = "/lib/python";
  const std::size_t at = file.find(k_marker);
  const std::size_t slash = at == std::string_view::npos ? at : file.find('/', at + k_marker.size());
  return slash == std::string_view::npos ? slash : slash + 1;
}

} // namespace

std::string_view importable_path(std::string_view file, const std::vector<std::string> &import_paths) {
  std::size_t longest = 0;
  for (const std::string &path : import_paths) {
    const bool ends_in_slash = !path.empty() && path.back() == '/';
    const std::size_t length = path.size() + (ends_in_slash ? 0 : 1);
    if (path.size() > 1 && length > longest && length < file.size() && file.substr(0, path.size()) == path &&
        file[length - 1] == '/') {
      longest = length;
    }
  }
  if (longest > 0) {
    return file.substr(longest);
  }
  for (const std::string_view marker : std::array<std::string_view, 2>{"/site-packages/", "/dist-packages/"}) {
    const std::size_t at = file.rfind(marker);
    if (at != std::string_view::npos) {
      return file.substr(at + marker.size());
    }
  }
  const std::size_t standard = behind_standard_library(file);
  return standard == std::string_view::npos ? file : file.substr(standard);
}

const std::string &FrameNames::code_name(CodeId id) {
  const auto known = cache_.find(id);
  if (known != cache_.end()) {
    return known->second;
  }
  const CodeInfo &code = codes_.at(id);
  const std::string_view file =
      files_ == FileNames::full ? std::string_view(code.file) : importable_path(code.file, import_paths_);
  return cache_.emplace(id, fmt::format("{} ({}", code.function, file.empty() ? "?" : file)).first->second;
}

std::string FrameNames::name(const Frame &frame) {
  switch (frame.kind) {
  case FrameKind::unreadable:
    return "[unreadable]";
  case FrameKind::task_border:
    return fmt::format("[task {}]", codes_.at(frame.code).function);
  case FrameKind::python:
  case FrameKind::loop:
    break;
  }
  const std::int32_t line = lines_ == Lines::executing ? frame.line : codes_.at(frame.code).first_line;
  return fmt::format("{}:{})", code_name(frame.code), line);
}

} // namespace awaitscope
