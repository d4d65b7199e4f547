#include "awaitscope/process/process.hpp"

#include <array>
#include <cerrno>
#include <climits>
#include <cstring>

#include <fmt/format.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>

namespace awaitscope {
namespace {

std::string read_link(const std::string &path) {
  std::array<char, PATH_MAX> target{};
  const ssize_t length = ::readlink(path.c_str(), target.data(), target.size());
  return length > 0 ? std::string(target.data(), static_cast<std::size_t>(length)) : std::string();
}

} // namespace

Error denied_error(ThreadId pid) {
  const std::string scope = read_file("/proc/sys/kernel/yama/ptrace_scope").value_or("0");
  std::string hint = "run as root or with CAP_SYS_PTRACE (sudo; docker run --cap-add=SYS_PTRACE; kubectl debug "
                     "--profile=sysadmin --target=CONTAINER)";
  if (scope.front() != '0') {
    hint += "; as the same user: sysctl kernel.yama.ptrace_scope=0";
  }
  return {ExitStatus::denied, fmt::format("not permitted to read process {}", pid), hint};
}

Error cannot_read(ThreadId pid, int error) {
  switch (error) {
  case ESRCH:
  case ENOENT:
    return no_such_process(pid);
  case EPERM:
  case EACCES:
    return denied_error(pid);
  case EMFILE: {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    return {ExitStatus::failed,
            fmt::format("cannot read process {}: this process has too many open files (the limit is {})", pid,
                        limit.rlim_cur),
            "raise the hard limit of open files (ulimit -Hn, LimitNOFILE= of systemd, docker run --ulimit nofile=…)"};
  }
  case ENFILE:
    return {ExitStatus::failed, fmt::format("cannot read process {}: this machine has too many open files", pid),
            "close some, or raise sysctl fs.file-max"};
  default:
    return {ExitStatus::failed,
            fmt::format("cannot read process {}: {}", pid, std::strerror(error)), // NOLINT(concurrency-mt-unsafe)
            "try again; if it goes on, the kernel's log (dmesg) may name the cause"};
  }
}

Error no_such_process(ThreadId pid) {
  return {ExitStatus::no_target, fmt::format("there is no process {}", pid),
          "give the PID of a running Python process, as this host sees it (pgrep -af python)"};
}

Process::Process(ThreadId pid, UniqueFd pidfd) : pid_(pid), pidfd_(std::move(pidfd)) {}

std::string Process::path(std::string_view name) const { return fmt::format("/proc/{}/{}", pid_, name); }

Result<Process> Process::open(ThreadId pid) {
  if (pid <= 0) {
    return tl::unexpected(no_such_process(pid));
  }
  UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  // Kernels before 5.3 have no pidfd: /proc then tells whether the process lives.
  if (const int error = errno; !pidfd.valid() && error != ENOSYS) {
    const bool may_be_thread = error == EINVAL || error == ENOENT; // the latter since 6.15
    if (!may_be_thread && error != ESRCH) {
      return tl::unexpected(cannot_read(pid, error));
    }
    if (may_be_thread && ::access(fmt::format("/proc/{}", pid).c_str(), F_OK) == 0) {
      return fail(ExitStatus::no_target, fmt::format("{} is a thread, not a process", pid),
                  "give the PID of its process (the Tgid line of its /proc status)");
    }
    return tl::unexpected(no_such_process(pid));
  }
  Process process(pid, std::move(pidfd));
  errno = 0;
  const std::optional<std::string> text = read_file(process.path("stat"));
  if (!text) {
    return tl::unexpected(cannot_read(pid, errno));
  }
  const std::optional<TaskStat> stat = parse_task_stat(*text);
  if (!stat) {
    return tl::unexpected(no_such_process(pid));
  }
  if (stat->state == 'Z' || stat->state == 'X') {
    return fail(ExitStatus::no_target, fmt::format("process {} has already ended (a zombie)", pid),
                "give the PID of a running Python process");
  }
  return process;
}

bool Process::alive() const {
  if (pidfd_.valid()) {
    pollfd exited{pidfd_.get(), POLLIN, 0};
    return ::poll(&exited, 1, 0) != 1; // an error says nothing of it
  }
  const std::optional<std::string> text = read_file(path("stat"));
  const std::optional<TaskStat> stat = text ? parse_task_stat(*text) : std::nullopt;
  return stat && stat->state != 'Z' && stat->state != 'X';
}

Result<void> Process::check_readable() const {
  if (!alive()) {
    return tl::unexpected(no_such_process(pid_));
  }
  // Of no mapped address: rights come first, and a process without memory is one that ends (mm/process_vm_access.c,
  // process_vm_rw_core()).
  std::byte byte{};
  const iovec local{&byte, 1};
  const iovec nowhere{nullptr, 1};
  errno = 0;
  if (::process_vm_readv(pid_, &local, 1, &nowhere, 1, 0) < 0 && errno != EFAULT) {
    return tl::unexpected(cannot_read(pid_, errno));
  }
  errno = 0;
  const std::optional<std::string> text = read_file(path("stat"));
  if (!text) {
    return tl::unexpected(cannot_read(pid_, errno));
  }
  const std::optional<TaskStat> stat = parse_task_stat(*text);
  const bool ended = !stat || stat->state == 'Z' || stat->state == 'X';
  return ended ? Result<void>(tl::unexpected(no_such_process(pid_))) : Result<void>();
}

Result<std::vector<MapEntry>> Process::maps() const {
  errno = 0;
  const std::optional<std::string> text = read_file(path("maps"));
  if (text) {
    return parse_maps(*text);
  }
  return tl::unexpected(errno == 0 ? no_such_process(pid_) : cannot_read(pid_, errno));
}

std::vector<ThreadId> Process::threads() const { return list_ids(path("task")); }

ThreadId Process::inner_id(ThreadId tid) const {
  const std::optional<std::string> status = read_file(fmt::format("/proc/{}/task/{}/status", pid_, tid));
  return status ? parse_innermost_pid(*status).value_or(tid) : tid;
}

std::optional<ElfImage> Process::open_mapped(const MapEntry &mapping) const {
  // map_files leads to the very inode that is mapped (proc_pid_map_files(5)); it needs a capability that a container
  // may lack, so the path under the process's root is the second way.
  if (auto image = ElfImage::open(path(fmt::format("map_files/{:x}-{:x}", mapping.start, mapping.end)))) {
    return image;
  }
  if (executable() == mapping.path) {
    return ElfImage::open(path("exe"));
  }
  return ElfImage::open(path("root") + mapping.path);
}

std::string Process::executable() const { return read_link(path("exe")); }

std::string Process::command_name() const { return thread_name(pid_); }

std::string Process::thread_name(ThreadId tid) const {
  std::string name = read_file(path(fmt::format("task/{}/comm", tid))).value_or("");
  name.resize(name.find_last_not_of('\n') + 1);
  return name;
}

std::string Process::working_directory() const {
  std::string here = read_link(path("cwd"));
  const std::string root = read_link(path("root")); // "/" but for chroot(2): in a mount namespace of its own as well
  if (root.size() > 1 && here.starts_with(root)) {
    here.erase(0, root.size());
  }
  return here;
}

std::vector<std::string> Process::command_line() const {
  std::string text = read_file(path("cmdline")).value_or("");
  std::vector<std::string> words;
  std::size_t start = 0;
  while (start < text.size()) {
    const std::size_t end = std::min(text.find('\0', start), text.size());
    words.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  return words;
}

} // namespace awaitscope
