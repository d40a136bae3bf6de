#define CL_TARGET_OPENCL_VERSION 120
#define CL_USE_DEPRECATED_OPENCL_1_2_APIS
#include <CL/cl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <math.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>
typedef unsigned char u8; typedef uint16_t u16; typedef uint32_t u32; typedef uint64_t u64;
cl_device_id dev; cl_context ctx; cl_command_queue q; int CU;
#define CK(e) do { cl_int _e = (e); if (_e) { printf("CL error %d at %s:%d\n", _e, __FILE__, __LINE__); fflush(stdout); _exit(1); } } while (0)
static double now(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec + 1e-9 * t.tv_nsec; }
static u64 rs = 88172645463325252ull;
static u32 rnd(void) { rs ^= rs << 13; rs ^= rs >> 7; rs ^= rs << 17; return (u32)(rs >> 16); }
static double uni(void) { return (rnd() & 0xffffff) / 16777216.0; }
static double gauss(void) { double s = 0; for (int i = 0; i < 12; i++) s += uni(); return s - 6; }
static u16 f2h(float f) { _Float16 h = (_Float16)f; u16 b; memcpy(&b, &h, 2); return b; }
static float h2f(u16 b) { _Float16 h; memcpy(&h, &b, 2); return (float)h; }
static char *slurp(const char *n) { FILE *f = fopen(n, "rb"); if (!f) { printf("no %s\n", n); exit(1); } fseek(f, 0, 2); long z = ftell(f); rewind(f); char *s = malloc(z + 1); if (fread(s, 1, z, f) != (size_t)z) exit(1); s[z] = 0; fclose(f); return s; }
static void init(void) {
  cl_platform_id p[8]; cl_uint np; CK(clGetPlatformIDs(8, p, &np));
  for (cl_uint i = 0; i < np; i++) { cl_uint nd = 0; if (!clGetDeviceIDs(p[i], getenv("PORTABLE") ? CL_DEVICE_TYPE_CPU : CL_DEVICE_TYPE_GPU, 1, &dev, &nd) && nd) break; }
  char nm[256], dv[256]; clGetDeviceInfo(dev, CL_DEVICE_NAME, 256, nm, 0); clGetDeviceInfo(dev, CL_DRIVER_VERSION, 256, dv, 0);
  cl_uint cu; clGetDeviceInfo(dev, CL_DEVICE_MAX_COMPUTE_UNITS, 4, &cu, 0); CU = cu;
  printf("device %s driver %s CU %d\n", nm, dv, CU);
  cl_int e; ctx = clCreateContext(0, 1, &dev, 0, 0, &e); CK(e);
  q = clCreateCommandQueue(ctx, dev, CL_QUEUE_PROFILING_ENABLE, &e); CK(e);
}
static cl_program build(const char *files, const char *opt) {
  char *src = calloc(1, 1 << 20), f[512]; strcpy(f, files);
  for (char *t = strtok(f, " "); t; t = strtok(0, " ")) { char *s = slurp(t); strcat(src, s); free(s); }
  cl_int e; const char *cs = src; cl_program p = clCreateProgramWithSource(ctx, 1, &cs, 0, &e); CK(e);
  char o[2048]; snprintf(o, 2048, getenv("PORTABLE") ? "-cl-std=CL1.2 %s" : "-cl-std=CL1.2 -cl-nv-verbose -DQUERN_PTX %s", opt);
  double t0 = now(); e = clBuildProgram(p, 1, &dev, o, 0, 0);
  static char log[1 << 16]; log[0] = 0; clGetProgramBuildInfo(p, dev, CL_PROGRAM_BUILD_LOG, sizeof log, log, 0);
  if (e) { log[3000] = 0; printf("BUILD FAILED %d: %s\n%s\n", e, opt, log); fflush(stdout); _exit(1); }
  char *l = log; while ((l = strstr(l, "Function properties for")) || 0) { char *n = strstr(l, "Used"); char *sp = strchr(l, '\n'); char a[64] = {0}, b[160] = {0}; sscanf(l + 24, "%63s", a); if (sp) { char *e2 = strchr(sp + 1, '\n'); int z = e2 ? e2 - sp - 1 : 0; if (z > 159) z = 159; memcpy(b, sp + 1, z); }
    int r = 0; if (n) sscanf(n, "Used %d", &r); if (strcmp(a, "fill")) printf("  [%s: %d regs;%s; %.0f ms]\n", a, r, b, 1e3 * (now() - t0)); l += 20; }
  free(src); return p;
}
static cl_mem buf(size_t n, const void *h) { cl_int e; cl_mem m = clCreateBuffer(ctx, CL_MEM_READ_WRITE | (h ? CL_MEM_COPY_HOST_PTR : 0), n, (void *)h, &e); CK(e); return m; }
// ---------------- formats: 0 q4k 1 q6k 2 q40 3 q80 4 tq2 5 f16
static const char *FN_[] = {"q4k", "q6k", "q40", "q80", "tq2", "f16"};
static const int BB[] = {144, 210, 18, 34, 66, 2}, BE[] = {256, 256, 32, 32, 256, 1}, CB[] = {4608, 6720, 4608, 8704, 2112, 4096}, CKK[] = {256, 256, 256, 256, 256, 64};
static void q4scales(const u8 *s, int j, int *sc, int *m) { if (j < 4) { *sc = s[j] & 63; *m = s[j + 4] & 63; } else { *sc = (s[j + 4] & 15) | (s[j - 4] >> 6) << 4; *m = s[j + 4] >> 4 | (s[j] >> 6) << 4; } }
static int q6val(const u8 *b, int i) { int h = i / 128, r = i % 128, l = r % 32, k = r / 32; const u8 *ql = b + 64 * h, *qh = b + 128 + 32 * h; int lo = k < 2 ? ql[l + 32 * (k & 1)] & 15 : ql[l + 32 * (k & 1)] >> 4; return (lo | ((qh[l] >> (2 * k)) & 3) << 4) - 32; }
static int q6sc(const u8 *b, int i) { int h = i / 128, r = i % 128, l = r % 32, k = r / 32; return ((const int8_t *)(b + 192))[8 * h + l / 16 + 2 * k]; }
static double deq(int f, const u8 *row, int i) {
  const u8 *b = row + (size_t)(i / BE[f]) * BB[f]; int e = i % BE[f]; u16 d; memcpy(&d, b, 2);
  switch (f) {
    case 0: { int sc, m; u16 dm; memcpy(&dm, b + 2, 2); q4scales(b + 4, e / 32, &sc, &m); u8 y = b[16 + 32 * (e / 64) + e % 32]; int v = (e / 32) & 1 ? y >> 4 : y & 15; return (double)(h2f(d) * sc) * v - (double)(h2f(dm) * m); }
    case 1: memcpy(&d, b + 208, 2); return (double)h2f(d) * q6sc(b, e) * q6val(b, e);
    case 2: { int v = e < 16 ? b[2 + e] & 15 : b[2 + e - 16] >> 4; return (double)h2f(d) * (v - 8); }
    case 3: return (double)h2f(d) * ((const int8_t *)(b + 2))[e];
    case 4: { memcpy(&d, b + 64, 2); int h = e / 128, r = e % 128; return (double)h2f(d) * (((b[32 * h + r % 32] >> (2 * (r / 32))) & 3) - 1); }
    default: return h2f(d);
  }
}
static void randBlocks(int f, u8 *p, size_t nb, double scale, int centred) {
  for (size_t k = 0; k < nb; k++, p += BB[f]) {
    for (int i = 0; i < BB[f]; i++) p[i] = rnd();
    u16 d = f2h(scale * (0.5 + uni()) * (centred || (rnd() & 1) ? 1 : -1));
    if (f == 0) {
      if (centred) { u16 dm = f2h(h2f(d) * 7.5f); memcpy(p + 2, &dm, 2); int sc[8]; for (int j = 0; j < 8; j++) sc[j] = 16 + rnd() % 33; for (int j = 0; j < 4; j++) { p[4 + j] = p[8 + j] = (sc[j] & 63) | (sc[j + 4] >> 4) << 6; p[12 + j] = (sc[j + 4] & 15) * 17; } }
      else { u16 dm = f2h(scale * (0.5 + uni())); memcpy(p + 2, &dm, 2); }
      memcpy(p, &d, 2);
    } else if (f == 1) memcpy(p + 208, &d, 2);
    else if (f == 4) { for (int i = 0; i < 64; i++) for (int s = 0; s < 8; s += 2) if (((p[i] >> s) & 3) == 3) p[i] ^= 2 << s; memcpy(p + 64, &d, 2); }
    else if (f == 5) { d = f2h(scale * gauss()); memcpy(p, &d, 2); }
    else memcpy(p, &d, 2);
  }
}
// tile32: src rows n x k in file order -> dst
static void relayout(int f, const u8 *src, u8 *dst, int n, int k) {
  size_t rb = (size_t)k / BE[f] * BB[f]; int ck = CKK[f];
  for (int t = 0; t < n / 32; t++) for (int c = 0; c < k / ck; c++) { u8 *o = dst + ((size_t)t * (k / ck) + c) * CB[f]; memset(o, 0, CB[f]);
    for (int r = 0; r < 32; r++) { const u8 *b = src + (size_t)(t * 32 + r) * rb + (size_t)c * ck / BE[f] * BB[f];
      if (f == 0) { memcpy(o + r * 16, b, 16);
        for (int j = 0; j < 8; j++) for (int i = 0; i < 16; i++) { const u8 *s = b + 16 + 32 * (j / 2); int a = j & 1 ? s[i] >> 4 : s[i] & 15, h = j & 1 ? s[i + 16] >> 4 : s[i + 16] & 15; o[512 + j * 512 + r * 16 + i] = a | h << 4; }
      } else if (f == 1) { memcpy(o + r * 2, b + 208, 2);
        for (int i = 0; i < 16; i++) o[64 + r * 16 + i] = q6sc(b, 16 * i);
        for (int j = 0; j < 8; j++) { u8 *h0 = o + 576 + (j / 4) * 3072 + r * 16, *L = h0 + (j % 4) * 512, *Hh = h0 + 2048 + ((j % 4) / 2) * 512 + (j & 1) * 8;
          for (int w = 0; w < 4; w++) { u32 x = 0; for (int y = 0; y < 4; y++) { int va = q6val(b, 32 * j + 4 * w + y) + 32, vb = q6val(b, 32 * j + 16 + 4 * w + y) + 32;
              x |= (u32)((va & 15) | (vb & 15) << 4) << (8 * y);
              Hh[y] |= ((va >> 4) ^ 2) << (6 - 2 * w); Hh[4 + y] |= ((vb >> 4) ^ 2) << (6 - 2 * w); }
            x = x << 2 | x >> 30; memcpy(L + 4 * w, &x, 4); } }
      } else if (f == 2) for (int j = 0; j < 8; j++) { memcpy(o + r * 16 + 2 * j, b + 18 * j, 2); memcpy(o + 512 + j * 512 + r * 16, b + 18 * j + 2, 16); }
      else if (f == 3) for (int j = 0; j < 8; j++) { memcpy(o + r * 16 + 2 * j, b + 34 * j, 2); memcpy(o + 512 + 2 * j * 512 + r * 16, b + 34 * j + 2, 16); memcpy(o + 512 + (2 * j + 1) * 512 + r * 16, b + 34 * j + 18, 16); }
      else if (f == 4) { memcpy(o + r * 2, b + 64, 2);
        for (int e = 0; e < 256; e++) { int code = (b[32 * (e / 128) + e % 32] >> (2 * ((e % 128) / 32))) & 3, j = e / 32, y = e % 32, w = y / 16, fl = (y % 16) / 4, by = y & 3; o[64 + (j / 2) * 512 + r * 16 + ((j & 1) * 2 + w) * 4 + by] |= code << (2 * fl); }
      } else for (int i = 0; i < 8; i++) memcpy(o + i * 512 + r * 16, b + i * 16, 16);
    } }
}
static u8 *quantAct(int f, const float *x, int k, size_t *bytes) {  // f16: halves; else bytes + (d, d*sum)
  if (f == 5) { u16 *o = malloc(k * 2); for (int i = 0; i < k; i++) o[i] = f2h(x[i]); *bytes = k * 2; return (u8 *)o; }
  u8 *o = malloc(k + k / 4); *bytes = k + k / 4; float *s = (float *)(o + k);
  for (int b = 0; b < k / 32; b++) { float m = 0; for (int i = 0; i < 32; i++) m = fmaxf(m, fabsf(x[b * 32 + i])); float d = m / 127, sum = 0; for (int i = 0; i < 32; i++) { int v = m > 0 ? (int)rintf(x[b * 32 + i] * (127 / m)) : 0; ((int8_t *)o)[b * 32 + i] = v; sum += v; } s[2 * b] = d; s[2 * b + 1] = d * sum; }
  return o;
}
static double med(double *a, int n) { for (int i = 0; i < n; i++) for (int j = i + 1; j < n; j++) if (a[j] < a[i]) { double t = a[i]; a[i] = a[j]; a[j] = t; } return a[n / 2]; }
static void argI(cl_kernel k, int i, int v) { CK(clSetKernelArg(k, i, 4, &v)); }
static void argL(cl_kernel k, int i, u64 v) { CK(clSetKernelArg(k, i, 8, &v)); }
static void argF(cl_kernel k, int i, float v) { CK(clSetKernelArg(k, i, 4, &v)); }
static void argM(cl_kernel k, int i, cl_mem v) { CK(clSetKernelArg(k, i, sizeof v, &v)); }
static void gemvTest(int f, int NW, int pfd) {
  char o[512]; snprintf(o, 512, "-DNW=%d -DFMT=%s -DAQN=%d -DASN=%d -DAHEADN=%d", NW, FN_[f], f == 5 ? 8 : 16, f == 5 ? 0 : 4, f == 4);
  cl_program p = build("ptx.clh packets.clh tile.clh gemv.cl", o); cl_int e; cl_kernel kg = clCreateKernel(p, "gemv", &e); CK(e); cl_kernel kf = clCreateKernel(p, "fill", &e); if (!getenv("PORTABLE")) CK(e);
  int shapes[][2] = {{96, 256}, {4256, 512}, {64, 2560}, {160, 3584}, {32, 14336}};
  double worst = 0;
  for (int s = 0; s < 5; s++) { int n = shapes[s][0], k = shapes[s][1]; if (f == 5 && k > 8192) continue; size_t rb = (size_t)k / BE[f] * BB[f];
    u8 *w = malloc(rb * n), *w2 = malloc((size_t)n / 32 * (k / CKK[f]) * CB[f]); randBlocks(f, w, rb * n / BB[f], 0.01, 0); relayout(f, w, w2, n, k);
    float *x = malloc(k * 4), *y = malloc(n * 4); for (int i = 0; i < k; i++) x[i] = gauss(); for (int i = 0; i < n; i++) y[i] = NAN;
    size_t ab; u8 *a = quantAct(f, x, k, &ab); cl_mem mw = buf((size_t)n / 32 * (k / CKK[f]) * CB[f], w2), ma = buf(ab, a), my = buf(n * 4, y);
    argM(kg, 0, mw); argL(kg, 1, 0); argM(kg, 2, ma); argM(kg, 3, my); argI(kg, 4, n); argI(kg, 5, k); argI(kg, 6, CKK[f]); argI(kg, 7, ab / 16); argI(kg, 8, k / 16);
    size_t L = NW * 32, G = L * CU; CK(clEnqueueNDRangeKernel(q, kg, 1, 0, &G, &L, 0, 0, 0)); CK(clEnqueueReadBuffer(q, my, 1, 0, n * 4, y, 0, 0, 0));
    for (int r = 0; r < n; r++) { double ref = 0, refq = 0, ab2 = 0; for (int i = 0; i < k; i++) { double wv = deq(f, w + rb * r, i); double xq = f == 5 ? h2f(((u16 *)a)[i]) : ((float *)(a + k))[2 * (i / 32)] * ((int8_t *)a)[i]; ref += wv * x[i]; refq += wv * xq; ab2 += fabs(wv * x[i]); }
      double er = fabs(y[r] - refq) / ab2, e2 = fabs(y[r] - ref) / ab2; if (!(er <= 2e-6) || !(e2 <= 1e-2)) { printf("FAIL %s n=%d k=%d row %d: got %g refq %g ref %g\n", FN_[f], n, k, r, y[r], refq, ref); fflush(stdout); _exit(1); } if (er > worst) worst = er; }
    clReleaseMemObject(mw); clReleaseMemObject(ma); clReleaseMemObject(my); free(w); free(w2); free(x); free(y); free(a); }
  printf("%s NW%d PFD%d ok, worst |err|/sum|ab| vs quantised reference %.1e\n", FN_[f], NW, pfd, worst);
  if (getenv("PORTABLE")) return;
  int ts[][2] = {{4096, 4096}, {6144, 4096}, {28672, 4096}, {4096, 14336}, {128256, 4096}, {2048, 8192}};
  for (int s = 0; s < 6; s++) { int n = ts[s][0], k = ts[s][1]; if (f == 5 && k > 8192) continue; size_t mb = (size_t)n / 32 * (k / CKK[f]) * CB[f]; int sets = (int)(600e6 / mb) + 1; if (sets > 24) sets = 24;
    cl_mem mw = buf(mb * sets, 0), my = buf(n * 4, 0); float *x = malloc(k * 4); for (int i = 0; i < k; i++) x[i] = gauss(); size_t ab; u8 *a = quantAct(f, x, k, &ab); cl_mem ma = buf(ab, a);
    argM(kf, 0, mw); argL(kf, 1, 0); argL(kf, 2, mb * sets / CB[f]); argI(kf, 3, f); argF(kf, 4, 0.001f); argI(kf, 5, 7); size_t fg = 132 * 2048, fl = 256; CK(clEnqueueNDRangeKernel(q, kf, 1, 0, &fg, &fl, 0, 0, 0));
    argM(kg, 0, mw); argM(kg, 2, ma); argM(kg, 3, my); argI(kg, 4, n); argI(kg, 5, k); argI(kg, 6, CKK[f]); argI(kg, 7, ab / 16); argI(kg, 8, k / 16);
    double t[64]; size_t L = NW * 32, G = L * CU; int N = 3 * sets < 15 ? 15 : 3 * sets; if (N > 60) N = 60; cl_event ev[64];
    for (int i = 0; i < N; i++) { argL(kg, 1, mb * (i % sets)); CK(clEnqueueNDRangeKernel(q, kg, 1, 0, &G, &L, 0, 0, &ev[i])); } CK(clFinish(q));
    for (int i = 0; i < N; i++) { u64 a0, a1; clGetEventProfilingInfo(ev[i], CL_PROFILING_COMMAND_START, 8, &a0, 0); clGetEventProfilingInfo(ev[i], CL_PROFILING_COMMAND_END, 8, &a1, 0); t[i] = (a1 - a0) * 1e-3; clReleaseEvent(ev[i]); }
    double m = med(t + 4, N - 4); printf("  %s [%d x %d] %.1f us %.2f TB/s\n", FN_[f], n, k, m, mb / m * 1e-6);
    clReleaseMemObject(mw); clReleaseMemObject(ma); clReleaseMemObject(my); free(x); free(a); }
  clReleaseProgram(p); fflush(stdout);
}
// ---------------- whole token
typedef struct { const char *name; int D, FF, H, KVH, HD, V, L, neox, qkn, wf, lmf, mix; } model;
static int more(int i, int n) { return i < n / 8 || i >= 7 * n / 8 || (i - n / 8) % 3 == 2; }
typedef struct { cl_kernel k; cl_mem b[16]; model m; int G, NW, bar; u64 *tab; size_t wbytes; int MAXP; u32 epoch; } tok;
static size_t mbytes(int f, int n, int k) { return (size_t)n / 32 * (k / CKK[f]) * CB[f]; }
static tok mk(model m, int NW, int pfd, int pfg, int split, int MAXP, int att, int GM, const char *extra) {
  tok t; memset(&t, 0, sizeof t); t.m = m; t.NW = NW; t.G = CU * GM; t.MAXP = MAXP; t.bar = m.L * 4 + 1; t.epoch = 1;
  char o[1024]; int use[6] = {0}; use[m.wf] = 1; use[m.lmf] = 1; if (m.mix) use[1] = 1;
  snprintf(o, 1024, "-DNW=%d -DSPLIT=%d -DMAXP=%d  -DD=%d -DFF=%d -DH=%d -DKVH=%d -DHD=%d -DV=%d -DL=%d -DROPE_NEOX=%d -DQKNORM=%d -DWFMT=%d -DLMFMT=%d -DUSE_Q4K=%d -DUSE_Q6K=%d -DUSE_Q40=%d -DUSE_Q80=%d -DUSE_TQ2=%d %s",
    NW, split, MAXP, m.D, m.FF, m.H, m.KVH, m.HD, m.V, m.L, m.neox, m.qkn, m.wf, m.lmf, use[0], use[1], use[2], use[3], use[4], extra);
  cl_program p = build("ptx.clh packets.clh tile.clh token.cl", o); cl_int e; t.k = clCreateKernel(p, "token", &e); CK(e);
  int QD = m.H * m.HD, KD = m.KVH * m.HD; t.tab = calloc(m.L * 8 + 8, 8); size_t off = 0;
  for (int l = 0; l < m.L; l++) { int vt = m.mix && more(l, m.L) ? 1 : m.wf; int ns[6] = {QD, KD, KD, m.D, 2 * m.FF, m.D}, ks[6] = {m.D, m.D, m.D, QD, m.D, m.FF}, ty[6] = {m.wf, m.wf, vt, m.wf, m.wf, vt};
    for (int i = 0; i < 6; i++) { t.tab[l * 8 + i] = off; off += mbytes(ty[i], ns[i], ks[i]); off = (off + 127) & ~127ull; } t.tab[l * 8 + 6] = t.tab[l * 8 + 7] = vt; }
  t.tab[m.L * 8] = off; off += mbytes(m.lmf, m.V, m.D); t.wbytes = off;
  int KM = m.FF > QD ? m.FF : QD; if (m.D > KM) KM = m.D;
  u32 *z = calloc(1, 1 << 22); size_t kvb = (size_t)m.L * m.KVH * MAXP * m.HD * 2;
  t.b[0] = buf(off, 0); t.b[1] = buf(m.L * 64 + 64, t.tab); float *n = malloc(4 * (2 * m.L + 1) * m.D); for (int i = 0; i < (2 * m.L + 1) * m.D; i++) n[i] = 0.5 + uni(); t.b[2] = buf(4 * (2 * m.L + 1) * m.D, n);
  t.b[4] = buf((size_t)MAXP * m.HD * 4, 0); float *cs = malloc((size_t)MAXP * m.HD * 4); for (int p2 = 0; p2 < MAXP; p2++) for (int i = 0; i < m.HD / 2; i++) { double a = p2 * pow(5e5, -2.0 * i / m.HD); cs[(p2 * (m.HD / 2) + i) * 2] = cos(a); cs[(p2 * (m.HD / 2) + i) * 2 + 1] = sin(a); } CK(clEnqueueWriteBuffer(q, t.b[4], 1, 0, (size_t)MAXP * m.HD * 4, cs, 0, 0, 0)); free(cs);
  float *qn = malloc(m.L * 2 * m.HD * 4); for (int i = 0; i < m.L * 2 * m.HD; i++) qn[i] = 0.5 + uni(); t.b[3] = buf(m.L * 2 * m.HD * 4, qn); 
  t.b[5] = buf(m.D * 4, 0); for (int i = 6; i < 9; i++) t.b[i] = buf(KM * 2 + 4096, z); t.b[9] = buf((QD + 2 * KD) * 8, z); t.b[10] = buf(kvb, 0); t.b[11] = buf(kvb, 0); t.b[12] = buf(m.H * 16 * m.HD * 16, z); t.b[13] = buf(4096, z); t.b[14] = buf(8 * (1024 + 64 * 512), 0); t.b[15] = buf(m.V * 4, 0);
  for (int i = 0; i < 16; i++) argM(t.k, i, t.b[i]); free(z); free(n); free(qn); return t;
}
static void step(tok *t, int token, int pos) { argI(t->k, 16, token); argI(t->k, 17, pos); argI(t->k, 18, t->epoch); t->epoch += t->bar; size_t L = t->NW * 32, G = L * t->G; CK(clEnqueueNDRangeKernel(q, t->k, 1, 0, &G, &L, 0, 0, 0)); }
static void okay(tok *t) { u32 s[40]; CK(clEnqueueReadBuffer(q, t->b[13], 1, 0, 160, s, 0, 0, 0)); if (s[0]) { printf("TIMEOUT waiting for a packet\n"); fflush(stdout); _exit(1); } }
static void freeTok(tok *t) { for (int i = 0; i < 16; i++) clReleaseMemObject(t->b[i]); clReleaseKernel(t->k); }
static void tokenCheck(model m, int NW, int split, int ntok, int pfd) {
  tok t = mk(m, NW, pfd, pfd > 0, split, 64, 1, 1, ""); int QD = m.H * m.HD, KD = m.KVH * m.HD, D = m.D, HD = m.HD; 
  double **W = calloc(m.L * 7 + 1, sizeof(double *)); u8 *img = calloc(1, t.wbytes);
  for (int l = 0; l <= m.L; l++) for (int i = 0; i < (l == m.L ? 1 : 7); i++) { int ns[7] = {QD, KD, KD, D, m.FF, D, m.FF}, ks[7] = {D, D, D, QD, D, m.FF, D}; int n = ns[i], k = ks[i], f = i == 2 || i == 5 ? t.tab[l * 8 + 6] : m.wf; if (l == m.L) n = m.V, k = D, f = m.lmf; size_t rb = (size_t)k / BE[f] * BB[f];
      double target = l == m.L ? 1.0 / 32 : 1.0 / sqrt(k), sd = f == 0 ? 4.6 * 33 : f == 1 ? 18.5 * 74 : f == 2 ? 4.6 : f == 3 ? 74 : 0.8;
      u8 *w = malloc(rb * n); randBlocks(f, w, rb * n / BB[f], target / sd, 1); double *dw = W[l * 7 + i] = malloc(8ull * n * k); for (int r = 0; r < n; r++) for (int c = 0; c < k; c++) dw[(size_t)r * k + c] = deq(f, w + rb * r, c);
      u8 *w2 = malloc(mbytes(f, n, k)); relayout(f, w, w2, n, k); size_t tb = (size_t)(k / CKK[f]) * CB[f];
      if (l == m.L) memcpy(img + t.tab[l * 8], w2, mbytes(f, n, k)); else if (i == 4 || i == 6) for (int x = 0; x < n / 32; x++) memcpy(img + t.tab[l * 8 + 4] + (2 * x + (i == 6)) * tb, w2 + x * tb, tb); else memcpy(img + t.tab[l * 8 + i], w2, mbytes(f, n, k)); free(w); free(w2); }
  CK(clEnqueueWriteBuffer(q, t.b[0], 1, 0, t.wbytes, img, 0, 0, 0));
  float *nr = malloc(4 * (2 * m.L + 1) * D), *qn = malloc(m.L * 2 * HD * 4); CK(clEnqueueReadBuffer(q, t.b[2], 1, 0, 4 * (2 * m.L + 1) * D, nr, 0, 0, 0)); CK(clEnqueueReadBuffer(q, t.b[3], 1, 0, m.L * 2 * HD * 4, qn, 0, 0, 0));
  double *K = calloc(m.L * 64 * KD, 8), *Vc = calloc(m.L * 64 * KD, 8), x[8192], h[8192], qv[16384], ao[8192], ff[16384], lg[8192]; float *gl = malloc(m.V * 4); double worst = 0; int agree = 0, argOk = 0, token = 1; u64 best[1024];
  for (int p = 0; p < ntok; p++) { 
    step(&t, p < 3 ? token : -1, p); CK(clFinish(q)); okay(&t); CK(clEnqueueReadBuffer(q, t.b[15], 1, 0, m.V * 4, gl, 0, 0, 0)); CK(clEnqueueReadBuffer(q, t.b[14], 1, 0, 8 * t.G, best, 0, 0, 0));
    for (int i = 0; i < D; i++) x[i] = W[m.L * 7][(size_t)token * D + i];
    for (int l = 0; l < m.L; l++) { double **w = W + l * 7, ss = 0;
      for (int i = 0; i < D; i++) ss += x[i] * x[i]; ss = 1 / sqrt(ss / D + 1e-5); for (int i = 0; i < D; i++) h[i] = x[i] * ss * nr[l * D + i];
      for (int r = 0; r < QD + 2 * KD; r++) { const double *ww = r < QD ? w[0] + (size_t)r * D : r < QD + KD ? w[1] + (size_t)(r - QD) * D : w[2] + (size_t)(r - QD - KD) * D; double s = 0; for (int i = 0; i < D; i++) s += ww[i] * h[i]; qv[r] = s; }
      for (int hh = 0; hh < m.H + m.KVH; hh++) { double *v = qv + hh * HD; if (m.qkn) { double s = 0; for (int i = 0; i < HD; i++) s += v[i] * v[i]; s = 1 / sqrt(s / HD + 1e-6); for (int i = 0; i < HD; i++) v[i] *= s * qn[(l * 2 + (hh >= m.H)) * HD + i]; }
        for (int e = 0; e < HD / 2; e++) { double a = p * pow(5e5, -2.0 * e / HD); int ia = m.neox ? e : 2 * e, ib = m.neox ? e + HD / 2 : 2 * e + 1; double u = v[ia] * cos(a) - v[ib] * sin(a), z = v[ia] * sin(a) + v[ib] * cos(a); v[ia] = u; v[ib] = z; } }
      memcpy(K + (l * 64 + p) * KD, qv + QD, 8 * KD); memcpy(Vc + (l * 64 + p) * KD, qv + QD + KD, 8 * KD);
      for (int hh = 0; hh < m.H; hh++) { int kh = hh / (m.H / m.KVH); double sc[64], mx = -1e300, sm = 0; for (int j = 0; j <= p; j++) { double s = 0; for (int i = 0; i < HD; i++) s += qv[hh * HD + i] * K[(l * 64 + j) * KD + kh * HD + i]; sc[j] = s / sqrt(HD); if (sc[j] > mx) mx = sc[j]; } for (int j = 0; j <= p; j++) sm += sc[j] = exp(sc[j] - mx); for (int i = 0; i < HD; i++) { double s = 0; for (int j = 0; j <= p; j++) s += sc[j] * Vc[(l * 64 + j) * KD + kh * HD + i]; ao[hh * HD + i] = s / sm; } }
      for (int r = 0; r < D; r++) { double s = 0; for (int i = 0; i < QD; i++) s += w[3][(size_t)r * QD + i] * ao[i]; x[r] += s; }
      ss = 0; for (int i = 0; i < D; i++) ss += x[i] * x[i]; ss = 1 / sqrt(ss / D + 1e-5); for (int i = 0; i < D; i++) h[i] = x[i] * ss * nr[(m.L + 1 + l) * D + i];
      for (int r = 0; r < m.FF; r++) { double a = 0, b = 0; for (int i = 0; i < D; i++) a += w[4][(size_t)r * D + i] * h[i], b += w[6][(size_t)r * D + i] * h[i]; ff[r] = a / (1 + exp(-a)) * b; }
      for (int r = 0; r < D; r++) { double s = 0; for (int i = 0; i < m.FF; i++) s += w[5][(size_t)r * m.FF + i] * ff[i]; x[r] += s; } }
    double ss = 0, e2 = 0, r2 = 0; for (int i = 0; i < D; i++) ss += x[i] * x[i]; ss = 1 / sqrt(ss / D + 1e-5); int am = 0, gm = 0;
    for (int r = 0; r < m.V; r++) { double s = 0; for (int i = 0; i < D; i++) s += W[m.L * 7][(size_t)r * D + i] * x[i] * ss * nr[m.L * D + i]; lg[r] = s; if (s > lg[am]) am = r; if (gl[r] > gl[gm]) gm = r; e2 += (s - gl[r]) * (s - gl[r]); r2 += s * s; }
    u64 bb = 0; for (int i = 0; i < t.G; i++) if (best[i] > bb) bb = best[i]; argOk += (int)~(u32)bb == gm; agree += am == gm; double nm = e2 / r2; if (!(nm <= worst)) worst = nm; 
    if (p < 2) token = 7 + p; else token = gm; }
  printf("token check %s HD%d NW%d split%d pfd%d: %d positions, worst NMSE of logits %.2e, top-1 agrees %d, device argmax right %d\n", m.name, HD, NW, split, pfd, ntok, worst, agree, argOk); fflush(stdout);
  freeTok(&t); for (int i = 0; i <= m.L * 7; i++) free(W[i]); free(img);
}
static void tokenTime(model m, int NW, int pfd, int pfg, int split, int att, int GM, int depths, const char *extra) {
  int MAXP = 4608; tok t = mk(m, NW, pfd, pfg, split, MAXP, att, GM, extra); cl_int e; static cl_program fp; if (!fp) fp = build("ptx.clh packets.clh tile.clh gemv.cl", "-DNW=16 -DFMT=q4k -DAQN=16 -DASN=4 -DAHEADN=0"); cl_kernel kf = clCreateKernel(fp, "fill", &e); CK(e); size_t fg = 132 * 2048, fl = 256;
  int QD = m.H * m.HD, KD = m.KVH * m.HD;
  for (int l = 0; l <= m.L; l++) for (int i = 0; i < (l == m.L ? 1 : 6); i++) { int ns[6] = {QD, KD, KD, m.D, 2 * m.FF, m.D}, ks[6] = {m.D, m.D, m.D, QD, m.D, m.FF}; int n = ns[i], k = ks[i], f = i == 2 || i == 5 ? t.tab[l * 8 + 6] : m.wf; if (l == m.L) n = m.V, k = m.D, f = m.lmf; double sd = f == 0 ? 4.6 * 32 : f == 1 ? 18.5 * 32 : f == 2 ? 4.6 : f == 3 ? 74 : 0.8;
      argM(kf, 0, t.b[0]); argL(kf, 1, t.tab[l * 8 + i]); argL(kf, 2, mbytes(f, n, k) / CB[f]); argI(kf, 3, f); argF(kf, 4, 1 / sqrt(k) / sd); argI(kf, 5, l * 8 + i + 1); CK(clEnqueueNDRangeKernel(q, kf, 1, 0, &fg, &fl, 0, 0, 0)); }
  for (int i = 10; i < 12; i++) { argM(kf, 0, t.b[i]); argL(kf, 1, 0); argL(kf, 2, (u64)m.L * m.KVH * MAXP * m.HD * 2 / 4096); argI(kf, 3, 5); argF(kf, 4, 1); argI(kf, 5, i); CK(clEnqueueNDRangeKernel(q, kf, 1, 0, &fg, &fl, 0, 0, 0)); } CK(clFinish(q));
  for (int d = 0; d < (depths ? 2 : 1); d++) { int p0 = d ? 4096 : 0, n = 128; double ts[9]; for (int r = 0; r < 6; r++) { double t0 = now(); for (int i = 0; i < n; i++) step(&t, i ? -1 : 5, p0 + i); CK(clFinish(q)); ts[r] = (now() - t0) / n; if (r == 0) okay(&t); } okay(&t); float lg[8]; CK(clEnqueueReadBuffer(q, t.b[15], 1, 0, 32, lg, 0, 0, 0));
    double mm = med(ts + 1, 5); printf("%s NW%d GM%d PFD%x PFG%x SPLIT%d ATT%d depth %d %s: %.1f us/token, %.0f tok/s, weights %.3f GB, %.2f TB/s (logit0 %g)\n", m.name, NW, GM, pfd, pfg, split, att, p0, extra, mm * 1e6, 1 / mm, t.wbytes * 1e-9, t.wbytes / mm * 1e-12, lg[0]); fflush(stdout); }
  if (strstr(extra, "PROFILE")) { u64 *pr = malloc(8 * 64 * t.G); CK(clEnqueueReadBuffer(q, t.b[14], 1, 8192, 8 * 64 * t.G, pr, 0, 0, 0));
    int seq[] = {0, 1, 2, 3, 4, 5, 41, 42, 43, 44, 45, 8, 9, 10, 11, 12, 13, 16, 17, 18, 19, 20, 21, 24, 25, 26, 27, 28, 29};
    printf("  cycles since wave start of group 0/4/100/131 and mean:"); for (int i = 1; i < 29; i++) { double a = 0; int n = 0; long mx = 0; for (int g = 0; g < t.G; g++) if (pr[g * 64 + seq[i]] > pr[g * 64] && pr[g * 64 + seq[i]] < pr[g * 64] + 1000000) { a += pr[g * 64 + seq[i]] - pr[g * 64]; n++; } printf("%s%d: %ld %ld %ld %ld ~%.0f", i == 6 || i == 11 || i == 17 || i == 23 || i == 1 ? "\n   " : " | ", seq[i], (long)(pr[seq[i]] - pr[0]), (long)(pr[4 * 64 + seq[i]] - pr[4 * 64]), (long)(pr[100 * 64 + seq[i]] - pr[100 * 64]), (long)(pr[131 * 64 + seq[i]] - pr[131 * 64]), n ? a / n : 0); } printf("\n"); free(pr); }
  freeTok(&t); clReleaseKernel(kf);
}
#include "runs.h"
int main(int c, char **v) { init(); runs(c, v); printf("DONE\n"); fflush(stdout); _exit(0); }
