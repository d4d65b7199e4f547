#pragma once

#include <cstdint>
#include <string>

#include "awaitscope/support/error.hpp"
#include "awaitscope/support/unique_fd.hpp"

namespace awaitscope::tools {

/// A file that is open for writing. If it was created, `folder` and `name` are where; else they are empty.
struct OutputFile {
  UniqueFd file;
  UniqueFd folder;
  std::string name;
};

enum class Privacy : std::uint8_t {
  usual,      ///< the umask decides who may read a new file
  owner_only, ///< mode 0600
};

/// Opens a file to write to, and creates it if there is none; what it holds stays. Refused is what others may have laid there: for
/// root a symbolic link of another user, anywhere in the path; for everybody, in a folder that all may write to (/tmp), a file or
/// FIFO of another user, or a second name (hard link) of a file. The kernel does so too only where fs.protected_symlinks,
/// protected_regular, protected_fifos and protected_hardlinks are set (proc(5)).
Result<OutputFile> open_output_file(const std::string &path, Privacy privacy);

/// A new file of that name in the working directory, with mode 0600. Nothing that is there already is used.
Result<OutputFile> create_output_file(const std::string &name);

/// "cannot write to NAME: No space left on device"
tl::unexpected<Error> cannot_write(const std::string &name, int error);

} // namespace awaitscope::tools
