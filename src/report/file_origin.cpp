#include "awaitscope/report/file_origin.hpp"

#include <algorithm>

#include "awaitscope/support/library_paths.hpp"

namespace awaitscope {

namespace {

/// As native frames name their library: a file's name without its folder, or what is in brackets. Of the interpreter's own executable,
/// "python3.13".
bool is_machine_code(std::string_view file) {
  const bool plain = file.find('/') == std::string_view::npos;
  return plain && (file.ends_with(".so") || file.find(".so.") != std::string_view::npos || file.starts_with('[') ||
                   (file.starts_with("python") && !file.ends_with(".py")));
}

} // namespace

FileOrigin file_origin(std::string_view file) {
  if (file.empty() || file.starts_with("<frozen ")) { // without a file: of C
    return {FileOrigin::Kind::standard, {}};
  }
  if (is_machine_code(file)) {
    return {FileOrigin::Kind::library, file};
  }
  const std::size_t behind = behind_library(file);
  if (behind == 0) {
    return {FileOrigin::Kind::project, {}};
  }
  if (!file.substr(0, behind).ends_with("-packages/")) {
    return {FileOrigin::Kind::standard, {}};
  }
  const std::string_view path = file.substr(behind);
  const std::string_view first = path.substr(0, path.find('/'));
  return {FileOrigin::Kind::library, first.ends_with(".py") ? first.substr(0, first.size() - 3) : first};
}

std::string_view name_of(FileOrigin::Kind kind) {
  switch (kind) {
  case FileOrigin::Kind::project:
    return "project";
  case FileOrigin::Kind::library:
    return "package";
  case FileOrigin::Kind::standard:
    break;
  }
  return "standard library";
}

const FileOrigin &CodeOrigins::of(CodeId code) {
  if (code >= known_.size()) {
    known_.resize(std::max<std::size_t>(codes_.size(), code + std::size_t{1}));
  }
  std::optional<FileOrigin> &origin = known_[code];
  if (!origin) {
    origin = file_origin(codes_.at(code).file);
  }
  return *origin;
}

std::size_t CodeOrigins::outermost_of_project(const std::vector<Frame> &frames) {
  const auto found = std::find_if(frames.begin(), frames.end(), [&](const Frame &frame) {
    return frame.kind == FrameKind::python && is_project(frame.code);
  });
  return static_cast<std::size_t>(found - frames.begin());
}

std::size_t CodeOrigins::innermost_of_project(const std::vector<Frame> &frames) {
  std::size_t i = frames.size();
  while (i > 0 && !(frames[i - 1].kind == FrameKind::python && is_project(frames[i - 1].code))) {
    --i;
  }
  return i == 0 ? frames.size() : i - 1;
}

} // namespace awaitscope
