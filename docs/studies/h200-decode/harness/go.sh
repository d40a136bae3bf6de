# The driver must be registered: /etc/OpenCL/vendors/nvidia.icd names libnvidia-opencl.so.
cd "$(dirname "$0")"
L=$(ls /usr/lib/x86_64-linux-gnu/libOpenCL.so* /usr/local/cuda*/targets/x86_64-linux/lib/libOpenCL.so* /usr/local/nvidia/lib64/libOpenCL.so* 2>/dev/null | head -1)
gcc -O2 -march=native -w -I. -o host host.c $L -lm || exit 1
export LD_LIBRARY_PATH=$LD_LIBRARY_PATH:$(dirname $L)
timeout ${1:-200} ./host $2 $3 $4
