#include "awaitscope/recording/byte_source.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

namespace awaitscope {
namespace {

tl::unexpected<Error> cannot_read(const std::string &name, int error) {
  return fail(ExitStatus::failed, fmt::format("cannot read {}: {}", name, std::strerror(error)),
              "give a recording (*.ascope) that you may read, or - for standard input");
}

} // namespace

Result<std::unique_ptr<ByteSource>> FileSource::open(const std::string &path) {
  UniqueFd file(path == "-" ? ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0) : ::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  const std::string name = path == "-" ? "standard input" : path;
  if (!file.valid()) {
    return cannot_read(name, errno);
  }
  return std::make_unique<FileSource>(std::move(file), name);
}

Result<std::size_t> FileSource::read(char *buffer, std::size_t size) {
  std::size_t got = 0;
  while (got < size) {
    const ssize_t more = ::read(file_.get(), buffer + got, size - got);
    if (more == 0) {
      break;
    }
    if (more < 0 && errno != EINTR) {
      return cannot_read(name_, errno);
    }
    got += more > 0 ? static_cast<std::size_t>(more) : 0;
  }
  return got;
}

Result<std::size_t> MemorySource::read(char *buffer, std::size_t size) {
  const std::size_t got = std::min(size, bytes_.size() - at_);
  bytes_.copy(buffer, got, at_);
  at_ += got;
  return got;
}

} // namespace awaitscope
