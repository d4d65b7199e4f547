#include "awaitscope/export/names.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace awaitscope {
namespace {

/// Behind the last "site-packages/" or "dist-packages/", else behind "lib/python3.12/"; 0 if the file is below neither.
std::size_t behind_library(std::string_view file) {
  for (const std::string_view folder : {"/site-packages/", "/dist-packages/"}) {
    if (const std::size_t at = file.rfind(folder); at != std::string_view::npos) {
      return at + folder.size();
    }
  }
  for (const std::string_view folder : {"/lib/python", "/lib64/python"}) {
    const std::size_t at = file.find(folder);
    const std::size_t number = at == std::string_view::npos ? at : at + folder.size();
    const std::size_t slash = number == std::string_view::npos ? number : file.find('/', number);
    if (slash != std::string_view::npos && slash > number &&
        file.substr(number, slash - number).find_first_not_of("0123456789.") == std::string_view::npos) {
      return slash + 1;
    }
  }
  return 0;
}

/// Behind the folder, or 0 if the file is not below it.
std::size_t behind_folder(std::string_view file, std::string_view folder) {
  const std::size_t length = folder.size() + (folder.ends_with('/') ? 0 : 1);
  const bool below = folder.size() > 1 && length < file.size() && file.starts_with(folder) && file[length - 1] == '/';
  return below ? length : 0;
}

} // namespace

FileOrigin file_origin(std::string_view file) {
  if (file.starts_with("<frozen ")) {
    return {FileOrigin::Kind::standard, {}};
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

std::string_view importable_path(std::string_view file, const std::vector<std::string> &import_paths) {
  // A virtual environment may lie below the project's folder, which is an import path too.
  std::size_t longest = behind_library(file);
  for (const std::string &path : import_paths) {
    longest = std::max(longest, behind_folder(file, path));
  }
  return file.substr(longest);
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
