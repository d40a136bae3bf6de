// One launch per token: every wave of a decoder step, with grid barriers between.
// Compile-time: D FF H KVH HD V L MAXP SPLIT NW ROPE_NEOX QKNORM, WFMT LMFMT (0 Q4_K 1 Q6_K 2 Q4_0
// 3 Q8_0 4 TQ2_0) and USE_<fmt>. As many groups as compute units, NW * 32 items each, all resident.
#if USE_Q4K
TILE_RUN(q4k, 16, 4, 0)
#endif
#if USE_Q6K
TILE_RUN(q6k, 16, 4, 0)
#endif
#if USE_Q40
TILE_RUN(q40, 16, 4, 0)
#endif
#if USE_Q80
TILE_RUN(q80, 16, 4, 0)
#endif
#if USE_TQ2
TILE_RUN(tq2, 16, 4, 1)
#endif

#ifdef PROFILE
#define PROF(i) if (l == PROFILE && tid == 0) prof[(i)] = clock64()
#else
#define PROF(i)
#endif
#define GQ (H / KVH)
#define SMAX 16
#ifndef HW
#define HW 2                 // query heads per warp
#endif
#define PW (NW * HW / GQ)    // warps along the positions
#define LPP (HD / 8)
#define PPW (32 / LPP)
#define QD (H * HD)
#define QKV ((H + 2 * KVH) * HD)
#define ACT16(k) ((k) / 16 + (k) / 64)          // uint4s of bytes and (d, sum)
#define ACTD16 (ACT16(D) + (D / 32 + 3) / 4)    // plus the tiles' sums of squares
#define KMAX (FF > QD ? (FF > D ? FF : D) : (QD > D ? QD : D))
#define ACTMAX (ACT16(KMAX) > ACTD16 ? ACT16(KMAX) : ACTD16)
#ifndef SLACK
#define SLACK 3  // start asking for packets when all but 1 / 2^SLACK are posted
#endif
#define SCRATCH 2840
#define AU (((GQ + 2) * HD + T - 1) / T)
#define TABN (L * 8 + 8)
#define ROOM ((SCRATCH - ACTMAX) * 16 / (NW * 128))

FN int chunkBytes(int type) {
  return type == 0 ? q4k_BYTES : type == 1 ? q6k_BYTES : type == 2 ? q40_BYTES : type == 3 ? q80_BYTES : tq2_BYTES;
}
// One call site only: code that does not fit the instruction cache is fetched again in every wave.
FN void tilesRun(const seg_t *s, local uint4 *act, local float *red, int k, const start_t *st) {
  int tid = opaque(get_local_id(0)), warp = tid >> 5, lane = tid & 31;
#if USE_Q6K
#if USE_Q4K || USE_Q80 || USE_Q40 || USE_TQ2
  if (s->type == 1)
#endif
  { q6k_run(s, act, red, k / 16, warp, lane, st); return; }
#endif
#if USE_Q4K
  q4k_run(s, act, red, k / 16, warp, lane, st);
#elif USE_Q40
  q40_run(s, act, red, k / 16, warp, lane, st);
#elif USE_Q80
  q80_run(s, act, red, k / 16, warp, lane, st);
#elif USE_TQ2
  tq2_run(s, act, red, k / 16, warp, lane, st);
#endif
}

// The share of group g in a matrix of `units` units (2^ush tiles each) laid out in turn; the wave's
// unit numbers start at lo, group g takes numbers = (g + G - rot) % G modulo G.
FN seg_t share(const global uchar *w, int lo, int units, int ush, int nch, int type, int g, int G,
               int rot, int *firstUnit) {
  seg_t s;
  int f = (g + G - rot) % G;
  while (f < lo) f += G;
  f -= lo;
  ulong ub = (ulong)(nch << ush) * chunkBytes(type);
  s.base = w + f * ub;
  s.ustride = G * ub;
  s.ush = ush; s.nch = nch; s.type = type;
  s.nt = f < units ? ((units - f + G - 1) / G) << ush : 0;
  *firstUnit = f;
  return s;
}

// Sum of squares from the local copy behind the D activations.
FN float rmsScale(const local uint4 *act, int lane) {
  const local float *ss = (const local float *)(act + ACT16(D));
  float v = 0;
  for (int i = lane; i < D / 32; i += 32) v += ss[i];
  return fastRsqrt(warpSum(v) * (1.0f / D) + 1e-5f);
}

// x of 32 rows -> residual stream, next wave's activations, sum of squares.
FN void emitX(float x, float nw, int tile, int lane, global float *xs, global uint4 *actD, uint tag,
              global uint *cD) {
  xs[tile * 32 + lane] = x;
  quantBlock(x * nw, warpSum(x * x), lane, actD + tile * 4, tag, cD);
}

FN float elemQ6K(const global uchar *m, int row, int k) {  // one weight of a Q6_K tile matrix
  const global uchar *p = m + ((ulong)(row >> 5) * (D / 256) + (k >> 8)) * q6k_BYTES;
  int r = row & 31, j = (k >> 5) & 7, e = k & 31;
  const global uchar *q = p + 576 + (j >> 2) * 3072 + r * 16;
  uint lw = ((const global uint *)(q + (j & 3) * 512))[(e & 15) >> 2];
  if (e >= 16) lw = rotate(lw, 28u);
  uint hw = ((const global uint *)(q + 2048 + ((j & 3) >> 1) * 512))[(j & 1) * 2 + (e >> 4)];
  uint w = Q6W(lw, hw << (2 * ((e & 15) >> 2)));
  int v = (int)(w << (24 - 8 * (e & 3))) >> 24;
  float d = half2float(((const global ushort *)p)[r]);
  return 0.25f * d * (float)((const global char *)(p + 64 + r * 16))[2 * j + (e >> 4)] * (float)v;
}
FN float elemQ80(const global uchar *m, int row, int k) {
  const global uchar *p = m + ((ulong)(row >> 5) * (D / 256) + (k >> 8)) * q80_BYTES;
  int r = row & 31, j = (k >> 5) & 7, e = k & 31;
  float d = half2float(((const global ushort *)(p + r * 16))[j]);
  return d * (float)((const global char *)(p + 512 + (2 * j + (e >> 4)) * 512 + r * 16))[e & 15];
}

FN ulong rankKey(float v, int i) {
  uint b = as_uint(v);
  b = (b & 0x80000000u) ? ~b : b | 0x80000000u;
  return ((ulong)b << 32) | (uint)~i;
}

// Two positions against HW heads; online softmax in base 2.
FN void attStep(float q[HW][8], float acc[HW][8], float *m, float *s, const uint4 *kv, const uint4 *vv,
                int ok0, int ok1) {
  float x[2][HW];
#pragma unroll
  for (int u = 0; u < 2; u++) {
    float2 k0 = unpackHalf(kv[u].x), k1 = unpackHalf(kv[u].y), k2 = unpackHalf(kv[u].z), k3 = unpackHalf(kv[u].w);
#pragma unroll
    for (int a = 0; a < HW; a++)
      x[u][a] = q[a][0] * k0.x + q[a][1] * k0.y + q[a][2] * k1.x + q[a][3] * k1.y
              + q[a][4] * k2.x + q[a][5] * k2.y + q[a][6] * k3.x + q[a][7] * k3.y;
  }
#pragma unroll
  for (int o = LPP / 2; o; o >>= 1)
#pragma unroll
    for (int u = 0; u < 2; u++)
#pragma unroll
      for (int a = 0; a < HW; a++) x[u][a] += shflXor(x[u][a], o);
  float e0[HW], e1[HW];
#pragma unroll
  for (int a = 0; a < HW; a++) {
    float x0 = ok0 ? x[0][a] : -1e30f, x1 = ok1 ? x[1][a] : -1e30f;
    float mn = fmax(m[a], fmax(x0, x1)), c = native_exp2(m[a] - mn);
    e0[a] = ok0 ? native_exp2(x0 - mn) : 0.0f;
    e1[a] = ok1 ? native_exp2(x1 - mn) : 0.0f;
    m[a] = mn;
    s[a] = s[a] * c + e0[a] + e1[a];
#pragma unroll
    for (int i = 0; i < 8; i++) acc[a][i] *= c;
  }
#pragma unroll
  for (int u = 0; u < 2; u++) {
    float2 v0 = unpackHalf(vv[u].x), v1 = unpackHalf(vv[u].y), v2 = unpackHalf(vv[u].z), v3 = unpackHalf(vv[u].w);
#pragma unroll
    for (int a = 0; a < HW; a++) {
      float e = u ? e1[a] : e0[a];
      acc[a][0] += e * v0.x; acc[a][1] += e * v0.y; acc[a][2] += e * v1.x; acc[a][3] += e * v1.y;
      acc[a][4] += e * v2.x; acc[a][5] += e * v2.y; acc[a][6] += e * v3.x; acc[a][7] += e * v3.y;
    }
  }
}

FN int attSplits(int pos) {
  return min((pos + SPLIT) / SPLIT, min(SMAX, (int)get_num_groups(0) / KVH));
}

// Attention of one kv head over one split of the positions, for its GQ query heads.
FN void attend(int l, int pos, int g, int tid, local uint4 *scratch,
               const global uint2 *qkv, const global float *qkn, const local float2 *csl,
               global ushort *kc, global ushort *vc, global uint4 *part, global uint4 *actQ, uint tag,
               global uint *cQ, global uint *err, global ulong *prof) {
  tid = opaque(tid);
  int warp = tid >> 5, lane = tid & 31;
  int S = attSplits(pos);
  int h = g % KVH, sp = g / KVH, per = (pos + S) / S, p0 = sp * per, p1 = min(pos, p0 + per);
  int newest = sp == S - 1;
  local float *raw = (local float *)scratch;           // GQ query heads, the key head, the value head
  local float *rs = raw + (GQ + 2) * HD;               // 8 floats
  local float *wm = rs + 8;                            // [PW][GQ]
  local float *wl = wm + PW * GQ;
  local float *wacc = wl + PW * GQ;                    // [PW][GQ][HD]
  ulong row = (ulong)(l * KVH + h) * MAXP;
  int sub = lane / LPP, dl = (lane % LPP) * 8;
  const global uint4 *kp = (const global uint4 *)(kc + row * HD + dl);
  const global uint4 *vp = (const global uint4 *)(vc + row * HD + dl);
  uint4 kv[2], vv[2];
  int hs = (warp % (GQ / HW)) * HW, pw = warp / (GQ / HW);
  int b = p0 + pw * PPW * 2 + sub;
#pragma unroll
  for (int u = 0; u < 2; u++) {
    int p = min(b + u * PPW, pos > 0 ? pos - 1 : 0);
    kv[u] = ldKv(kp + p * (HD / 8));
    vv[u] = ldKv(vp + p * (HD / 8));
  }
  {
    const int n = (GQ + 2) * HD;
    uint2 w[AU];
#pragma unroll
    for (int u = 0; u < AU; u++) {
      int i = tid + u * T;
      if (i < n) w[u] = ldPacket8(qkv + (i < GQ * HD ? h * GQ * HD + i : i < (GQ + 1) * HD ? QD + h * HD + i - GQ * HD : QD + (KVH + h) * HD + i - (GQ + 1) * HD));
    }
#pragma unroll
    for (int u = 0; u < AU; u++) {
      int i = tid + u * T;
      if (i < n) raw[i] = as_float(waitPacket8(qkv + (i < GQ * HD ? h * GQ * HD + i : i < (GQ + 1) * HD ? QD + h * HD + i - GQ * HD : QD + (KVH + h) * HD + i - (GQ + 1) * HD), w[u], tag, err));
    }
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  PROF(41);
#if QKNORM
  if (warp <= GQ) {
    float s = 0;
    for (int i = lane; i < HD; i += 32) { float x = raw[warp * HD + i]; s += x * x; }
    s = warpSum(s);
    if (lane == 0) rs[warp] = fastRsqrt(s * (1.0f / HD) + 1e-6f);
  }
  barrier(CLK_LOCAL_MEM_FENCE);
#endif
#pragma unroll
  for (int u = 0; u < ((GQ + 1) * HD / 2 + T - 1) / T; u++) {
    int i = tid + u * T;
    if (i < (GQ + 1) * HD / 2) {
      int hh = i / (HD / 2), e = i % (HD / 2);
      int ia = hh * HD + (ROPE_NEOX ? e : 2 * e), ib = ia + (ROPE_NEOX ? HD / 2 : 1);
      float a = raw[ia], bb = raw[ib];
      float2 cs = csl[e];
#if QKNORM
      const global float *nw = qkn + (l * 2 + (hh == GQ)) * HD;
      a *= rs[hh] * nw[ia - hh * HD]; bb *= rs[hh] * nw[ib - hh * HD];
#endif
      float f = hh == GQ ? 1.0f : 1.44269504f * fastRsqrt((float)HD);
      raw[ia] = (a * cs.x - bb * cs.y) * f;
      raw[ib] = (a * cs.y + bb * cs.x) * f;
    }
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  if (newest) for (int i = tid; i < HD / 2; i += T) {
    ((global uint *)(kc + (row + pos) * HD))[i] = packHalf(raw[GQ * HD + 2 * i], raw[GQ * HD + 2 * i + 1]);
    ((global uint *)(vc + (row + pos) * HD))[i] = packHalf(raw[(GQ + 1) * HD + 2 * i], raw[(GQ + 1) * HD + 2 * i + 1]);
  }
  PROF(42);
  float q[HW][8], acc[HW][8], m[HW], s[HW];
#pragma unroll
  for (int a = 0; a < HW; a++) {
    m[a] = -1e30f; s[a] = 0;
#pragma unroll
    for (int i = 0; i < 8; i++) { q[a][i] = raw[(hs + a) * HD + dl + i]; acc[a][i] = 0; }
  }
  int extra = newest && pw == PW - 1;
#pragma unroll 1
  while (1) {
    int ok0 = b < p1, ok1 = b + PPW < p1;
    if (b - sub >= p1) {
      if (!extra) break;
      extra = 0;
      const local float *kr = raw + GQ * HD + dl, *vr = kr + HD;
      kv[0] = (uint4)(packHalf(kr[0], kr[1]), packHalf(kr[2], kr[3]), packHalf(kr[4], kr[5]), packHalf(kr[6], kr[7]));
      vv[0] = (uint4)(packHalf(vr[0], vr[1]), packHalf(vr[2], vr[3]), packHalf(vr[4], vr[5]), packHalf(vr[6], vr[7]));
      ok0 = sub == 0;
      ok1 = 0;
    }
    uint4 kn[2], vn[2];
    b += PW * PPW * 2;
#pragma unroll
    for (int u = 0; u < 2; u++) {
      int p = max(min(b + u * PPW, p1 - 1), 0);
      kn[u] = ldKv(kp + p * (HD / 8));
      vn[u] = ldKv(vp + p * (HD / 8));
    }
    attStep(q, acc, m, s, kv, vv, ok0, ok1);
#pragma unroll
    for (int u = 0; u < 2; u++) {
      kv[u] = kn[u]; vv[u] = vn[u];
    }
  }
  PROF(43);
#pragma unroll
  for (int o = LPP; o < 32; o <<= 1) {
#pragma unroll
    for (int a = 0; a < HW; a++) {
      float m2 = shflXor(m[a], o), s2 = shflXor(s[a], o), mn = fmax(m[a], m2);
      float c = native_exp2(m[a] - mn), c2 = native_exp2(m2 - mn);
      m[a] = mn; s[a] = s[a] * c + s2 * c2;
#pragma unroll
      for (int i = 0; i < 8; i++) acc[a][i] = acc[a][i] * c + shflXor(acc[a][i], o) * c2;
    }
  }
#pragma unroll
  for (int a = 0; a < HW; a++) if (sub == 0) {
    local float4 *o4 = (local float4 *)(wacc + (pw * GQ + hs + a) * HD + dl);
    o4[0] = (float4)(acc[a][0], acc[a][1], acc[a][2], acc[a][3]);
    o4[1] = (float4)(acc[a][4], acc[a][5], acc[a][6], acc[a][7]);
    if (dl == 0) { wm[pw * GQ + hs + a] = m[a]; wl[pw * GQ + hs + a] = s[a]; }
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  PROF(44);
#pragma unroll 1
  for (int id = tid; id < GQ * HD; id += T) {
    int a = id / HD, e = id % HD;
    float M = -1e30f, sum = 0, o = 0;
#pragma unroll
    for (int w = 0; w < PW; w++) M = fmax(M, wm[w * GQ + a]);
#pragma unroll
    for (int w = 0; w < PW; w++) {
      float c = native_exp2(wm[w * GQ + a] - M);
      sum += wl[w * GQ + a] * c;
      o += wacc[(w * GQ + a) * HD + e] * c;
    }
    global uint4 *pp = part + h * SMAX * (GQ * HD) + id;
    if (sp > 0) stPacket(pp + sp * (GQ * HD), as_uint(o), as_uint(M), as_uint(sum), tag);
    else {
#pragma unroll 1
      for (int i = 1; i < S; i += 4) {
        uint4 v[4];
#pragma unroll
        for (int u = 0; u < 4; u++) if (i + u < S) v[u] = ldPacket(pp + (i + u) * (GQ * HD));
#pragma unroll
        for (int u = 0; u < 4; u++) if (i + u < S) {
          uint4 w = waitPacket(pp + (i + u) * (GQ * HD), v[u], tag, err);
          float m2 = as_float(w.y), mn = fmax(M, m2), c = native_exp2(M - mn), c2 = native_exp2(m2 - mn);
          o = o * c + as_float(w.x) * c2;
          sum = sum * c + as_float(w.z) * c2;
          M = mn;
        }
      }
      quantBlock(o * fastRcp(sum), 0.0f, lane, actQ + ((h * GQ * HD + id) >> 5) * 4, tag, cQ);
    }
  }
  PROF(45);
  barrier(CLK_LOCAL_MEM_FENCE);
}

kernel __attribute__((reqd_work_group_size(NW * 32, 1, 1)))
void token(const global uchar *W, const global ulong *tab, const global float *nrm,
           const global float *qkn, const global float2 *rope, global float *xs, global uint4 *actD,
           global uint4 *actQ, global uint4 *actF, global uint2 *qkv, global ushort *kc,
           global ushort *vc, global uint4 *part, global uint *error, global ulong *best,
           global float *logits, int tokIn, int pos, uint epoch) {
  local uint4 scratch[SCRATCH];
  local float2 csl[HD / 2];
  local ulong tabl[TABN];  // offsets: a dependent global load in every wave costs a microsecond
  local float *red = (local float *)(scratch + ACTMAX);
  const int tid0 = get_local_id(0), g0 = get_group_id(0), G = get_num_groups(0);
  int tid = tid0, warp = tid >> 5, lane = tid & 31, g = g0;
  start_t st;
  global uint *cD = error + 32, *cQ = error + 64, *cF = error + 96;  // blocks posted so far
  const uint token = (epoch - 1) / (4 * L + 1);
  st.src = 0; st.error = error; st.extras = 0; st.k = 0; st.tag = 0; st.prof = 0;
  if (tid < HD / 2) csl[tid] = rope[pos * (HD / 2) + tid];
  for (int i = tid; i < TABN; i += T) tabl[i] = tab[i];
  const global uchar *lm = W + tab[L * 8];
  global ulong *prof = best + 1024 + g * 64;
  // ---- embedding
  {
    int tok = tokIn;
    if (tok < 0) {
      local ulong *b = (local ulong *)scratch;
      if (tid < 256) b[tid] = tid < G ? best[tid] : 0;
      barrier(CLK_LOCAL_MEM_FENCE);
#pragma unroll 1
      for (int o = 128; o; o >>= 1) {
        if (tid < o) b[tid] = max(b[tid], b[tid + o]);
        barrier(CLK_LOCAL_MEM_FENCE);
      }
      tok = (int)~(uint)b[0];
    }
    int t = g + warp * G;
    if (t < D / 32)
      emitX(LMFMT == 3 ? elemQ80(lm, tok, t * 32 + lane) : elemQ6K(lm, tok, t * 32 + lane),
            nrm[t * 32 + lane], t, lane, xs, actD, epoch, cD);
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  uint tag = epoch;
  const int rotG = (QKV / 32) % G;
  const int batches = ((V / 32 - g + G - 1) / G + ROOM - 1) / ROOM;
#pragma unroll 1
  for (int l = 0; l <= L; l++) {
    const local ulong *tb = tabl + l * 8;
#pragma unroll 1
    for (int ph = 0; ph < (l < L ? 4 : batches); ph++) {
      int tid = opaque(tid0), warp = tid >> 5, lane = tid & 31, g = opaque(g0);
      // kinds: 0 qkv (then attention), 1 out, 2 gate-up, 3 down, 4 a batch of output rows
      int kind = l < L ? ph : 4;
      PROF(ph * 8);
      seg_t s;
      int k = kind == 1 ? QD : kind == 3 ? FF : D, nch = k / 256, f0 = 0;
      int nseg = kind == 0 ? 3 : 1, base = 0, wait = kind < 4 || ph == 0;
      float x0 = 0, nw = 0;
      if (kind == 1 || kind == 3) {
        int mine = g + warp * G;
        if (mine < D / 32) {
          x0 = xs[mine * 32 + lane];
          nw = nrm[(kind == 1 ? (L + 1 + l) : l + 1) * D + mine * 32 + lane];
        }
      }
      st.tag = tag; st.k = k; st.extras = !(kind & 1);
      st.src = kind == 1 ? actQ : kind == 3 ? actF : actD;
      st.counter = kind == 1 ? cQ : kind == 3 ? cF : cD;
      st.target = kind == 1 ? (token * L + l + 1) * (QD / 32) : kind == 3 ? (token * L + l + 1) * (FF / 32)
                : (token * (2 * L + 1) + 2 * l + 1 + (kind == 2)) * (D / 32);
      if (SLACK) st.target -= (kind == 1 ? QD : kind == 3 ? FF : D) / 32 >> SLACK;
      if (!wait) st.src = 0;
#ifdef PROFILE
      st.prof = l == PROFILE ? prof + ph * 8 : 0;
#endif
      if (kind == 0) {
        int S = attSplits(pos);
        if (tid == 0 && g < KVH * S) {
          int per = (pos + S) / S, p0 = g / KVH * per, p1 = min(pos, p0 + per);
          ulong at = ((ulong)(l * KVH + g % KVH) * MAXP + p0) * HD;
          if (p1 > p0) {
            prefetchL2((const global uchar *)(kc + at), (p1 - p0) * HD * 2);
            prefetchL2((const global uchar *)(vc + at), (p1 - p0) * HD * 2);
          }
        }
      }
#pragma unroll 1
      for (int i = 0; i < nseg; i++) {
        int lo = 0, units = D / 32, ush = 0, rot = 0, slot = kind + 2, type = WFMT;
        if (kind == 0) {
          lo = i == 0 ? 0 : i == 1 ? QD / 32 : (QD + KVH * HD) / 32;
          units = i == 0 ? QD / 32 : KVH * HD / 32;
          slot = i;
          if (i == 2) type = (int)tb[6];
        } else if (kind == 2) { units = FF / 32; ush = 1; rot = rotG; }
        else if (kind == 3) type = (int)tb[7];
        else if (kind == 4) { units = V / 32; slot = 0; type = LMFMT; }
        s = share(W + tb[slot], lo, units, ush, nch, type, g, G, rot, &f0);
        if (kind == 4) {
          s.base += (ulong)(ph * ROOM) * s.ustride;
          s.nt = min(s.nt - ph * ROOM, ROOM);
        }
        if (s.nt > 0) {
          tilesRun(&s, scratch, red + base * NW * 32, k, &st);
          st.src = 0;
          base += s.nt;
        }
      }
      PROF(ph * 8 + 3);
      float r = (kind & 1) ? 1.0f : rmsScale(scratch, lane);
      barrier(CLK_LOCAL_MEM_FENCE);
      PROF(ph * 8 + 4);
      if (wait) tag++;
      if (kind == 0) {
        // the group's tiles in turn are numbers g, g + G, ... of q, k and v one after another
#pragma unroll 1
        for (int e = warp; e < base; e += NW)
          stPacket8(qkv + (g + e * G) * 32 + lane, as_uint(r * tileSum(red, e, nch, lane)), tag);
        PROF(5);
        if (g < KVH * attSplits(pos))
          attend(l, pos, g, tid, scratch, qkv, qkn, csl, kc, vc, part, actQ, tag, cQ, error, prof);
      } else if (kind == 2) {
        if (2 * warp < base) {
          float a = r * tileSum(red, 2 * warp, nch, lane), b = r * tileSum(red, 2 * warp + 1, nch, lane);
          quantBlock(a * b * fastRcp(1.0f + native_exp(-a)), 0.0f, lane, actF + (f0 + warp * G) * 4, tag, cF);
        }
      } else if (kind == 4) {
#pragma unroll 1
        for (int t = warp; t < base; t += NW)
          logits[(g + (ph * ROOM + t) * G) * 32 + lane] = r * tileSum(red, t, nch, lane);
        barrier(CLK_LOCAL_MEM_FENCE);
      } else if (warp < base)
        emitX(x0 + tileSum(red, warp, nch, lane), nw, g + warp * G, lane, xs, actD, tag, cD);
      PROF(ph * 8 + 5 + (kind == 0));
    }
  }
  tid = opaque(tid0); warp = tid >> 5; lane = tid & 31;
  // ---- argmax over this group's logits
  ulong top = 0;
#pragma unroll 1
  for (int b = 0; b < batches; b++)
    for (int t = warp; t < ROOM; t += NW) {
      int row = (g + (b * ROOM + t) * G) * 32 + lane;
      if (row < V) top = max(top, rankKey(logits[row], row));
    }
  local ulong *b = (local ulong *)scratch;
  b[tid] = top;
  barrier(CLK_LOCAL_MEM_FENCE);
#pragma unroll 1
  for (int o = 512; o; o >>= 1) {
    if (tid < o && tid + o < T) b[tid] = max(b[tid], b[tid + o]);
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  if (tid == 0) best[g] = b[0];
}
