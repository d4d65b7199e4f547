#include "layout_tables.hpp"

namespace awaitscope {

// CPython 3.11: Include/internal/pycore_{runtime,interp,frame,code,dict}.h, Include/cpython/{pystate,genobject}.h,
// Modules/_asynciomodule.c.
Layout layout_3_11() {
  Layout l;
  l.ht_cached_keys = 872;
  l.rt_size = 166688, l.rt_interpreters_head = 40, l.rt_interpreters_main = 48;
  l.rt_gil_holder = 368, l.rt_gil_locked = 376;
  l.is_next = 0, l.is_id = 48, l.is_size = 107752, l.is_threads_head = 16, l.is_modules = 888;
  l.ts_size = 360, l.ts_thread_id = 152, l.ts_native_id = 160, l.ts_dict = 128;
  l.ts_chunk = 296, l.ts_chunk_top = 304, l.ts_cframe = 56, l.cframe_frame = 8;
  l.loop_holder_loop = 16; // PyRunningLoopHolder.rl_loop
  l.if_size = 80, l.if_previous = 48, l.if_code = 32, l.if_instr = 56, l.if_owner = 69;
  l.if_stacktop = 64, l.if_localsplus = 72;
  l.gen_name = 32, l.gen_qualname = 40, l.gen_frame = 80, l.gen_state = 75;
  l.suspend_rule = SuspendRule::resume_oparg;
  l.resume_opcodes = {151, 150}; // RESUME, RESUME_QUICK
  l.co_firstlineno = 72, l.co_bytecode = 184, l.co_nlocalsplus = 76;
  l.code_identity = CodeIdentity::name_hash;
  l.str_ascii = 48, l.str_compact = 72, l.long_tag_is_size = true;
  l.instance_dict = InstanceDict::values_before;
  l.task_sets = {"_all_tasks"};
  return l;
}

} // namespace awaitscope
