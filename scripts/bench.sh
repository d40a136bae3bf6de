#!/usr/bin/env bash
# Measures. What is measured, and the files:
#   scripts/bench.sh short           a suite of at most ten minutes on two cores, then its report
#   scripts/bench.sh full            the whole suite (hours), then its report
#   scripts/bench.sh gpu             models and products of the sizes that a large GPU is for, on opencl
#   scripts/bench.sh gate            ratios with floors, and a line in docs/history
#   scripts/bench.sh report FILE...  the report of results measured before, here or elsewhere
#   scripts/bench.sh pack            engine-bench/target/quern-bench.tar.gz, for a machine without Maven:
#     bin/bench short FILE there, on the Java of JAVA_HOME (that of an unpacked copy of Quern is
#     quern/runtime), then `report FILE` here
#   scripts/bench.sh [JMH ARGUMENT]...    benchmarks by hand, for example
#     scripts/bench.sh ProjectionBench -p backend=cpu,opencl -p format=Q4_K -p rows=1
# A suite writes report/result-SUITE.json and report/index.html; with --document also the generated
# part of docs/performance.md and the picture of the README. --backends cpu,opencl names backends.
# Nothing else should run on the machine.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd -P)
readonly root
# shellcheck source=scripts/find-jdk.sh
. "$root/scripts/find-jdk.sh"
if [ $# = 0 ]; then # all of JMH would take hours
  sed -n '2,/^set/{/^# /s/^# //p}' "$0" >&2
  exit 2
fi
JAVA_HOME=$(find_jdk)
export JAVA_HOME
cd "$root"
mvn -q -B -ntp -Pbench -Dmaven.test.skip=true -Dspotless.check.skip=true -pl engine-bench -am package >&2

run() {
  keep_signals "$JAVA_HOME" # forks inherit it
  "$JAVA_HOME/bin/java" -cp "engine-bench/target/classes:engine-bench/target/lib/*" \
    -Djava.awt.headless=true --sun-misc-unsafe-memory-access=allow \
    --add-modules jdk.incubator.vector --enable-native-access=ALL-UNNAMED "$@"
}

case ${1:-} in
  short | full | gpu | gate | smoke)
    suite=$1
    shift
    document=-
    backends=()
    while [ $# -gt 0 ]; do
      case $1 in
        --document) document=docs/performance.md ;;
        --backends)
          backends=("${2:?--backends: needs names with commas}")
          shift
          ;;
        *)
          echo "bench: must be --document or --backends NAMES but is $1" >&2
          exit 2
          ;;
      esac
      shift
    done
    result=report/result-$suite.json
    run dev.quern.bench.Suite "$suite" "$result" ${backends[@]+"${backends[@]}"}
    if [ "$suite" = gate ]; then
      run dev.quern.bench.report.Gate "$result" docs/history
    else
      run dev.quern.bench.report.Report report "$document" "$result"
    fi
    ;;
  pack)
    pack=engine-bench/target/quern-bench
    rm -rf engine-bench/target/quern-bench
    mkdir -p "$pack/bin"
    cp -r engine-bench/target/lib engine-bench/target/classes "$pack/"
    commit=$(git describe --always --abbrev=40 --match= --dirty 2>/dev/null || echo unknown)
    sed "s/@commit@/$commit/" >"$pack/bin/bench" <<'LAUNCHER'
#!/bin/sh
# usage: bench short|full|gpu|gate|smoke FILE [BACKEND,...]
home=$(dirname "$(cd "$(dirname "$0")" && pwd -P)")
exec "${JAVA_HOME:?must name a Java 25}/bin/java" -cp "$home/classes:$home/lib/*" \
  -Dquern.commit=@commit@ --sun-misc-unsafe-memory-access=allow \
  --add-modules jdk.incubator.vector --enable-native-access=ALL-UNNAMED dev.quern.bench.Suite "$@"
LAUNCHER
    chmod +x "$pack/bin/bench"
    tar -C engine-bench/target -czf engine-bench/target/quern-bench.tar.gz quern-bench
    echo engine-bench/target/quern-bench.tar.gz
    ;;
  report)
    shift
    document=-
    if [ "${1:-}" = --document ]; then
      document=docs/performance.md
      shift
    fi
    run dev.quern.bench.report.Report report "$document" "$@"
    ;;
  *)
    run org.openjdk.jmh.Main "$@"
    ;;
esac
