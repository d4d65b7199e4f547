#include "awaitscope/export/names.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "awaitscope/support/library_paths.hpp"
#include "awaitscope/support/text.hpp"

namespace awaitscope {
namespace {

/// Behind the folder, or 0 if the file is not below it.
std::size_t behind_folder(std::string_view file, std::string_view folder) {
  const std::size_t length = folder.size() + (folder.ends_with('/') ? 0 : 1);
  const bool below = folder.size() > 1 && length < file.size() && file.starts_with(folder) && file[length - 1] == '/';
  return below ? length : 0;
}

} // namespace

std::string_view importable_path(std::string_view file, const std::vector<std::string> &import_paths) {
  // A virtual environment may lie below the project's folder, which is an import path too.
  std::size_t longest = behind_library(file);
  for (const std::string &path : import_paths) {
    longest = std::max(longest, behind_folder(file, path));
  }
  return file.substr(longest);
}

std::string_view mark_text(FrameKind kind) {
  return kind == FrameKind::native_unreadable ? "[native unreadable]" : "[unreadable]";
}

std::string_view FrameNames::file(CodeId id) const {
  const CodeInfo &code = codes_.at(id);
  const std::string_view file =
      files_ == FileNames::full ? std::string_view(code.file) : importable_path(code.file, import_paths_);
  return file.empty() ? "?" : file;
}

const std::string &FrameNames::code_name(CodeId id) {
  const auto known = cache_.find(id);
  if (known != cache_.end()) {
    return known->second;
  }
  return cache_.emplace(id, fmt::format("{} ({}", codes_.at(id).function, file(id))).first->second;
}

std::string FrameNames::function(CodeId id) const { return one_line(codes_.at(id).function); }

std::string FrameNames::place(CodeId id) const {
  const std::int32_t line = codes_.at(id).first_line;
  return line == 0 ? one_line(file(id)) : fmt::format("{}:{}", one_line(file(id)), line); // of machine code, none
}

std::string FrameNames::name(const Frame &frame) {
  switch (frame.kind) {
  case FrameKind::unreadable:
  case FrameKind::native_unreadable:
    return std::string(mark_text(frame.kind));
  case FrameKind::native:
  case FrameKind::label:
    return code_name(frame.code) + ")";
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
