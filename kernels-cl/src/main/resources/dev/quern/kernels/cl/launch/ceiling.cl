// What a device reaches at best: loads that are only added up, and independent multiply-adds.
// WIDE: a vector of 32-bit words, uint4 where neighbouring work-items share a cache line and uint16
// where one work-item is a core. FLOATS: float or float16, likewise.

// Work-item i takes the words i, i + items, ... where SPREAD, else its own range.
__kernel void ceiling_read(__global const WIDE *x, __global WIDE *sums, int each) {
  size_t item = get_global_id(0);
#ifdef SPREAD
  size_t step = get_global_size(0);
  size_t at = item;
#else
  size_t step = 1;
  size_t at = item * each;
#endif
  WIDE a = 0, b = 0, c = 0, d = 0;
  for (int i = 0; i < each; i += 4) {
    a += x[at];
    b += x[at + step];
    c += x[at + 2 * step];
    d += x[at + 3 * step];
    at += 4 * step;
  }
  sums[item] = a + b + c + d;
}

__kernel void ceiling_fma(__global FLOATS *sums, int steps) {
  size_t item = get_global_id(0);
  FLOATS one = 1.0f, half_ = 0.5f;
  FLOATS a = item, b = a + one, c = b + one, d = c + one, e = d + one, f = e + one, g = f + one,
         h = g + one;
  for (int i = 0; i < steps; i++) {
    a = fma(a, half_, one);
    b = fma(b, half_, one);
    c = fma(c, half_, one);
    d = fma(d, half_, one);
    e = fma(e, half_, one);
    f = fma(f, half_, one);
    g = fma(g, half_, one);
    h = fma(h, half_, one);
  }
  sums[item] = a + b + c + d + e + f + g + h;
}
