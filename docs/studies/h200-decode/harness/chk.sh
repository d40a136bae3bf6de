# local compile check: chk.sh name "defs" files...
n=$1; d=$2; shift 2; cat "$(dirname "$0")/clang-prelude.h" "$@" > /tmp/$n.cl
clang-15 -DQUERN_PTX -ferror-limit=4 -Wno-c2x-extensions -x cl -cl-std=CL1.2 -DASM=__asm__ $d -Xclang -finclude-default-header -target nvptx64-nvidia-nvcl -march=sm_86 -Xclang -target-feature -Xclang +ptx75 -O3 -Wno-macro-redefined -Wno-unused-value -S -o /tmp/$n.ptx /tmp/$n.cl || exit 1
sed -i 's/^\.version.*/.version 8.0/; s/^\.target.*/.target sm_90/' /tmp/$n.ptx
ptxas -arch=sm_90 -v $PX -o /tmp/$n.cubin /tmp/$n.ptx 2>&1 | grep -vE 'Compiling|^$' | head -20
