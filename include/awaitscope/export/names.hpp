#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "awaitscope/model/code_table.hpp"
#include "awaitscope/model/stack.hpp"

namespace awaitscope {

/// The part of a file's path that a person would import: below the longest folder that holds it, of the import paths (sys.path)
/// and site-packages, dist-packages and lib/pythonX.Y; else the whole path.
std::string_view importable_path(std::string_view file, const std::vector<std::string> &import_paths);

/// "[unreadable]" or "[native unreadable]": a frame without a name.
std::string_view mark_text(FrameKind kind);

enum class FileNames : std::uint8_t { importable, full };
enum class Lines : std::uint8_t { definition, executing };

struct NameOptions {
  FileNames files = FileNames::importable;
  Lines lines = Lines::definition;
};

/// "QUALNAME (FILE:LINE)" of frames, cached; and the parts of it for tables, in which it is the line of the definition.
class FrameNames {
public:
  FrameNames(const CodeTable &codes, const std::vector<std::string> &import_paths, FileNames files, Lines lines)
      : codes_(codes), import_paths_(import_paths), files_(files), lines_(lines) {}

  std::string name(const Frame &frame);

  /// Printable as they are.
  [[nodiscard]] std::string function(CodeId id) const;
  [[nodiscard]] std::string place(CodeId id) const; ///< "FILE:LINE"

private:
  [[nodiscard]] std::string_view file(CodeId id) const;
  const std::string &code_name(CodeId id);

  const CodeTable &codes_;
  const std::vector<std::string> &import_paths_;
  FileNames files_;
  Lines lines_;
  std::unordered_map<CodeId, std::string> cache_;
};

} // namespace awaitscope
