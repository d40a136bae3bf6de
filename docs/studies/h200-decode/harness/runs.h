static model T1 = {"tiny64", 512, 1024, 8, 2, 64, 1024, 3, 0, 0, 0, 1, 1}, T2 = {"tiny128", 512, 1536, 8, 2, 128, 1024, 2, 1, 1, 0, 1, 1};
static model M8 = {"llama-8b", 4096, 14336, 32, 8, 128, 128256, 32, 0, 0, 0, 1, 1}, M1 = {"llama-1b", 2048, 8192, 32, 8, 64, 128256, 16, 0, 0, 0, 1, 1}, M4 = {"qwen3-4b", 2560, 9728, 32, 8, 128, 151936, 36, 1, 1, 0, 1, 1};
static model M1q8 = {"llama-1b-Q8_0", 2048, 8192, 32, 8, 64, 128256, 16, 0, 0, 3, 3, 0}, M8t = {"llama-8b-TQ2_0", 4096, 14336, 32, 8, 128, 128256, 32, 0, 0, 4, 1, 0}, M8q40 = {"llama-8b-Q4_0", 4096, 14336, 32, 8, 128, 128256, 32, 0, 0, 2, 1, 0}, T8 = {"tiny-q80", 512, 1024, 8, 2, 64, 1024, 3, 0, 0, 3, 3, 0}, TT = {"tiny-tq2", 512, 1024, 8, 2, 64, 1024, 3, 0, 0, 4, 1, 0}, T40 = {"tiny-q40", 512, 1024, 8, 2, 64, 1024, 3, 0, 0, 2, 1, 0};
static void gemmTest(int gt) {
  char o[64]; sprintf(o, "-DBM=%d", gt); cl_program p = build("ptx.clh gemm.cl", o); cl_int e; cl_kernel k = clCreateKernel(p, "gemm", &e); CK(e);
  int sh[][3] = {{512, 14336, 4096}, {2048, 14336, 4096}, {512, 4096, 14336}, {512, 4096, 4096}};
  for (int s = 0; s < 4; s++) { int m = sh[s][0], n = sh[s][1], kk = sh[s][2]; size_t ab = (size_t)m * kk, bb = (size_t)n * kk; u16 *a = malloc(ab * 2), *b = malloc(bb * 2);
    for (size_t i = 0; i < ab; i++) a[i] = f2h((uni() - 0.5) * 2); for (size_t i = 0; i < bb; i++) b[i] = f2h((uni() - 0.5) * 2); float *c = malloc(4ull * m * n); memset(c, 0xff, 4ull * m * n);
    int sets = 4; cl_mem ma = buf(ab * 2, a), mc = buf(4ull * m * n, c), mb[4]; for (int i = 0; i < sets; i++) mb[i] = buf(bb * 2, b);
    argM(k, 0, ma); argM(k, 2, mc); argI(k, 3, m); argI(k, 4, n); argI(k, 5, kk); size_t L = gt, G = L * (m / gt) * (n / 128); cl_event ev[20]; double t[20];
    for (int i = 0; i < 20; i++) { argM(k, 1, mb[i % sets]); CK(clEnqueueNDRangeKernel(q, k, 1, 0, &G, &L, 0, 0, &ev[i])); } CK(clFinish(q));
    for (int i = 0; i < 20; i++) { u64 a0, a1; clGetEventProfilingInfo(ev[i], CL_PROFILING_COMMAND_START, 8, &a0, 0); clGetEventProfilingInfo(ev[i], CL_PROFILING_COMMAND_END, 8, &a1, 0); t[i] = (a1 - a0) * 1e-3; }
    CK(clEnqueueReadBuffer(q, mc, 1, 0, 4ull * m * n, c, 0, 0, 0)); double worst = 0; int nan = 0; for (size_t i = 0; i < (size_t)m * n; i++) nan += c[i] != c[i];
    for (int x = 0; x < 4000; x++) { int r = rnd() % m, cc = rnd() % n; double ref = 0, sa = 0; for (int i = 0; i < kk; i++) { double v = (double)h2f(a[(size_t)r * kk + i]) * h2f(b[(size_t)cc * kk + i]); ref += v; sa += fabs(v); } double er = fabs(ref - c[(size_t)r * n + cc]) / sa; if (er > worst) worst = er; }
    double md = med(t + 4, 16); printf("gemm f16 mma.sync BM%d M=%d N=%d K=%d: %.1f us %.0f TFLOP/s, worst err/sum|ab| %.1e, unwritten %d\n", gt, m, n, kk, md, 2.0 * m * n * kk / md * 1e-6, worst, nan); fflush(stdout);
    clReleaseMemObject(ma); clReleaseMemObject(mc); for (int i = 0; i < sets; i++) clReleaseMemObject(mb[i]); free(a); free(b); free(c); }
}
static void runsDecode(int c, char **v) {
  rs ^= (u64)time(0) * 2654435761u;
  if (getenv("PORTABLE")) { for (int f = 0; f < 6; f++) gemvTest(f, 12, 0); return; }
  for (int f = 0; f < 6; f++) gemvTest(f, 12, 0);
  tokenCheck(T1, 12, 8, 40, 0); tokenCheck(T2, 12, 4, 40, 0); tokenCheck(T8, 12, 16, 20, 0); tokenCheck(TT, 12, 16, 20, 0); tokenCheck(T40, 12, 16, 20, 0); tokenCheck(T40, 12, 16, 20, 0);
  tokenTime(M8, 12, 0, 0, 128, 1, 1, 1, ""); tokenTime(M4, 12, 0, 0, 128, 1, 1, 1, ""); tokenTime(M1, 12, 0, 0, 128, 1, 1, 1, "");
  tokenTime(M1q8, 12, 0, 0, 128, 1, 1, 0, ""); tokenTime(M8t, 12, 0, 0, 128, 1, 1, 0, ""); tokenTime(M8q40, 12, 0, 0, 128, 1, 1, 0, "");
}
static void runs(int c, char **v) { if (getenv("GEMM")) { gemmTest(256); } else runsDecode(c, v); }
