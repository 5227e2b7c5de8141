#!/bin/bash
# Runs pytest with these arguments. Who is not root, but may become it without a
# password, does so for what needs it: the tests run in two halves. Else it is
# told what could not run.
set -u

arguments=("$@")

if [ ! -x build/venv/bin/pytest ]; then
	echo "The tests need what make test-deps installs and fetches." >&2
	exit 3
fi

run() { # HALF [COMMAND...]
	local half=$1
	shift
	# Not every user looks where mkfs and nginx are.
	"$@" env "PATH=$PATH:/usr/sbin:/sbin" "HASHEDFS_BIN_DIR=$HASHEDFS_BIN_DIR" \
		"HASHEDFS_STRICT=$HASHEDFS_STRICT" "HASHEDFS_HALF=$half" \
		build/venv/bin/python -B -m pytest -c tests/pytest.ini \
		"${arguments[@]}"
}

if [ "$(id -u)" -eq 0 ] || ! sudo -n true 2>/dev/null; then
	run ""
	exit
fi
run user
user=$?
echo "The tests that need root, with sudo:"
run root sudo
root=$?
# 5: none was chosen. Neither half may have failed, and one has run.
[ "$user" -eq 5 ] && exit "$root"
[ "$root" -eq 5 ] || [ "$user" -ne 0 ] || exit "$root"
exit "$user"
