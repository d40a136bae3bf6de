// One step as one launch, or several that follow each other in `control`.
// Set by the build: RUN_STEP (a body, or a switch over bodies), SCRATCH (in uint4), STEP_WORDS.
// Words of `control`: slots from word HEADER, steps after them.

kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void run_step(
    ARENA_PARAMETERS, global const uint *control, const uint at) {
  local uint4 scratch[SCRATCH];
  const memory_t memory = MEMORY(control + HEADER);
  global const uint *step = control + at;
  uint group = get_group_id(0);
  while (group >= step[3]) {
    group -= step[3];
    step += STEP_WORDS;
  }
  const uint groups = step[3];
  RUN_STEP
}
