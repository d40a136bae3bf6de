// C[m,n] = A[m,k] * B[n,k]^T, halves in, float out: mma.sync m16n8k16, cp.async ring of 3 stages.
// Tile BM x 128 x 32, warps of 64 x 64: BM 128 with 128 items and 3 stages, BM 256 with 256 items and
// 2 stages (no faster when measured); m multiple of BM, n multiples of 128, k of 32. Local memory 49,152 B (all of it).
FN void cpAsync16(uint to, const global void *from) {
  ASM volatile("cp.async.cg.shared.global [%0], [%1], 16;" :: "r"(to), "l"((ulong)from) : "memory");
}
FN void ldMatrix4(uint *r, uint from) {
  ASM volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3]) : "r"(from) : "memory");
}
FN void mma(float *c, const uint *a, const uint *b) {
  ASM volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
               : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}
// Byte offset of 16-byte column chunk c of a row of 64 bytes, swizzled so that 8 rows fill 32 banks.
FN uint at(uint row, uint c) { return row * 64 + ((c ^ ((row >> 1) & 3)) << 4); }

#ifndef BM
#define BM 128
#endif
#define GT BM
#define ST (BM == 256 ? 2 : 3)
#define STAGE ((BM + 128) * 64)
#define WN 64  // columns per warp
#define NF (WN / 8)

FN void stage(uint to, const global uchar *a, const global uchar *b, int rowBytes, int tid) {
#pragma unroll
  for (int i = 0; i < BM * 4 / GT; i++) {
    int id = tid + i * GT, row = id >> 2, c = id & 3;
    cpAsync16(to + at(row, c), a + (ulong)row * rowBytes + c * 16);
  }
#pragma unroll
  for (int i = 0; i < 512 / GT; i++) {
    int id = tid + i * GT, row = id >> 2, c = id & 3;
    cpAsync16(to + BM * 64 + at(row, c), b + (ulong)row * rowBytes + c * 16);
  }
}
kernel __attribute__((reqd_work_group_size(GT, 1, 1)))
void gemm(const global uchar *A, const global uchar *B, global float *C, int m, int n, int k) {
  local uint4 mem[3072];
  int tid = get_local_id(0), warp = tid >> 5, lane = tid & 31;
  int bm = get_group_id(0) % (m / BM), bn = get_group_id(0) / (m / BM);
  int wm = (warp % (BM / 64)) * 64, wn = (warp / (BM / 64)) * WN, rb = k * 2, steps = k / 32;
  const global uchar *a = A + (ulong)bm * BM * rb, *b = B + (ulong)bn * 128 * rb;
  uint base = (uint)(ulong)mem;
  float c[4][NF][4];
#pragma unroll
  for (int i = 0; i < 4; i++)
#pragma unroll
    for (int j = 0; j < NF; j++)
#pragma unroll
      for (int x = 0; x < 4; x++) c[i][j][x] = 0;
#pragma unroll
  for (int s = 0; s < ST - 1; s++) {
    stage(base + s * STAGE, a + s * 64, b + s * 64, rb, tid);
    ASM volatile("cp.async.commit_group;" ::: "memory");
  }
  uint slot = 0;
#pragma unroll 1
  for (int s = 0; s < steps; s++) {
    ASM volatile("cp.async.wait_group %0;" :: "n"(ST - 2) : "memory");
    barrier(CLK_LOCAL_MEM_FENCE);
    uint next = slot == 0 ? ST - 1 : slot - 1;
    if (s + ST - 1 < steps) stage(base + next * STAGE, a + (s + ST - 1) * 64, b + (s + ST - 1) * 64, rb, tid);
    ASM volatile("cp.async.commit_group;" ::: "memory");
    uint as = base + slot * STAGE, bs = as + BM * 64;
#pragma unroll
    for (int kk = 0; kk < 2; kk++) {
      uint fa[4][4], fb[NF / 2][4];
#pragma unroll
      for (int i = 0; i < 4; i++) ldMatrix4(fa[i], as + at(wm + i * 16 + (lane & 15), kk * 2 + (lane >> 4)));
#pragma unroll
      for (int j = 0; j < NF / 2; j++) ldMatrix4(fb[j], bs + at(wn + j * 16 + (lane & 7) + ((lane >> 4) << 3), kk * 2 + ((lane >> 3) & 1)));
#pragma unroll
      for (int i = 0; i < 4; i++)
#pragma unroll
        for (int j = 0; j < NF; j++) mma(c[i][j], fa[i], fb[j >> 1] + (j & 1) * 2);
    }
    slot = slot == ST - 1 ? 0 : slot + 1;
  }
#pragma unroll
  for (int i = 0; i < 4; i++)
#pragma unroll
    for (int j = 0; j < NF; j++) {
      global float *o = C + (ulong)(bm * BM + wm + i * 16 + (lane >> 2)) * n + bn * 128 + wn + j * 8 + (lane & 3) * 2;
      *(global float2 *)o = (float2)(c[i][j][0], c[i][j][1]);
      *(global float2 *)(o + 8 * n) = (float2)(c[i][j][2], c[i][j][3]);
    }
}
