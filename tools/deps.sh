#!/bin/sh
# Installs what a job needs from the distribution's packages:
#
#   deps.sh build    to build hashedfs and run it
#   deps.sh demo     also what `make demo` shows
#   deps.sh test     also what `make test` uses
#   deps.sh bench    also what `make bench` uses
#
# Only what is missing is installed, and the one command that does it is
# printed first. Elsewhere than on Debian and its children the list is printed.
#
# Lists of packages, and a command that may be none, are split into words.
# shellcheck disable=SC2086
set -eu

build="build-essential pkg-config fuse3 libfuse3-dev libssl-dev libjansson-dev
	libsqlite3-dev libcmocka-dev"
demo="$build rsync python3 python3-venv"
test="$demo bindfs rclone attr mandoc clang-format procps util-linux iproute2 curl
	nginx-light chromium valgrind strace xfsprogs btrfs-progs zsh fish
	debhelper lintian mmdebstrap shellcheck cppcheck clang-tidy codespell
	git parallel yamllint php-cli php-symfony-asset"
bench="$test wrk"

case "${1:-}" in
build) wanted=$build ;;
demo) wanted=$demo ;;
test) wanted=$test ;;
bench) wanted=$bench ;;
*)
	echo "usage: deps.sh build|demo|test|bench" >&2
	exit 2
	;;
esac
# npm fetches real input. It may have come with Node from elsewhere.
if [ "$wanted" != "${wanted#"$test"}" ] && ! command -v npm >/dev/null; then
	wanted="$wanted npm"
fi

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
	echo "This is not Debian or Ubuntu. Please install what these are here:"
	printf '  %s\n' $wanted
	exit 0
fi

missing=
for package in $wanted; do
	state=$(dpkg-query -W -f '${db:Status-Status}' "$package" \
		2>/dev/null) || state=
	[ "$state" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

as_root=
if [ "$(id -u)" -ne 0 ]; then
	as_root="sudo "
	if ! command -v sudo >/dev/null; then
		echo "deps: missing:$missing" >&2
		echo "deps: there is no sudo here; as root, please run" \
			"apt-get install$missing" >&2
		exit 3
	fi
fi
echo "${as_root}apt-get install -y --no-install-recommends$missing"
export DEBIAN_FRONTEND=noninteractive
${as_root}apt-get update -qq
# sudo drops the environment; env puts the one word back.
${as_root}env DEBIAN_FRONTEND=noninteractive \
	apt-get install -y -qq --no-install-recommends $missing </dev/null
