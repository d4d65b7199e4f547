#include "output.hpp"

#include <cerrno>
#include <utility>

#include <sys/stat.h>
#include <unistd.h>

namespace awaitscope::tools {
Result<Output> Output::open(const std::string &path, Privacy privacy) {
  Output output;
  if (path.empty() || path == "-") {
    output.name_ = "stdout";
    return output;
  }
  Result<OutputFile> file = open_output_file(path, privacy);
  if (!file) {
    return tl::unexpected(file.error());
  }
  output.name_ = path;
  output.privacy_ = privacy;
  output.file_ = std::move(*file);
  return output;
}

Result<Output> Output::create(const std::string &name) {
  Result<OutputFile> file = create_output_file(name);
  if (!file) {
    return tl::unexpected(file.error());
  }
  Output output;
  output.name_ = name;
  output.privacy_ = Privacy::owner_only;
  output.file_ = std::move(*file);
  return output;
}

Output::~Output() {
  if (file_.folder.valid() && !kept_) {
    ::unlinkat(file_.folder.get(), file_.name.c_str(), 0);
  }
}

Result<void> Output::write(std::string_view data) {
  begun_ = false;
  const tl::expected<void, int> written = put(data);
  return written || written.error() == EPIPE ? Result<void>() : cannot_write(name_, written.error());
}

Result<void> Output::append(std::string_view data) {
  const tl::expected<void, int> written = put(data);
  return written ? Result<void>() : cannot_write(name_, written.error());
}

tl::expected<void, int> Output::put(std::string_view data) {
  const int fd = is_standard() ? STDOUT_FILENO : file_.file.get();
  struct stat status {};
  const bool regular = !is_standard() && ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
  if (regular && !begun_) {
    if (::ftruncate(fd, 0) != 0) {
      return tl::unexpected(errno);
    }
    if (privacy_ == Privacy::owner_only && status.st_uid == ::geteuid()) {
      ::fchmod(fd, 0600);
    }
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
      return tl::unexpected(error);
    }
    data.remove_prefix(written > 0 ? static_cast<std::size_t>(written) : 0);
  }
  size_ += whole;
  kept_ = true;
  return {};
}

} // namespace awaitscope::tools
