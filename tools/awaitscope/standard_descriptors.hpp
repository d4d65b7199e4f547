#pragma once

namespace awaitscope::tools {

/// Gives numbers to those of descriptors 0 to 2 that are closed, so that no file which is opened later becomes a standard
/// stream and gets messages. To read or write them fails with EBADF, as before; a launched command finds them closed.
void open_standard_descriptors();

} // namespace awaitscope::tools
