// A whole batch as one launch: every group walks all steps, with a barrier of the whole grid
// between waves. All groups must be resident at once.
// Set by the build: RUN_STEP (a switch over the bodies), SCRATCH (in uint4), HEADER, STEP_WORDS,
// NVIDIA if inline PTX is understood.
// Words of `control`: 0 arrivals, 1 departures, 2 fault, 3 spin limit; slots from word HEADER, steps
// after them. Words of `waves`: number of waves, then where the steps of each wave begin, and end.

#ifdef NVIDIA
#define grid_fence() asm volatile("fence.acq_rel.gpu;" ::: "memory")
#else
#define grid_fence() mem_fence(CLK_GLOBAL_MEM_FENCE)
#endif

// Waits until all groups have arrived `target` times in all. Returns false after a fault.
static inline bool grid_barrier(volatile global uint *control, uint target, local uint4 *scratch) {
  local uint *ok = (local uint *)scratch;
  group_barrier();
  if (get_local_id(0) == 0) {
    grid_fence();
    atomic_inc(control);
    uint spins = 0;
    while (control[0] < target && control[2] == 0) {
      if (++spins == control[3]) {
        control[2] = 1;
      }
    }
    grid_fence();
    *ok = control[2] == 0;
  }
  group_barrier();
  const bool go = *ok;
  group_barrier();
  return go;
}

kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void run_batch(
    ARENA_PARAMETERS, global uint *control, const uint waves_at) {
  local uint4 scratch[SCRATCH];
  const memory_t memory = MEMORY(control + HEADER);
  const uint group = get_group_id(0);
  const uint groups = get_num_groups(0);
  global const uint *waves = control + waves_at;
  const uint count = waves[0];

  bool go = true;
  for (uint wave = 0; go && wave < count; wave++) {
    for (uint at = waves[1 + wave]; at < waves[2 + wave]; at += STEP_WORDS) {
      global const uint *step = control + at;
      RUN_STEP
      group_barrier();
    }
    if (wave + 1 < count) {
      go = grid_barrier(control, (wave + 1) * groups, scratch);
    }
  }
  // The last group to leave makes the barrier ready for the next launch.
  if (get_local_id(0) == 0 && go) {
    if (atomic_inc(control + 1) == groups - 1) {
      control[0] = 0;
      control[1] = 0;
    }
  }
}
