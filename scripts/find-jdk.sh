# Sourced by ./quern, ./verify and the scripts. `find_jdk` prints the home of a JDK 25 or newer, or fails after
# naming what to install. Call it as $(find_jdk): its variables then stay its own.

# jdk_release HOME: the feature release of the JDK at HOME, 0 if there is none with a compiler
jdk_release() {
  if [ ! -x "$1/bin/javac" ] || [ ! -r "$1/release" ]; then
    echo 0
    return
  fi
  jdk_version=$(sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$1/release")
  echo "${jdk_version:-0}"
}

# jdk_candidates: homes in order of preference, one per line
jdk_candidates() {
  [ -z "${JAVA_HOME:-}" ] || echo "$JAVA_HOME"
  for jdk_variable in $(env | sed -n 's/^\(JAVA[0-9_]*HOME[A-Za-z0-9_]*\)=.*/\1/p'); do
    eval "echo \"\$$jdk_variable\""
  done
  jdk_java=$(command -v java 2>/dev/null || true)
  while [ -n "$jdk_java" ] && [ -L "$jdk_java" ]; do
    jdk_link=$(readlink "$jdk_java")
    case $jdk_link in
      /*) jdk_java=$jdk_link ;;
      *) jdk_java=$(dirname "$jdk_java")/$jdk_link ;;
    esac
  done
  [ -z "$jdk_java" ] || dirname "$(dirname "$jdk_java")"
  if [ -x /usr/libexec/java_home ]; then
    /usr/libexec/java_home -v 25+ 2>/dev/null || true
  fi
  for jdk_home in /usr/lib/jvm/* /usr/java/* /opt/java/* /opt/jdk* \
    "$HOME"/.sdkman/candidates/java/* "$HOME"/.jdks/* "$HOME"/.local/share/mise/installs/java/* \
    "$HOME"/.asdf/installs/java/* "$HOME"/.jenv/versions/* "$HOME"/.m2/jdks/* \
    /opt/homebrew/opt/openjdk*/libexec/openjdk.jdk/Contents/Home \
    /usr/local/opt/openjdk*/libexec/openjdk.jdk/Contents/Home \
    /Library/Java/JavaVirtualMachines/*/Contents/Home; do
    [ ! -d "$jdk_home" ] || echo "$jdk_home"
  done
}

find_jdk() {
  while IFS= read -r jdk_home; do
    if [ "$(jdk_release "$jdk_home")" -ge 25 ]; then
      echo "$jdk_home"
      return 0
    fi
  done <<CANDIDATES
$(jdk_candidates)
CANDIDATES
  echo "quern: java: needs a JDK 25 or newer but found none; install one" \
    "(Debian: apt install openjdk-25-jdk, macOS: brew install openjdk, any system:" \
    "https://adoptium.net) or set JAVA_HOME to it" >&2
  return 1
}

# PoCL compiles in the process that calls it, and its compiler takes the signal handlers for moments in
# which the JVM may need its own: this library of the JDK keeps them for every JVM that is started after
# this. See docs/robustness.md.
# usage: keep_signals JDK
keep_signals() {
  [ ! -r "$1/lib/libjsig.so" ] ||
    export LD_PRELOAD="$1/lib/libjsig.so${LD_PRELOAD:+:$LD_PRELOAD}"
}
