#include "output.hpp"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include "awaitscope/support/text.hpp"

namespace awaitscope::tools {
namespace {

tl::unexpected<Error> cannot_write(const std::string &name, int error) {
  std::string hint = "give a path that can be written, with space left (-o FILE), or -o - for stdout";
  if (error == EPIPE) {
    hint = "the reader of the pipe ended first; write to a file with -o FILE";
  }
  return fail(ExitStatus::failed,
              fmt::format("cannot write to {}: {}", one_line(valid_utf8(name)), std::strerror(error)), hint);
}

} // namespace

Result<Output> Output::open(const std::string &path) {
  Output output;
  if (path.empty() || path == "-") {
    output.name_ = "stdout";
    return output;
  }
  output.name_ = path;
  output.file_ = UniqueFd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (output.file_.valid()) {
    output.remove_unless_written_ = path;
  } else {
    output.file_ = UniqueFd(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666));
  }
  if (!output.file_.valid()) {
    return cannot_write(path, errno);
  }
  return output;
}

Output::~Output() {
  if (file_.valid() && !remove_unless_written_.empty()) {
    ::unlink(remove_unless_written_.c_str());
  }
}

Result<void> Output::write(std::string_view data) {
  begun_ = false;
  return append(data);
}

Result<void> Output::append(std::string_view data) {
  const int fd = file_.valid() ? file_.get() : STDOUT_FILENO;
  struct stat status {};
  const bool regular = file_.valid() && ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
  if (regular && !begun_ && ::ftruncate(fd, 0) != 0) {
    return cannot_write(name_, errno);
  }
  begun_ = true;
  const auto whole = static_cast<off_t>(data.size());
  while (!data.empty()) {
    const ssize_t written = ::write(fd, data.data(), data.size());
    if (written < 0 && errno != EINTR) {
      const int error = errno;
      if (regular && ::ftruncate(fd, size_) == 0) {
        ::lseek(fd, size_, SEEK_SET);
      }
      return cannot_write(name_, error);
    }
    data.remove_prefix(written > 0 ? static_cast<std::size_t>(written) : 0);
  }
  size_ += whole;
  remove_unless_written_.clear();
  return {};
}

} // namespace awaitscope::tools
