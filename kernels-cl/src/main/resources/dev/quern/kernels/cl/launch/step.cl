// One step as one launch. Set by the build: BODY, SCRATCH (in uint4).
// Words of `control`: slots from word HEADER, steps after them.

kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void run_step(
    ARENA_PARAMETERS, global const uint *control, const uint at) {
  local uint4 scratch[SCRATCH];
  const memory_t memory = MEMORY(control + HEADER);
  BODY(memory, control + at, get_group_id(0), get_num_groups(0), scratch);
}
