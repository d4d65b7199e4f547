#include "awaitscope/process/kernel_stack.hpp"

#include "catch.hpp"

using namespace awaitscope;
using Names = std::vector<std::string>;

TEST_CASE("kernel functions stand as they call each other, without the way in and out") {
  CHECK(kernel_functions("[<0>] read_zero+0x9c/0xd0\n[<0>] vfs_read+0xbb/0x3d0\n[<0>] ksys_read+0x6f/0xf0\n"
                         "[<0>] do_syscall_64+0x71/0x290\n[<0>] entry_SYSCALL_64_after_hwframe+0x76/0x7e\n") ==
        Names{"ksys_read", "vfs_read", "read_zero"});
  CHECK(kernel_functions("[<0>] irqentry_exit+0x1/0x2\n[<0>] asm_sysvec_apic_timer_interrupt+0x16/0x20\n"
                         "[<0>] copy_page+0x9/0x10\n[<0>] do_syscall_64+0x71/0x290\n") == Names{"copy_page"});
  CHECK(kernel_functions("[<0>] nfs_wait+0x1/0x2 [nfs]\n[<0>] do_syscall_64+0x71/0x290") == Names{"nfs_wait"});
}

TEST_CASE("a thread that was interrupted in user space is in no kernel function") {
  CHECK(kernel_functions("[<0>] irqentry_exit_to_user_mode+0x11f/0x1b0\n"
                         "[<0>] asm_sysvec_apic_timer_interrupt+0x16/0x20\n")
            .empty());
  CHECK(kernel_functions("").empty());
  CHECK(kernel_functions("\n \n[<0>]\n").empty());
}
