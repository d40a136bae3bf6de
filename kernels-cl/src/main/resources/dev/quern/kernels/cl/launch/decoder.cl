// One token through a whole decoder as one launch: embedding, blocks (norm, projections, rotation, cache,
// attention, projection, residual; norm, gate and up, product, down, residual), norm, output matrix and
// the most likely token. Groups hand over by packets (decoder/handover.clh), so no grid barrier.
//
// Five waves a block: projections, attention, output, gate and up, down. A norm is no wave: the producer
// quantises x * weight and adds up squares; the consumer scales its sums.
// A buffer may be written again without a barrier because each wave needs all blocks of the one before
// it, and only groups with work in a wave read its inputs: who writes a buffer the next time cannot run
// before all who read it the last time have finished. Launches are apart.
//
// Set by the build, besides what the libraries say: HIDDEN, FEED (width of the feed-forward), VOCABULARY,
// LAYERS, SEQUENCES, EPSILON, GREEDY (1: the most likely token, 0: the logits), EMBEDDING (format of the
// embedding), COLUMNS (of a chunk), EMBEDDING_COLUMNS, SCRATCH (uint4s of local memory), byte offsets in
// `state`: TABLE, RESIDUAL, HIDDEN_IN, QUERY_IN, FEED_IN, PROJECTED, PARTS, TOPS, LOGITS.
// `state` begins with words: 0 fault; 32, 64, 96 blocks posted of hidden, query and feed-forward
// activations; 128 groups finished.
// Addresses are 64 bits: arena in the upper four, offset below. A row of the table is a layer (the last:
// the output): 0 norm, 1 to 3 projections (1: output matrix), 4 and 5 norms of queries and keys (4:
// embedding), 6 and 7 cache (6: rotations), 8 output, 9 norm, 10 to 12 gate, up, down, 13 a byte for the
// format of each of 1, 2, 3, 8, 10, 12.
#include "decoder/attend.clh"
#define JOIN2(a, b) a##b
#define JOIN(a, b) JOIN2(a, b)
#define ROW 16
#define ACTIVATIONS16 (SCALED16(LONGEST) > SCALED16(HIDDEN) + (HIDDEN / 32 + 3) / 4                 \
                           ? SCALED16(LONGEST)                                                      \
                           : SCALED16(HIDDEN) + (HIDDEN / 32 + 3) / 4)
#define ROOM ((SCRATCH - ACTIVATIONS16) * 16 / (WARPS * 128))  // tiles whose sums have room
#define PROJECTED_TILES ((QUERY_LENGTH + 2 * KEY_LENGTH) / 32)
#define WAVES_OF_A_TOKEN (4 * LAYERS + 1)
// Packets are asked for when all blocks but this part are posted.
#define SLACK 3

enum { PROJECTIONS, OUTPUT, GATE_UP, DOWN, HEAD_ROWS };

FN global uchar *at(local const ulong *arenas, ulong address) {
  return (global uchar *)(arenas[address >> 60] + (address & 0x0fffffffffffffffUL));
}

// The tiles of one group among `units` tiles (or pairs) that are the wave's numbers from `low` on.
FN share_t share_of(global const uchar *w, int low, int units, int pairs, int columns, int format,
                    int group, int rotation, int *first) {
  const int groups = get_num_groups(0);
  int f = (group + groups - rotation) % groups;
  while (f < low) {
    f += groups;
  }
  f -= low;
  share_t s;
  s.chunks = columns / COLUMNS;
  const ulong bytes = (ulong)s.chunks * chunk_bytes(format);
  s.base = w + f * bytes;
  s.stride = groups * bytes;
  s.second = 0;
  s.pairs = pairs;
  s.format = format;
  s.tiles = f < units ? ((units - f + groups - 1) / groups) << pairs : 0;
  *first = f;
  return s;
}

// 1 / the root of the mean square, from the sums of squares behind the activations.
FN float norm_scale(local const uint4 *act, int lane) {
  local const float *squares = (local const float *)(act + SCALED16(HIDDEN));
  float sum = 0;
  for (int i = lane; i < HIDDEN / 32; i += 32) {
    sum += squares[i];
  }
  return fast_rsqrt(warp_sum(sum) * (1.0f / HIDDEN) + EPSILON);
}

// 32 elements of the residual stream, and the next wave's activations.
FN void emit(float x, float norm, int tile, int lane, global float *residual, global uint4 *packets,
             uint tag, global uint *posted) {
  residual[tile * 32 + lane] = x;
  quantize_block(x * norm, warp_sum(x * x), lane, packets + tile * 4, tag, posted);
}

// Orders logits, and equal ones by the smaller token.
FN ulong rank(float v, int token) {
  const uint bits = as_uint(v);
  return ((ulong)((bits & 0x80000000u) ? ~bits : bits | 0x80000000u) << 32) | (uint)~token;
}

// The largest of one value an item, in place 0.
FN void local_max(local ulong *best, ulong v) {
  const int item = opaque(get_local_id(0));
  best[item] = v;
  barrier(CLK_LOCAL_MEM_FENCE);
#pragma unroll 1
  for (int width = 512; width; width >>= 1) {
    if (item < width && item + width < THREADS) {
      best[item] = max(best[item], best[item + width]);
    }
    barrier(CLK_LOCAL_MEM_FENCE);
  }
}

// The group that finishes last joins what all have found.
FN void choose(ulong mine, global uint *finished, global ulong *tops, global int *next,
               local uint4 *scratch) {
  local ulong *best = (local ulong *)scratch;
  local uint *last = (local uint *)(best + THREADS);
  const int item = opaque(get_local_id(0));
  const int groups = get_num_groups(0);
  local_max(best, mine);
  if (item == 0) {
    tops[get_group_id(0)] = best[0];
    gpu_fence();
    *last = atomic_inc(finished) == groups - 1;
    gpu_fence();
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  if (*last) {
    ulong v = 0;
    for (int i = item; i < groups; i += THREADS) {
      v = max(v, load_relaxed_long(tops + i));
    }
    local_max(best, v);
    if (item == 0) {
      *next = (int)~(uint)best[0];
      *finished = 0;
    }
  }
}

kernel __attribute__((reqd_work_group_size(THREADS, 1, 1))) void decode(
    global uchar *a0, global uchar *a1, global uchar *a2, global uchar *a3, global uchar *a4,
    global uchar *a5, global uchar *a6, global uchar *a7, global uchar *state, const uint tokens_low,
    const uint tokens_high, const uint sequences_low, const uint sequences_high, const uint positions_low,
    const uint positions_high, const uint out_low, const uint out_high, const uint wave) {
  local uint4 scratch[SCRATCH];
  local float2 turn[HEAD / 2];
  local ulong table[2 * ROW];
  local ulong arenas[8];
  local float *sums = (local float *)(scratch + ACTIVATIONS16);
  const int item0 = get_local_id(0);
  const int group0 = get_group_id(0);
  const int groups = get_num_groups(0);
  global uint *fault = (global uint *)state;
  global uint *hidden_posted = fault + 32;
  global uint *query_posted = fault + 64;
  global uint *feed_posted = fault + 96;
  global const ulong *rows = (global const ulong *)(state + TABLE);
  global float *residual = (global float *)(state + RESIDUAL);
  global uint4 *hidden_in = (global uint4 *)(state + HIDDEN_IN);
  global uint4 *query_in = (global uint4 *)(state + QUERY_IN);
  global uint4 *feed_in = (global uint4 *)(state + FEED_IN);
  global uint2 *projected = (global uint2 *)(state + PROJECTED);
  const uint token_number = (wave - 1) / WAVES_OF_A_TOKEN;

  if (item0 < 8) {
    global uchar *a = item0 == 0 ? a0 : item0 == 1 ? a1 : item0 == 2 ? a2 : item0 == 3 ? a3
                    : item0 == 4 ? a4 : item0 == 5 ? a5 : item0 == 6 ? a6 : a7;
    arenas[item0] = (ulong)a;
  }
  if (item0 < 2 * ROW) {
    table[item0] = rows[item0];
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  local place_t place;
  {
    const uint position = *(global const uint *)at(arenas, (ulong)positions_low | (ulong)positions_high << 32);
    const uint sequence = *(global const uint *)at(arenas, (ulong)sequences_low | (ulong)sequences_high << 32);
    const bool inside = position < CONTEXT && sequence < SEQUENCES;
    // What has no place in the cache is not stored, and turned by NaN.
    if (item0 == 0) {
      place.position = inside ? position : 0;
      place.first = inside ? (ulong)sequence * CONTEXT : 0;
      place.stores = inside;
    }
    global const float2 *rotations = (global const float2 *)at(arenas, rows[LAYERS * ROW + 6]);
    if (item0 < HEAD / 2) {
      turn[item0] = inside ? rotations[(ulong)position * (HEAD / 2) + item0] : (float2)NAN;
    }
  }
  {
    const uint token = *(global const uint *)at(arenas, (ulong)tokens_low | (ulong)tokens_high << 32);
    const int lane = item0 & 31;
    const int tile = group0 + (item0 >> 5) * groups;
    if (tile < HIDDEN / 32) {
      const int column = tile * 32 + lane;
      global const uchar *embedding = at(arenas, rows[LAYERS * ROW + 4]);
      const ulong chunk = (ulong)(token >> 5) * (HIDDEN / EMBEDDING_COLUMNS) + column / EMBEDDING_COLUMNS;
      float x = NAN;
      if (token < VOCABULARY) {
        x = JOIN(EMBEDDING, _element)(embedding + chunk * JOIN(EMBEDDING, _CHUNK_BYTES), token & 31,
                                       column % EMBEDDING_COLUMNS);
      }
      const float norm = ((global const float *)at(arenas, table[0]))[column];
      emit(x, norm, tile, lane, residual, hidden_in, wave, hidden_posted);
    }
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  inputs_t in;
  in.fault = fault;
  uint tag = wave;
  ulong top = 0;
  const int batches = ((VOCABULARY / 32 - group0 + groups - 1) / groups + ROOM - 1) / ROOM;
#pragma unroll 1
  for (int layer = 0; layer <= LAYERS; layer++) {
    local const ulong *t = table + (layer & 1) * ROW;
    local const ulong *after = table + (~layer & 1) * ROW;
#pragma unroll 1
    for (int phase = 0; phase < (layer < LAYERS ? 4 : batches); phase++) {
      const int item = opaque(item0);
      const int warp = item >> 5;
      const int lane = item & 31;
      const int group = opaque(group0);
      const int kind = layer < LAYERS ? phase : HEAD_ROWS;
      const int waits = kind != HEAD_ROWS || phase == 0;
      const int from_hidden = kind != OUTPUT && kind != DOWN;
      const int length = kind == OUTPUT ? QUERY_LENGTH : kind == DOWN ? FEED : HIDDEN;
      float x = 0;
      float norm = 0;
      if (!from_hidden) {
        const int tile = group + warp * groups;
        if (tile < HIDDEN / 32) {
          x = residual[tile * 32 + lane];
          norm = ((global const float *)at(arenas, kind == OUTPUT ? t[9] : after[0]))[tile * 32 + lane];
        }
      }
      in.tag = tag;
      in.length = length;
      in.extras = from_hidden;
      in.packets = !waits ? 0 : kind == OUTPUT ? query_in : kind == DOWN ? feed_in : hidden_in;
      in.counter = kind == OUTPUT ? query_posted : kind == DOWN ? feed_posted : hidden_posted;
      const uint times = from_hidden ? token_number * (2 * LAYERS + 1) + 2 * layer + 1 + (kind == GATE_UP)
                                     : token_number * LAYERS + layer + 1;
      in.target = times * (length / 32) - (length / 32 >> SLACK);
      if (kind == OUTPUT) {
        // All have left the layer before by now, whose row this overwrites.
        if (item < ROW / 2) {
          copy16((local ulong *)after + 2 * item, rows + (layer + 1) * ROW + 2 * item);
        }
      } else if (kind == GATE_UP) {
        copies_done();
      }
      int first = 0;
      int tiles = 0;
      int chunks = 1;
      const int segments = kind == PROJECTIONS ? 3 : 1;
#pragma unroll 1
      for (int i = 0; i < segments; i++) {
        int low = 0;
        int units = HIDDEN / 32;
        int entry = kind == OUTPUT ? 8 : kind == DOWN ? 12 : 1;
        int number = kind == OUTPUT ? 3 : kind == DOWN ? 5 : 0;
        if (kind == PROJECTIONS) {
          low = i == 0 ? 0 : i == 1 ? QUERY_LENGTH / 32 : (QUERY_LENGTH + KEY_LENGTH) / 32;
          units = i == 0 ? QUERY_LENGTH / 32 : KEY_LENGTH / 32;
          entry = 1 + i;
          number = i;
        } else if (kind == GATE_UP) {
          units = FEED / 32;
          entry = 10;
          number = 4;
        } else if (kind == HEAD_ROWS) {
          units = VOCABULARY / 32;
        }
        const int format = (int)(t[13] >> (8 * number)) & 255;
        share_t s = share_of(at(arenas, t[entry]), low, units, kind == GATE_UP, length, format, group,
                             kind == GATE_UP ? PROJECTED_TILES % groups : 0, &first);
        chunks = s.chunks;
        if (kind == GATE_UP) {
          s.second = (ulong)at(arenas, t[11]) - (ulong)at(arenas, t[10]);
        }
        if (kind == HEAD_ROWS) {
          s.base += (ulong)(phase * ROOM) * s.stride;
          s.tiles = min(s.tiles - phase * ROOM, ROOM);
        }
        if (s.tiles > 0) {
          run_tiles(&s, &in, scratch, sums + tiles * WARPS * 32);
          in.packets = 0;
          tiles += s.tiles;
        }
      }
      const float scale = from_hidden ? norm_scale(scratch, lane) : 1.0f;
      barrier(CLK_LOCAL_MEM_FENCE);
      tag += waits;
      if (kind == PROJECTIONS) {
        // The group's tiles are numbers group, group + groups, … of the three one after another.
#pragma unroll 1
        for (int i = warp; i < tiles; i += WARPS) {
          store_packet8(projected + (group + i * groups) * 32 + lane,
                        as_uint(scale * tile_sum(sums, i, chunks, lane)), tag);
        }
        if (group < KV_HEADS * splits(place.position)) {
          attention_t a;
          a.projected = projected;
          a.query_norm = (global const float *)at(arenas, t[4]);
          a.key_norm = (global const float *)at(arenas, t[5]);
          a.turn = turn;
          a.keys = (global ushort *)at(arenas, t[6]);
          a.values = (global ushort *)at(arenas, t[7]);
          a.parts = (global uint4 *)(state + PARTS);
          a.out = query_in;
          a.posted = query_posted;
          a.fault = fault;
          a.tag = tag;
          barrier(CLK_LOCAL_MEM_FENCE);
          attend(&a, &place, group, scratch);
        }
      } else if (kind == GATE_UP) {
        if (2 * warp < tiles) {
          const float gate = scale * tile_sum(sums, 2 * warp, chunks, lane);
          const float up = scale * tile_sum(sums, 2 * warp + 1, chunks, lane);
          const float joint = gate * up * fast_reciprocal(1.0f + native_exp(-gate));
          quantize_block(joint, 0.0f, lane, feed_in + (first + warp * groups) * 4, tag, feed_posted);
        }
      } else if (kind == HEAD_ROWS) {
#if GREEDY
        global float *logits = 0;
#else
        global float *logits = (global float *)at(arenas, (ulong)out_low | (ulong)out_high << 32);
#endif
#pragma unroll 1
        for (int i = warp; i < tiles; i += WARPS) {
          const int row = (group + (phase * ROOM + i) * groups) * 32 + lane;
          const float v = scale * tile_sum(sums, i, chunks, lane);
          if (GREEDY) {
            top = max(top, rank(v, row));
          } else {
            logits[row] = v;
          }
        }
        barrier(CLK_LOCAL_MEM_FENCE);
      } else if (warp < tiles) {
        emit(x + tile_sum(sums, warp, chunks, lane), norm, group + warp * groups, lane, residual,
             hidden_in, tag, hidden_posted);
      }
    }
  }
  if (GREEDY) {
    choose(top, fault + 128, (global ulong *)(state + TOPS),
           (global int *)at(arenas, (ulong)out_low | (ulong)out_high << 32), scratch);
  }
}
