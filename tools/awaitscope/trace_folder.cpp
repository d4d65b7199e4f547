#include "trace_folder.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace awaitscope::tools {
namespace {

constexpr mode_t k_folder_mode = 0700;
constexpr mode_t k_file_mode = 0600;
constexpr std::size_t k_most_names = 4096;
constexpr std::array<std::string_view, 3> k_temporary{"tmp", "var/tmp", "dev/shm"};

tl::unexpected<Error> cannot_make(std::string_view what) {
  return fail(ExitStatus::failed, fmt::format("cannot make {}: {}", what, std::strerror(errno)),
              "free space in /tmp, or see its permissions");
}

/// A folder below a root, whose symbolic links are the root's own (openat2(2), since Linux 5.6).
UniqueFd open_below(const UniqueFd &root, std::string_view path) {
  open_how how{};
  how.flags = O_DIRECTORY | O_CLOEXEC;
  how.resolve = RESOLVE_IN_ROOT;
  const std::string name(path);
  return UniqueFd(static_cast<int>(::syscall(SYS_openat2, root.get(), name.c_str(), &how, sizeof how)));
}

std::string random_name() {
  std::uint64_t bits = 0;
  const ssize_t got = ::getrandom(&bits, sizeof bits, 0);
  return fmt::format("awaitscope-{:016x}", got == sizeof bits ? bits : static_cast<std::uint64_t>(::getpid()));
}

std::vector<std::string> names_in(const UniqueFd &folder) {
  std::vector<std::string> names;
  const int again = ::openat(folder.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const auto close = [](DIR *stream) { ::closedir(stream); };
  const std::unique_ptr<DIR, decltype(close)> stream(again < 0 ? nullptr : ::fdopendir(again), close);
  while (stream && names.size() < k_most_names) {
    const dirent *entry = ::readdir(stream.get());
    if (entry == nullptr) {
      break;
    }
    std::string name = static_cast<const char *>(entry->d_name);
    if (name != "." && name != "..") {
      names.push_back(std::move(name));
    }
  }
  return names;
}

void remove_contents(const UniqueFd &folder, int depth) {
  for (const std::string &name : names_in(folder)) {
    if (::unlinkat(folder.get(), name.c_str(), 0) == 0 || depth == 0) {
      continue;
    }
    const UniqueFd inner(::openat(folder.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (inner.valid()) {
      remove_contents(inner, depth - 1);
      ::unlinkat(folder.get(), name.c_str(), AT_REMOVEDIR);
    }
  }
}

} // namespace

Result<TraceFolder> TraceFolder::create(const std::string &root, uid_t user, gid_t group) {
  const UniqueFd top(::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  TraceFolder made;
  made.user_ = user;
  made.group_ = group;
  for (const std::string_view place : k_temporary) {
    made.parent_ = open_below(top, place);
    made.name_ = random_name();
    if (made.parent_.valid() && ::mkdirat(made.parent_.get(), made.name_.c_str(), k_folder_mode) == 0) {
      made.path_ = fmt::format("/{}/{}", place, made.name_);
      made.folder_ =
          UniqueFd(::openat(made.parent_.get(), made.name_.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
      break;
    }
  }
  if (!made.folder_.valid()) {
    return cannot_make("a temporary folder that the target can see");
  }
  return made;
}

TraceFolder::~TraceFolder() {
  if (!folder_.valid()) {
    return;
  }
  constexpr int k_deepest = 3;
  remove_contents(folder_, k_deepest);
  ::unlinkat(parent_.get(), name_.c_str(), AT_REMOVEDIR);
}

Result<void> TraceFolder::write(const std::string &name, std::string_view contents) {
  const UniqueFd file(::openat(folder_.get(), name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, k_file_mode));
  while (file.valid() && !contents.empty()) {
    const ssize_t written = ::write(file.get(), contents.data(), contents.size());
    if (written < 0) {
      return cannot_make(path_ + "/" + name);
    }
    contents.remove_prefix(static_cast<std::size_t>(written));
  }
  made_.push_back(name);
  return file.valid() ? Result<void>() : cannot_make(path_ + "/" + name);
}

Result<void> TraceFolder::make_subfolder(const std::string &name) {
  made_.push_back(name);
  return ::mkdirat(folder_.get(), name.c_str(), k_folder_mode) == 0 ? Result<void>() : cannot_make(path_ + "/" + name);
}

Result<void> TraceFolder::hand_over() {
  if (::mkfifoat(folder_.get(), "alive", k_file_mode) != 0) {
    return cannot_make(path_ + "/alive");
  }
  alive_ = UniqueFd(::openat(folder_.get(), "alive", O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  made_.emplace_back("alive");
  bool given = alive_.valid();
  if (::geteuid() != user_) {
    for (auto name = made_.rbegin(); name != made_.rend(); ++name) {
      given = given && ::fchownat(folder_.get(), name->c_str(), user_, group_, AT_SYMLINK_NOFOLLOW) == 0;
    }
    given = given && ::fchown(folder_.get(), user_, group_) == 0;
  }
  return given ? Result<void>() : cannot_make(path_);
}

void TraceFolder::dismiss() {
  // Tells an agent that the files are not its to remove.
  const UniqueFd mark(
      ::openat(folder_.get(), "ending", O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, k_file_mode));
  alive_ = UniqueFd();
}

bool TraceFolder::has(const std::string &name) const {
  return ::faccessat(folder_.get(), name.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

std::vector<std::string> TraceFolder::names() const { return names_in(folder_); }

UniqueFd TraceFolder::open(const std::string &name) const {
  UniqueFd file(::openat(folder_.get(), name.c_str(), O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat status {};
  const bool good = file.valid() && ::fstat(file.get(), &status) == 0 && S_ISREG(status.st_mode) &&
                    status.st_nlink == 1 && status.st_uid == user_;
  return good ? std::move(file) : UniqueFd();
}

} // namespace awaitscope::tools
