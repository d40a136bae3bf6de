// Weights in the order of the file to tiles. Set by the build: REGROUP, CHUNK_BYTES.
// One item for the blocks of one row in one chunk.

kernel void regroup(global const uchar *from, global uchar *to, const uint from_low, const uint from_high,
                    const uint to_low, const uint to_high, const uint rows, const uint chunks) {
  const size_t item = get_global_id(0);
  const size_t chunk = item / 32 % chunks;
  const size_t tile = item / 32 / chunks;
  const uint r = item % 32;
  if (tile * 32 < rows) {
    const size_t row = tile * 32 + r;
    REGROUP(from + ((ulong)from_low | (ulong)from_high << 32) + (row * chunks + chunk) * (CHUNK_BYTES / 32),
            to + ((ulong)to_low | (ulong)to_high << 32) + (tile * chunks + chunk) * CHUNK_BYTES, r);
  }
}
