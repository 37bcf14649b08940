#!/usr/bin/env bash
# Builds the Dockerfile without a Docker engine and starts the result locked down as docker-compose.yml does
# (user of the image, no capabilities, read-only root file system): in production without a clients file, which it must
# refuse; in production with docs/clients.example.yaml; and as a sandbox.
#
#   scripts/verify-image.sh                  base image node:24-bookworm-slim, pulled
#   scripts/verify-image.sh BASE             another base image, pulled or already here
#   scripts/verify-image.sh local            a base made here: Debian bookworm from debootstrap, Node from node_modules
#
# As root on Linux, with buildah (and debootstrap for "local"). PORT chooses the port, 3900 unless told.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

base=${1:-node:24-bookworm-slim}
image=localhost/nordic-opioid-cds:verify
port=${PORT:-3900}

stop() { echo "verify-image: $*" >&2; exit 1; }
need() { command -v "$1" >/dev/null || stop "$1 is missing: apt-get install $2"; }

[ "$(id -u)" = 0 ] || stop "run me as root"
need buildah buildah
need curl curl
need unshare util-linux
[ -f src/server.ts ] || stop "there is no src/server.ts to put into the image"

container='' server=''
clean() {
  if [ -n "$server" ]; then kill -KILL "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; fi
  if [ -n "$container" ]; then buildah rm "$container" >/dev/null || true; fi
}
trap clean EXIT

make_local_base() {
  need debootstrap debootstrap
  local node npm root
  case $(uname -m) in x86_64) node=x64 ;; aarch64) node=arm64 ;; *) stop "no Node in node_modules for $(uname -m)" ;; esac
  node=node_modules/node-linux-$node/bin/node
  [ -x "$node" ] || stop "$node is missing: npm ci"
  npm=$(npm root --global)/npm
  [ -d "$npm" ] || stop "npm is missing"
  container=$(buildah from scratch)
  root=$(buildah mount "$container")
  debootstrap --variant=minbase --include=ca-certificates bookworm "$root" >/dev/null || stop "debootstrap failed"
  install -m 755 "$node" "$root/usr/local/bin/node"
  mkdir -p "$root/usr/local/lib/node_modules"
  cp -r "$npm" "$root/usr/local/lib/node_modules/npm"
  ln -s ../lib/node_modules/npm/bin/npm-cli.js "$root/usr/local/bin/npm"
  chroot "$root" useradd --uid 1000 --user-group --create-home node
  # Behind a proxy with a certificate of its own, npm must know it in the base as well.
  if [ -n "${NODE_EXTRA_CA_CERTS:-}" ]; then
    cp "$NODE_EXTRA_CA_CERTS" "$root/etc/ssl/extra-ca.pem"
    buildah config --env NODE_EXTRA_CA_CERTS=/etc/ssl/extra-ca.pem "$container"
  fi
  buildah config --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$container"
  buildah commit --quiet "$container" "$base" >/dev/null
  buildah rm "$container" >/dev/null
  container=''
}

if [ "$base" = local ]; then
  base=localhost/nordic-opioid-cds-base:local
  buildah inspect --type image "$base" >/dev/null 2>&1 || { echo "== Making $base"; make_local_base; }
elif ! buildah inspect --type image "$base" >/dev/null 2>&1; then
  echo "== Pulling $base"
  # Debian's buildah knows no default registry: a short name is Docker Hub's.
  case $base in */*) from=$base ;; *) from=docker.io/library/$base ;; esac
  buildah pull --quiet "$from" >/dev/null ||
    stop "cannot pull the base image $base. Name one that is here (buildah images), or say: scripts/verify-image.sh local"
  base=$from
fi

echo "== Building $image on $base"
buildah build --isolation chroot --network host --format docker --pull-never --build-arg "BASE=$base" --tag "$image" . ||
  stop "the Dockerfile does not build"

container=$(buildah from --pull-never "$image")
root=$(buildah mount "$container")
setting() { buildah inspect --type image --format "{{range .Docker.Config.$1}}{{println .}}{{end}}" "$image" | sed '/^$/d'; }
user=$(buildah inspect --type image --format '{{.Docker.Config.User}}' "$image")
mapfile -t environment < <(setting Env)
mapfile -t command < <(setting Cmd)
mapfile -t health < <(buildah inspect --type image --format '{{range .Docker.Config.Healthcheck.Test}}{{println .}}{{end}}' "$image" | sed '/^$/d')
uid=$(awk -F: -v u="$user" '$1 == u { print $3 }' "$root/etc/passwd")
if [ "${uid:-0}" = 0 ]; then stop "the image's user ($user) is root or unknown"; fi

# Runs a command as a container would, in mounts of its own.
inside() {
  # shellcheck disable=SC2016
  exec unshare --mount bash -euc '
    root=$1 uid=$2; shift 2
    mount --bind "$root" "$root"
    mount --bind /dev "$root/dev"
    mount -t proc proc "$root/proc"
    mount -o remount,bind,ro "$root"
    mount -t tmpfs tmpfs "$root/tmp"
    # The volume of the journal.
    mount -t tmpfs -o "uid=$uid" tmpfs "$root/data"
    exec chroot "$root" /usr/bin/setpriv --reuid="$uid" --regid="$uid" --clear-groups --no-new-privs \
      --inh-caps=-all --bounding-set=-all env -i --chdir=/app "$@"
  ' inside "$root" "$uid" "${environment[@]}" "PORT=$port" "$@"
}

# Starts the service with more environment and waits until it answers.
start() {
  (inside "$@" "${command[@]}") &
  server=$!
  answer=''
  for _ in $(seq 60); do
    kill -0 "$server" 2>/dev/null || stop "the service ended by itself"
    answer=$(curl --silent --fail --max-time 2 "http://127.0.0.1:$port/cds-services") && break
    sleep 0.5
  done
  [ -n "$answer" ] || stop "no answer from /cds-services in 30 s"
  case $answer in *'"services"'*) ;; *) stop "an odd answer from /cds-services: $answer" ;; esac
  (inside "$@" "${health[@]:1}") || stop "HEALTHCHECK fails"
}

# Ends it as an orchestrator would.
finish() {
  local code=0
  kill -TERM "$server"
  wait "$server" || code=$?
  server=''
  [ "$code" = 0 ] || stop "SIGTERM ended the service with code $code, not 0"
}

# The HTTP status of a call that has no token.
status() {
  curl --silent --output /dev/null --write-out '%{http_code}' --max-time 5 --data '{}' \
    --header 'content-type: application/json' "http://127.0.0.1:$port/cds-services/nordic-opioid-order-sign"
}
mode() { curl --silent --max-time 2 "http://127.0.0.1:$port/health"; }

if (inside touch /app/x) 2>/dev/null; then stop "the root file system is not read-only"; fi

echo "== Production without a clients file"
code=0
said=$(inside "${command[@]}" 2>&1) || code=$?
case $code/$said in
  1/*CLIENTS:*PUBLIC_URL:*) ;;
  *) stop "it must end with code 1 and name CLIENTS and PUBLIC_URL, not end with $code: $said" ;;
esac

echo "== Production with docs/clients.example.yaml: ${command[*]} (user $user, read-only)"
# As a mount would put it there; only the working container gets it, never the image.
install -m 644 docs/clients.example.yaml "$root/app/clients.yaml"
start HOST=127.0.0.1 CLIENTS=/app/clients.yaml PUBLIC_URL=https://cds.example
case $(mode) in *'"mode":"production"'*) ;; *) stop "not in production by default: $(mode)" ;; esac
[ "$(status)" = 401 ] || stop "a call without a token was answered with $(status), not 401"
finish

echo "== Sandbox"
start MODE=sandbox
case $(mode) in *'"mode":"sandbox"'*) ;; *) stop "no sandbox: $(mode)" ;; esac
[ "$(status)" = 400 ] || stop "a sandbox answered an empty call with $(status), not 400"
# The page of the workbench and its libraries are not in the image.
page=$(curl --silent --output /dev/null --write-out '%{http_code}' --max-time 5 "http://127.0.0.1:$port/")
[ "$page" = 404 ] || stop "a sandbox answered / with $page, not 404"
for part in node_modules/esbuild-wasm node_modules/vitest src/workbench/page src/testing; do
  if [ -e "$root/app/$part" ]; then stop "$part is in the image"; fi
done
finish

echo "== Good: production refuses to start without clients and calls without a token; a sandbox answers;" \
  "HEALTHCHECK passes, SIGTERM ends it with 0"
