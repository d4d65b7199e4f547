#include "layout_tables.hpp"

namespace awaitscope {

// CPython 3.13: the same headers as 3.12. Most of this table is overlaid by the target's own _Py_DebugOffsets.
Layout layout_3_13() {
  Layout l;
  l.ht_cached_keys = 880;
  l.rt_size = 283320, l.rt_interpreters_head = 632, l.rt_interpreters_main = 640;
  l.is_next = 7264, l.is_id = 7272, l.is_size = 194968, l.is_threads_head = 7344, l.is_modules = 7656;
  l.is_next_code_version = 17000;
  l.is_gil = 16, l.gil_holder = 8, l.gil_locked = 16;
  l.ts_size = 304, l.ts_thread_id = 152, l.ts_native_id = 160, l.ts_dict = 128;
  l.ts_chunk = 232, l.ts_chunk_top = 240, l.ts_frame = 72, l.ts_running_loop = 304;
  l.if_size = 80, l.if_previous = 8, l.if_code = 0, l.if_instr = 56, l.if_owner = 70;
  l.if_stacktop = 64, l.if_localsplus = 72, l.owner_shim = 3;
  l.gen_name = 24, l.gen_qualname = 32, l.gen_frame = 72, l.gen_state = 67;
  l.suspend_rule = SuspendRule::frame_state;
  l.co_firstlineno = 68, l.co_bytecode = 200, l.co_nlocalsplus = 72, l.co_version = 92;
  l.str_ascii = 40, l.str_compact = 56;
  l.dict_values_header = 8;
  l.instance_dict = InstanceDict::inline_after_object;
  l.task_waiter_after_future = 8;
  l.task_sets = {"_scheduled_tasks", "_eager_tasks"};
  return l;
}

} // namespace awaitscope
