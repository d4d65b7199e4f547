#include "layout_tables.hpp"

namespace awaitscope {

// CPython 3.12: the same headers as 3.11, and Include/internal/pycore_gil.h.
Layout layout_3_12() {
  Layout l;
  l.ht_cached_keys = 880;
  l.rt_size = 459944, l.rt_interpreters_head = 40, l.rt_interpreters_main = 48;
  l.is_next = 0, l.is_id = 8, l.is_size = 383552, l.is_threads_head = 72, l.is_modules = 944;
  l.is_next_code_version = 269816;
  l.is_gil = 384, l.gil_holder = 8, l.gil_locked = 16;
  l.ts_size = 288, l.ts_thread_id = 136, l.ts_native_id = 144, l.ts_dict = 112;
  l.ts_chunk = 232, l.ts_chunk_top = 240, l.ts_cframe = 56, l.cframe_frame = 0;
  l.if_size = 80, l.if_previous = 8, l.if_code = 0, l.if_instr = 56, l.if_owner = 70;
  l.if_stacktop = 64, l.if_localsplus = 72, l.owner_shim = 3;
  l.gen_name = 24, l.gen_qualname = 32, l.gen_frame = 72, l.gen_state = 67;
  l.suspend_rule = SuspendRule::resume_oparg;
  l.resume_opcodes = {151, 240}; // RESUME, INSTRUMENTED_RESUME
  l.co_firstlineno = 68, l.co_bytecode = 192, l.co_nlocalsplus = 72, l.co_version = 92;
  l.str_ascii = 40, l.str_compact = 56;
  l.instance_dict = InstanceDict::tagged_before;
  l.task_sets = {"_scheduled_tasks", "_eager_tasks"};
  return l;
}

} // namespace awaitscope
