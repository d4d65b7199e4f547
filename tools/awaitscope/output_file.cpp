#include "output_file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "awaitscope/support/text.hpp"

namespace awaitscope::tools {
namespace {

constexpr int k_handle = O_PATH | O_NOFOLLOW | O_CLOEXEC;

UniqueFd open_at(const UniqueFd &folder, const std::string &name, int flags, mode_t mode = 0) {
  return UniqueFd(::openat(folder.get(), name.c_str(), flags, mode));
}

struct stat stat_of(const UniqueFd &file) {
  struct stat status {};
  ::fstat(file.get(), &status); // of an open descriptor: it works
  return status;
}

/// Where a path leads. `there` is a handle (O_PATH) of what has that name, or none if nothing has.
struct Place {
  UniqueFd folder;
  std::string name;
  UniqueFd there;
};

/// Follows a path one name at a time, so that whoever owns a symbolic link in it is known before it is followed.
class PathWalk {
public:
  explicit PathWalk(const std::string &path) : path_(path) { put(path); }

  Result<Place> run() {
    while (true) {
      if (!folder_.valid()) {
        return cannot_write(path_, errno);
      }
      const std::string name = std::move(names_.back());
      names_.pop_back();
      const bool last = names_.empty();
      UniqueFd at = open_at(folder_, name, last ? k_handle : k_handle | O_DIRECTORY); // which also mounts (autofs)
      if (!at.valid() && !last && (errno == ENOTDIR || errno == ELOOP)) {
        at = open_at(folder_, name, k_handle);
      }
      if (!at.valid() && !(last && errno == ENOENT)) {
        return cannot_write(path_, errno);
      }
      if (at.valid() && S_ISLNK(stat_of(at).st_mode)) {
        if (std::optional<Error> refused = follow(at, name, last)) {
          return tl::unexpected(std::move(*refused));
        }
        if (!last || !arrived_.valid()) {
          continue;
        }
        at = std::move(arrived_);
      }
      if (last) {
        return Place{std::move(folder_), name, std::move(at)};
      }
      folder_ = std::move(at);
    }
  }

private:
  /// In front of the names that are left. Starts at the root, or goes on from where the walk is.
  void put(std::string_view path) {
    if (path.starts_with('/') || !folder_.valid()) {
      folder_ = UniqueFd(::open(path.starts_with('/') ? "/" : ".", O_PATH | O_DIRECTORY | O_CLOEXEC));
    }
    std::vector<std::string> names;
    const bool ends_as_folder = path.ends_with('/') || path.empty();
    while (!path.empty()) {
      const std::size_t end = std::min(path.find('/'), path.size());
      if (end > 0) {
        names.emplace_back(path.substr(0, end));
      }
      path.remove_prefix(std::min(end + 1, path.size()));
    }
    if (ends_as_folder) {
      names.emplace_back(".");
    }
    names_.insert(names_.end(), names.rbegin(), names.rend());
  }

  /// Sets arrived_ where the link leads to a thing and not to a path; else the walk goes on along the link's path.
  std::optional<Error> follow(const UniqueFd &link, const std::string &name, bool last) {
    constexpr int k_most_links = 40; // as the kernel (MAXSYMLINKS)
    const uid_t owner = stat_of(link).st_uid;
    if (::geteuid() == 0 && owner != 0) {
      return Error{ExitStatus::failed,
                   fmt::format("cannot write to {}: '{}' in it is a symbolic link of another user (uid {})",
                               one_line(valid_utf8(path_)), one_line(valid_utf8(name)), owner),
                   "root does not follow it; give the path that it stands for with -o FILE"};
    }
    struct statfs system {};
    if (::fstatfs(link.get(), &system) == 0 && system.f_type == PROC_SUPER_MAGIC) {
      // /proc/self/fd/1, which /dev/stdout stands for: may have no path (proc(5)).
      UniqueFd thing = open_at(folder_, name, O_PATH | O_CLOEXEC);
      if (!thing.valid()) {
        return cannot_write(path_, errno).value();
      }
      (last ? arrived_ : folder_) = std::move(thing);
      return std::nullopt;
    }
    std::array<char, PATH_MAX> target{};
    const ssize_t length = ::readlinkat(link.get(), "", target.data(), target.size());
    if (length <= 0 || ++links_ > k_most_links) {
      return cannot_write(path_, length < 0 ? errno : ELOOP).value();
    }
    put(std::string_view(target.data(), static_cast<std::size_t>(length)));
    return std::nullopt;
  }

  const std::string &path_;
  UniqueFd folder_;
  std::vector<std::string> names_; ///< that are left, the next one last
  UniqueFd arrived_;
  int links_ = 0;
};

/// Whether what is there may have been laid there by somebody else.
bool is_planted(const Place &place) {
  const struct stat folder = stat_of(place.folder);
  const struct stat there = stat_of(place.there);
  const bool foreign = there.st_uid != ::geteuid() && there.st_uid != folder.st_uid;
  const bool second_name = S_ISREG(there.st_mode) && there.st_nlink > 1;
  return (folder.st_mode & S_IWOTH) != 0 && (foreign || second_name);
}

Result<OutputFile> create(Place place, const std::string &path, mode_t mode) {
  OutputFile opened;
  opened.file = open_at(place.folder, place.name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
  if (!opened.file.valid()) {
    return cannot_write(path, errno);
  }
  opened.folder = std::move(place.folder);
  opened.name = std::move(place.name);
  return opened;
}

} // namespace

Result<OutputFile> open_output_file(const std::string &path, Privacy privacy) {
  Result<Place> place = PathWalk(path).run();
  if (!place) {
    return tl::unexpected(place.error());
  }
  if (!place->there.valid()) {
    return create(std::move(*place), path, privacy == Privacy::owner_only ? 0600 : 0666);
  }
  if (is_planted(*place)) {
    return fail(
        ExitStatus::failed,
        fmt::format("cannot write to {}: another user may have put it there, into a folder that all may write to",
                    one_line(valid_utf8(path))),
        "remove it, or give a path in a folder of your own with -o FILE");
  }
  OutputFile opened;
  // The very thing that was checked, whatever has that name by now.
  opened.file = UniqueFd(::open(fmt::format("/proc/self/fd/{}", place->there.get()).c_str(), O_WRONLY | O_CLOEXEC));
  if (!opened.file.valid()) {
    return cannot_write(path, errno);
  }
  return opened;
}

Result<OutputFile> create_output_file(const std::string &name) {
  return create({UniqueFd(::open(".", O_PATH | O_DIRECTORY | O_CLOEXEC)), name, UniqueFd()}, name, 0600);
}

tl::unexpected<Error> cannot_write(const std::string &name, int error) {
  std::string hint = "give a path that can be written, with space left (-o FILE), or -o - for stdout";
  if (error == EPIPE) {
    hint = "the reader of the pipe ended first; write to a file with -o FILE";
  }
  return fail(ExitStatus::failed,
              fmt::format("cannot write to {}: {}", one_line(valid_utf8(name)), std::strerror(error)), hint);
}

} // namespace awaitscope::tools
