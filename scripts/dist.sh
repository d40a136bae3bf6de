#!/usr/bin/env bash
# Called by `mvn -Pdist package`: makes TARGET/quern-<os>-<arch>.tar.xz of the jars in TARGET/dist.
# usage: scripts/dist.sh TARGET JAR-NAME
set -eu
target=$1
jar=$2
root=$(cd "$(dirname "$0")/.." && pwd -P)
readonly target jar root
# shellcheck source=scripts/find-jdk.sh
. "$root/scripts/find-jdk.sh"
jdk=$(find_jdk)

os=$(uname -s | tr '[:upper:]' '[:lower:]')
jocl=$(echo "$os-$(uname -m)" | sed 's/darwin/apple/; s/aarch64/arm64/')
image=$target/dist/quern
mkdir -p "$target/dist"
rm -rf "$target/dist/quern"
mkdir -p "$image/bin" "$image/lib" "$image/test"

cp "$target/$jar.jar" "$target"/dist/lib/*.jar "$image/lib/"
cp "$target/$jar-tests.jar" "$target"/dist/test/*.jar "$image/test/"
for file in "$image"/lib/*.jar; do
  rm -f "$image/test/$(basename "$file")"
done

# xz packs classes better than the deflate of a jar: store them.
work=$target/dist/work
for file in "$image"/lib/*.jar "$image"/test/*.jar; do
  rm -rf "$target/dist/work"
  mkdir -p "$work"
  (cd "$work" && "$jdk/bin/jar" --extract --file "$file")
  # JOCL brings its library for five systems: this image is for one.
  for native in "$work"/lib/*JOCL*; do
    case $native in
      *-"$jocl".*) ;;
      *) rm -f "$native" ;;
    esac
  done
  manifest=--no-manifest
  [ ! -f "$work/META-INF/MANIFEST.MF" ] || manifest="--manifest=$work/META-INF/MANIFEST.MF"
  "$jdk/bin/jar" --create --no-compress "$manifest" --file "$file" -C "$work" .
done
rm -rf "$target/dist/work"

# Modules of the JDK that a jar of ours or of a library needs (java.desktop: jinjava's java.beans;
# jdk.jfr: events; jdk.zipfs: JUnit looks for tests in jars);
# the others that jdeps names (jdk.jdi, jdk.attach, java.sql) are for parts that never run here.
modules=java.base,java.desktop,java.logging,java.management,java.xml,jdk.incubator.vector,jdk.jfr,jdk.management,jdk.unsupported,jdk.zipfs
"$jdk/bin/jlink" --add-modules "$modules" --output "$image/runtime" \
  --strip-java-debug-attributes --no-header-files --no-man-pages --compress zip-0

commit=$(git -C "$root" describe --always --abbrev=40 --match= --dirty 2>/dev/null || echo unknown)
sed "s/@commit@/$commit/" >"$image/bin/quern" <<'LAUNCHER'
#!/bin/sh
# Runs Quern on the Java of this image.
bin=$(cd "$(dirname "$0")" && pwd -P)
home=$(dirname "$bin")
# The JVM announces incubator modules on stderr: the command erases the line from a terminal.
erase=false
[ ! -t 2 ] || erase=true
# PoCL's compiler takes the JVM's signal handlers for moments; this library keeps them.
[ ! -r "$home/runtime/lib/libjsig.so" ] || export LD_PRELOAD="$home/runtime/lib/libjsig.so"
# shellcheck disable=SC2086
exec "$home/runtime/bin/java" -cp "$home/lib/*" --add-modules jdk.incubator.vector \
  --enable-native-access=ALL-UNNAMED -XX:+UseSerialGC -Dquern.erase=$erase -Dquern.commit=@commit@ \
  ${QUERN_JAVA_OPTS:-} \
  dev.quern.cli.QuernCommand "$@"
LAUNCHER

cat >"$image/bin/conformance" <<'LAUNCHER'
#!/bin/sh
# Runs the conformance suite on this machine, without Maven.
# usage: conformance [--backend NAME] [OPTION]... (of the JUnit console, for example --details=tree)
# Without --backend: every backend. Those that find no device skip their tests, unless named.
bin=$(cd "$(dirname "$0")" && pwd -P)
home=$(dirname "$bin")
select="--select-package=dev.quern"
require=false
case ${1:-} in
  --backend=*) set -- --backend "${1#*=}" "$@" ;;
esac
if [ "${1:-}" = --backend ]; then
  backend=${2:?--backend: needs a name}
  shift 2
  case ${1:-} in
    --backend=*) shift ;;
  esac
  case $backend in
    reference) select="--select-package=dev.quern.testkit" ;;
    opencl) select="--select-package=dev.quern.opencl --exclude-package=dev.quern.opencl.jocl" ;;
    opencl-jocl) select="--select-package=dev.quern.opencl.jocl" ;;
    *) select="--select-package=dev.quern.$backend" ;;
  esac
  case $backend in
    opencl*) require=true ;;
  esac
fi
# PoCL's compiler takes the JVM's signal handlers for moments; this library keeps them.
[ ! -r "$home/runtime/lib/libjsig.so" ] || export LD_PRELOAD="$home/runtime/lib/libjsig.so"
# shellcheck disable=SC2086
exec "$home/runtime/bin/java" -cp "$home/lib/*:$home/test/*" --add-modules jdk.incubator.vector \
  --enable-native-access=ALL-UNNAMED -ea -Xmx4g -Dquern.require.opencl=$require \
  ${QUERN_JAVA_OPTS:-} org.junit.platform.console.ConsoleLauncher execute --disable-banner \
  --fail-if-no-tests --include-classname='.*Conformance.*' "$select" "$@"
LAUNCHER
chmod +x "$image/bin/quern" "$image/bin/conformance"
cp "$root/LICENSE" "$image/"
cp "$root/fable-models/MODEL_CARD.md" "$image/"

archive=$target/quern-$os-$(uname -m).tar.xz
XZ_OPT="-6 -T0" tar -C "$target/dist" -cJf "$archive" quern
echo "quern: image: $archive, $(($(wc -c <"$archive") / 1048576)) MiB" >&2
