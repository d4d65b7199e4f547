#include "awaitscope/process/system_calls.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include <sys/syscall.h>

namespace awaitscope {
namespace {

struct Name {
  int number;
  std::string_view name;
};

constexpr std::array k_names{
    Name{SYS_accept, "accept"},
    Name{SYS_accept4, "accept4"},
    Name{SYS_clock_nanosleep, "clock_nanosleep"},
    Name{SYS_close, "close"},
    Name{SYS_connect, "connect"},
    Name{SYS_copy_file_range, "copy_file_range"},
    Name{SYS_epoll_pwait, "epoll_pwait"},
    Name{SYS_epoll_pwait2, "epoll_pwait2"},
    Name{SYS_epoll_wait, "epoll_wait"},
    Name{SYS_fallocate, "fallocate"},
    Name{SYS_fcntl, "fcntl"},
    Name{SYS_fdatasync, "fdatasync"},
    Name{SYS_flock, "flock"},
    Name{SYS_fsync, "fsync"},
    Name{SYS_ftruncate, "ftruncate"},
    Name{SYS_futex, "futex"},
    Name{SYS_getdents64, "getdents64"},
    Name{SYS_io_getevents, "io_getevents"},
    Name{SYS_io_pgetevents, "io_pgetevents"},
    Name{SYS_io_uring_enter, "io_uring_enter"},
    Name{SYS_ioctl, "ioctl"},
    Name{SYS_madvise, "madvise"},
    Name{SYS_mmap, "mmap"},
    Name{SYS_mprotect, "mprotect"},
    Name{SYS_msgrcv, "msgrcv"},
    Name{SYS_msgsnd, "msgsnd"},
    Name{SYS_msync, "msync"},
    Name{SYS_munmap, "munmap"},
    Name{SYS_nanosleep, "nanosleep"},
    Name{SYS_newfstatat, "newfstatat"},
    Name{SYS_open, "open"},
    Name{SYS_openat, "openat"},
    Name{SYS_pause, "pause"},
    Name{SYS_poll, "poll"},
    Name{SYS_ppoll, "ppoll"},
    Name{SYS_pread64, "pread64"},
    Name{SYS_preadv, "preadv"},
    Name{SYS_preadv2, "preadv2"},
    Name{SYS_pselect6, "pselect6"},
    Name{SYS_pwrite64, "pwrite64"},
    Name{SYS_pwritev, "pwritev"},
    Name{SYS_pwritev2, "pwritev2"},
    Name{SYS_read, "read"},
    Name{SYS_readv, "readv"},
    Name{SYS_recvfrom, "recvfrom"},
    Name{SYS_recvmmsg, "recvmmsg"},
    Name{SYS_recvmsg, "recvmsg"},
    Name{SYS_rename, "rename"},
    Name{SYS_rt_sigsuspend, "rt_sigsuspend"},
    Name{SYS_rt_sigtimedwait, "rt_sigtimedwait"},
    Name{SYS_sched_yield, "sched_yield"},
    Name{SYS_select, "select"},
    Name{SYS_semop, "semop"},
    Name{SYS_semtimedop, "semtimedop"},
    Name{SYS_sendfile, "sendfile"},
    Name{SYS_sendmmsg, "sendmmsg"},
    Name{SYS_sendmsg, "sendmsg"},
    Name{SYS_sendto, "sendto"},
    Name{SYS_splice, "splice"},
    Name{SYS_stat, "stat"},
    Name{SYS_sync, "sync"},
    Name{SYS_unlink, "unlink"},
    Name{SYS_unlinkat, "unlinkat"},
    Name{SYS_vfork, "vfork"},
    Name{SYS_wait4, "wait4"},
    Name{SYS_waitid, "waitid"},
    Name{SYS_write, "write"},
    Name{SYS_writev, "writev"},
};

} // namespace

std::string system_call_name(int number) {
  const auto *const found =
      std::find_if(k_names.begin(), k_names.end(), [number](const Name &name) { return name.number == number; });
  return found == k_names.end() ? "system call " + std::to_string(number) : std::string(found->name);
}

} // namespace awaitscope
