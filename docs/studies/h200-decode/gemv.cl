// Test and timing of one product: y = W a, one launch. FMT names the format.
#define CAT2(a, b) a##b
#define CAT(a, b) CAT2(a, b)
#define RUN2(F, a, b, c) TILE_RUN(F, a, b, c)
RUN2(FMT, AQN, ASN, AHEADN)
FN void copyActs(const global uint4 *a, int n, local uint4 *s) {
  for (int i = get_local_id(0); i < n; i += T) s[i] = a[i];
  barrier(CLK_LOCAL_MEM_FENCE);
}
kernel __attribute__((reqd_work_group_size(NW * 32, 1, 1)))
void gemv(const global uchar *w, ulong off, const global uint4 *a, global float *y, int n, int k,
          int chunkK, int actN16, int kInt4) {
  local uint4 scratch[3008];
  int tid = get_local_id(0), warp = tid >> 5, lane = tid & 31, g = get_group_id(0), G = get_num_groups(0);
  local float *red = (local float *)(scratch + actN16);
  int tiles = n / 32, nch = k / chunkK, cb = CAT(FMT, _BYTES);
  int room = (3008 - actN16) * 16 / (NW * 128);
  start_t st;
  st.src = 0;
  copyActs(a, actN16, scratch);
  for (int first = g; first < tiles; first += room * G) {
    seg_t s;
    s.base = w + off + (ulong)first * nch * cb;
    s.ustride = (ulong)G * nch * cb;
    s.ush = 0; s.nch = nch; s.type = 0;
    s.nt = min((tiles - first + G - 1) / G, room);
    CAT(FMT, _run)(&s, scratch, red, kInt4, warp, lane, &st);
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int t = warp; t < s.nt; t += NW) y[(first + t * G) * 32 + lane] = tileSum(red, t, nch, lane);
    barrier(CLK_LOCAL_MEM_FENCE);
  }
}

#ifdef QUERN_PTX
// Random valid chunks of a format, for timing: kind 0 Q4_K, 1 Q6_K, 2 Q4_0, 3 Q8_0, 4 TQ2_0, 5 F16.
uint hash(uint x) { x ^= x >> 16; x *= 0x7feb352du; x ^= x >> 15; x *= 0x846ca68bu; return x ^ (x >> 16); }
kernel void fill(global uchar *w, ulong off, ulong chunks, int kind, float scale, uint seed) {
  global uint *p = (global uint *)(w + off);
  int words = kind == 0 || kind == 2 ? 1152 : kind == 1 ? 1680 : kind == 3 ? 2176 : kind == 4 ? 528 : 1024;
  int heads = kind == 0 ? 128 : kind == 1 || kind == 4 ? 16 : kind == 5 ? 1024 : 128;
  ulong total = chunks * words;
  for (ulong i = get_global_id(0); i < total; i += get_global_size(0)) {
    uint r = hash((uint)i * 2654435761u + seed + (uint)(i >> 31)), o = (uint)(i % words), v = r;
    float u = 0.75f + 0.5f * (float)(r & 1023) / 1024.0f;
    if (o < heads) {
      if (kind == 0) {  // header words: (d, dmin), scales: mins near 7.5 scales so that means vanish
        if ((o & 3) == 0) v = packHalf(scale * u, scale * u * 7.5f);
        else { v = 0; for (int b = 0; b < 4; b++) v |= ((o & 3) == 3 ? 0x88u : 32u) << (8 * b);
               if ((o & 3) == 1 || (o & 3) == 2) v |= 0x80808080u; }
      } else if (kind == 5) v = packHalf(scale * ((float)(r & 0xffff) / 32768.0f - 1.0f), scale * ((float)(r >> 16) / 32768.0f - 1.0f));
      else v = packHalf(scale * u, scale * (1.75f - 0.5f * u));
    } else if (kind == 1 && o < 144) v = (r & 0x0f0f0f0fu) + 0x18181818u;
    else if (kind == 4) v = r & ~((r & 0x55555555u) << 1 & (r & 0xaaaaaaaau));
    p[i] = v;
  }
}
#endif
