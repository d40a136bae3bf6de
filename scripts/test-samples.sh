#!/usr/bin/env bash
# Installs the library modules to a private repository, builds the sample projects against it, and
# runs them on the class path and on the module path.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd -P)
work=$root/target/samples
readonly root work
# shellcheck source=scripts/find-jdk.sh
. "$root/scripts/find-jdk.sh"
JAVA_HOME=$(find_jdk)
export JAVA_HOME
export MAVEN_OPTS="--sun-misc-unsafe-memory-access=allow --enable-native-access=ALL-UNNAMED"
cd "$root"

fail() {
  echo "test-samples: $*" >&2
  exit 1
}

# The samples' Maven has a local repository of its own, so nothing of this build reaches the user's.
# Plugins that the user's already has are taken from there; without it they are downloaded.
local=$HOME/.m2/repository
rm -rf "$root/target/samples"
mkdir -p "$work"
cat >"$work/settings.xml" <<SETTINGS
<settings>
  <localRepository>$work/m2</localRepository>
  <profiles>
    <profile>
      <id>samples</id>
      <repositories>
        <repository><id>installed</id><url>file://$work/repository</url></repository>
        <repository><id>cache</id><url>file://$local</url></repository>
      </repositories>
      <pluginRepositories>
        <pluginRepository><id>cache</id><url>file://$local</url></pluginRepository>
      </pluginRepositories>
    </profile>
  </profiles>
  <activeProfiles><activeProfile>samples</activeProfile></activeProfiles>
</settings>
SETTINGS

mvn -q -B -ntp -Dmaven.test.skip=true -Dspotless.check.skip=true \
  -DaltDeploymentRepository="installed::file://$work/repository" \
  -pl engine-cpu,engine-transformer,fable-models -am deploy
mvn -q -B -ntp -s "$work/settings.xml" -f samples/pom.xml package

java=$JAVA_HOME/bin/java
app=samples/app/target
backend=samples/backend/target/backend-1.jar
flags="--add-modules jdk.incubator.vector"

run() { # NAME EXPECTED COMMAND...
  name=$1
  expected=$2
  shift 2
  "$@" >"$work/$name.out" 2>"$work/$name.err" ||
    fail "$name: must succeed but failed: $(tail -n 20 "$work/$name.err")"
  grep -qF -- "$expected" "$work/$name.out" ||
    fail "$name: must print '$expected' but printed: $(cat "$work/$name.out")"
  echo "test-samples: $name: $(head -n 1 "$work/$name.out")"
}

story=" "
# shellcheck disable=SC2086
{
  run feed-forward-class-path "on cpu" "$java" $flags -cp "$app/app-1.jar:$app/lib/*" \
    dev.quern.samples.app.FeedForward cpu
  run feed-forward-module-path "on cpu" "$java" $flags -p "$app/app-1.jar:$app/lib" \
    -m dev.quern.samples.app/dev.quern.samples.app.FeedForward cpu
  run story-class-path "$story" "$java" $flags -cp "$app/app-1.jar:$app/lib/*" \
    dev.quern.samples.app.Story cpu
  run story-module-path "$story" "$java" $flags -p "$app/app-1.jar:$app/lib" \
    -m dev.quern.samples.app/dev.quern.samples.app.Story cpu
  run sample-backend-class-path "row of Q4_K" "$java" -cp "$app/app-1.jar:$app/lib/*:$backend" \
    dev.quern.samples.app.Story sample
  run sample-backend-module-path "row of Q4_K" "$java" -p "$app/app-1.jar:$app/lib:$backend" \
    -m dev.quern.samples.app/dev.quern.samples.app.Story sample
}
grep -q 'swish: .*refused' "$work/sample-backend-module-path.out" ||
  fail "sample backend: explain() must show that swish was refused but does not"
for other in story-module-path sample-backend-class-path sample-backend-module-path; do
  [ "$(head -n 1 "$work/$other.out")" = "$(head -n 1 "$work/story-class-path.out")" ] ||
    fail "$other: must tell the story of story-class-path but does not"
done
