#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "awaitscope/model/code_table.hpp"
#include "awaitscope/model/stack.hpp"

namespace awaitscope {

/// Where the file of a function belongs, by its full path: to a package below site-packages or dist-packages, to the standard
/// library (the interpreter's lib/pythonX.Y, what is frozen into it, what has no file), or else to the project.
struct FileOrigin {
  enum class Kind : std::uint8_t { project, library, standard };
  Kind kind = Kind::project;
  std::string_view package; ///< of a library: what is imported, "django"; part of the path that was given
};
FileOrigin file_origin(std::string_view file);

/// As JSON calls it.
std::string_view name_of(FileOrigin::Kind kind);

/// Of code objects, found once for each.
class CodeOrigins {
public:
  explicit CodeOrigins(const CodeTable &codes) : codes_(codes) {}

  /// Valid while the code table is.
  const FileOrigin &of(CodeId code);
  bool is_project(CodeId code) { return of(code).kind == FileOrigin::Kind::project; }

  /// The place of the outermost frame that is the project's Python code; the number of frames if there is none.
  std::size_t outermost_of_project(const std::vector<Frame> &frames);
  std::size_t innermost_of_project(const std::vector<Frame> &frames); ///< likewise

private:
  const CodeTable &codes_;
  std::vector<std::optional<FileOrigin>> known_;
};

} // namespace awaitscope
