// Keeps the user registers of threads that leave their CPU: they stay what they are until the thread runs again.
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "register_capture.h"

const char k_license[] SEC("license") = "Dual MIT/GPL"; // what the helpers ask for that read memory

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, k_most_processes);
  __type(key, __u32); // a process
  __type(value, __u8);
} processes SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, k_most_threads);
  __type(key, __u32); // a thread
  __type(value, struct LastRegisters);
} threads SEC(".maps");

/// include/trace/events/sched.h. The tracepoint is passed by the thread that leaves.
SEC("raw_tp/sched_switch")
int at_leave(void *context) {
  const __u64 both = bpf_get_current_pid_tgid();
  const __u32 process = both >> 32;
  const __u32 thread = (__u32)both;
  if (bpf_map_lookup_elem(&processes, &process) == 0) {
    return 0;
  }
  struct LastRegisters last;
  const void *const saved = (const void *)bpf_task_pt_regs(bpf_get_current_task_btf());
  if (bpf_probe_read_kernel(&last, sizeof last, saved) == 0) {
    bpf_map_update_elem(&threads, &thread, &last, BPF_ANY);
  }
  return 0;
}
