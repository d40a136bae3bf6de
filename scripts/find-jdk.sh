# Sourced by ./quern and ./verify. find_jdk sets QUERN_JDK to the home of a JDK 25 or newer,
# or fails after naming what to install.

# jdk_release HOME: the feature release of the JDK at HOME, 0 if there is none with a compiler
jdk_release() {
  if [ ! -x "$1/bin/javac" ] || [ ! -r "$1/release" ]; then
    echo 0
    return
  fi
  release=$(sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$1/release")
  echo "${release:-0}"
}

# jdk_candidates: homes in order of preference, one per line
jdk_candidates() {
  [ -z "${JAVA_HOME:-}" ] || echo "$JAVA_HOME"
  for variable in $(env | sed -n 's/^\(JAVA[0-9_]*HOME[A-Za-z0-9_]*\)=.*/\1/p'); do
    eval "echo \"\$$variable\""
  done
  java=$(command -v java 2>/dev/null || true)
  while [ -n "$java" ] && [ -L "$java" ]; do
    link=$(readlink "$java")
    case $link in
      /*) java=$link ;;
      *) java=$(dirname "$java")/$link ;;
    esac
  done
  [ -z "$java" ] || dirname "$(dirname "$java")"
  if [ -x /usr/libexec/java_home ]; then
    /usr/libexec/java_home -v 25+ 2>/dev/null || true
  fi
  for home in /usr/lib/jvm/* /usr/java/* /opt/java/* /opt/jdk* \
    "$HOME"/.sdkman/candidates/java/* "$HOME"/.jdks/* "$HOME"/.local/share/mise/installs/java/* \
    "$HOME"/.asdf/installs/java/* "$HOME"/.jenv/versions/* "$HOME"/.m2/jdks/* \
    /opt/homebrew/opt/openjdk*/libexec/openjdk.jdk/Contents/Home \
    /usr/local/opt/openjdk*/libexec/openjdk.jdk/Contents/Home \
    /Library/Java/JavaVirtualMachines/*/Contents/Home; do
    [ ! -d "$home" ] || echo "$home"
  done
}

find_jdk() {
  QUERN_JDK=
  while IFS= read -r home; do
    if [ "$(jdk_release "$home")" -ge 25 ]; then
      QUERN_JDK=$home
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
