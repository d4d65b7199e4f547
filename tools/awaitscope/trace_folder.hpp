#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "awaitscope/support/error.hpp"
#include "awaitscope/support/unique_fd.hpp"

namespace awaitscope::tools {

/// The folder through which the recorder and its agents meet: the agent's script, a FIFO that says that the recorder lives, and
/// the files that agents write. Mode 0700; it belongs to the user of the traced process, and so does what is read of it: nothing
/// in there is trusted. It is removed with its contents.
class TraceFolder {
public:
  /// In a folder for temporary files below `root` ("/", or "/proc/PID/root" for a process that may see other files than this
  /// one), for this user and group.
  static Result<TraceFolder> create(const std::string &root, uid_t user, gid_t group);

  TraceFolder(TraceFolder &&) = default;
  TraceFolder &operator=(TraceFolder &&) = delete;
  TraceFolder(const TraceFolder &) = delete;
  TraceFolder &operator=(const TraceFolder &) = delete;
  ~TraceFolder();

  /// As the traced process sees it.
  [[nodiscard]] const std::string &path() const { return path_; }

  /// A new file. Before hand_over().
  Result<void> write(const std::string &name, std::string_view contents);
  Result<void> make_subfolder(const std::string &name);

  /// Opens this end of the FIFO, and gives everything to the user. Agents take themselves out once it is closed.
  Result<void> hand_over();

  /// Closes this end of the FIFO: the agents end.
  void dismiss();

  [[nodiscard]] bool has(const std::string &name) const;
  [[nodiscard]] std::vector<std::string> names() const;

  /// A regular file of that user with one name, for reading and for freeing what was read; invalid if there is none.
  [[nodiscard]] UniqueFd open(const std::string &name) const;

private:
  TraceFolder() = default;

  UniqueFd parent_;
  UniqueFd folder_;
  UniqueFd alive_;
  std::string name_; ///< in the parent
  std::string path_;
  uid_t user_ = 0;
  gid_t group_ = 0;
  std::vector<std::string> made_; ///< what is to be given to the user
};

} // namespace awaitscope::tools
