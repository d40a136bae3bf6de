#!/usr/bin/env bash
# Builds and runs the JMH benchmarks. Arguments go to JMH, for example:
#   scripts/bench.sh Q4kMatMul -p backend=cpu,opencl -p rows=1 -rf json -rff target/bench.json
set -eu
root=$(cd "$(dirname "$0")/.." && pwd -P)
readonly root
# shellcheck source=scripts/find-jdk.sh
. "$root/scripts/find-jdk.sh"
JAVA_HOME=$(find_jdk)
export JAVA_HOME
cd "$root"
mvn -q -B -ntp -Pbench -Dmaven.test.skip=true -Dspotless.check.skip=true -pl engine-bench -am package >&2
exec "$JAVA_HOME/bin/java" -cp "engine-bench/target/classes:engine-bench/target/lib/*" \
  --add-modules jdk.incubator.vector --enable-native-access=ALL-UNNAMED org.openjdk.jmh.Main \
  -jvmArgsAppend "--add-modules jdk.incubator.vector --enable-native-access=ALL-UNNAMED" "$@"
