#include "awaitscope/process/remote_write.hpp"

#include <cerrno>

#include <sys/uio.h>

namespace awaitscope {

ReadStatus write_memory(ThreadId pid, Address address, std::string_view bytes) {
  const iovec local{const_cast<char *>(bytes.data()), bytes.size()};   // NOLINT: only read
  const iovec remote{reinterpret_cast<void *>(address), bytes.size()}; // NOLINT: never dereferenced here
  const ssize_t written = ::process_vm_writev(pid, &local, 1, &remote, 1, 0);
  if (written == static_cast<ssize_t>(bytes.size())) {
    return ReadStatus::ok;
  }
  return written >= 0     ? ReadStatus::fault
         : errno == ESRCH ? ReadStatus::gone
         : errno == EPERM ? ReadStatus::denied
                          : ReadStatus::fault;
}

} // namespace awaitscope
