#define get_local_id(x) __nvvm_read_ptx_sreg_tid_x()
#define get_group_id(x) __nvvm_read_ptx_sreg_ctaid_x()
#define get_num_groups(x) __nvvm_read_ptx_sreg_nctaid_x()
#define get_global_id(x) (__nvvm_read_ptx_sreg_ctaid_x()*512+__nvvm_read_ptx_sreg_tid_x())
#define get_global_size(x) (__nvvm_read_ptx_sreg_nctaid_x()*512)
#define barrier(x) __syncthreads()
#define __syncthreads() __nvvm_bar0()
static inline void __nvvm_bar0(void){ __asm__ volatile("bar.sync 0;" ::: "memory"); }
#define fmax(a,b) __builtin_fmaxf(a,b)
#define fabs(a) __builtin_fabsf(a)
#define fma(a,b,c) __builtin_fmaf(a,b,c)
static inline float xrint(float x){float r; __asm__("cvt.rni.f32.f32 %0,%1;":"=f"(r):"f"(x)); return r;}
#define rint(x) xrint(x)
static inline float xex2(float x){float r; __asm__("ex2.approx.f32 %0,%1;":"=f"(r):"f"(x)); return r;}
#define native_exp2(x) xex2(x)
#define native_exp(x) xex2((x)*1.442695f)
#define min(a,b) ((a)<(b)?(a):(b))
#define max(a,b) ((a)>(b)?(a):(b))
static inline uint __attribute__((overloadable)) xrot(uint a, uint b){return a<<b|a>>(32-b);}
static inline uint4 __attribute__((overloadable)) xrot(uint4 a, uint4 b){return a<<b|a>>(32-b);}
#define rotate(a,b) xrot(a,b)
#define as_uint(x) __builtin_astype(x,uint)
#define as_float(x) __builtin_astype(x,float)
