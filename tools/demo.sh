#!/bin/sh
# What hashedfs is for, on the static files of Django's admin. Every command is
# shown as one would type it.
set -eu
cd "$(dirname "$0")/.."

tree=$PWD/build/inputs/django-admin
programs=$PWD/build
place=$(mktemp -d "${TMPDIR:-/tmp}/hashedfs-demo.XXXXXX")

leave() {
	cd /
	if mountpoint -q "$place/view"; then
		fusermount3 -u "$place/view" || umount -l "$place/view"
	fi
	rm -rf "$place"
}
trap leave EXIT
export XDG_CACHE_HOME="$place/cache"
trap 'exit 1' INT TERM

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
	bold=$(printf '\033[1m') dim=$(printf '\033[2m') off=$(printf '\033[0m')
else
	bold='' dim='' off=''
fi
say() { printf '\n%s# %s%s\n' "$dim" "$*" "$off"; }
# The one argument is typed, and run.
run() {
	printf '%s$ %s%s\n' "$bold" "$1" "$off"
	eval "$1"
}

PATH=$programs:$PATH
ln -s "$tree" "$place/static"
mkdir "$place/view"
cd "$place"

say "A static tree: the files of Django's admin."
run 'ls static/admin/css | head -4'
run 'find static/ -type f | wc -l'

say "The same tree under names that carry a hash of the content."
run 'hashedfs static view'
run 'ls -l view/admin/css | head -5'

say "A name is the digest of the bytes under it."
run 'md5sum view/admin/css/base.*.css'

say "The mapping, as Django's ManifestStaticFilesStorage reads it."
run 'hashedfs-manifest snapshot view --output staticfiles.json'
run 'head -c 180 staticfiles.json; echo ...'
run 'hashedfs-manifest lookup view admin/css/base.css'

say "Deploying is a plain copy."
run 'rsync -a --stats view/ deployed/ | grep "files transferred"'

say "A fresh checkout changes every time stamp and not one byte: nothing is sent."
run 'fusermount3 -u view'
run 'cp -r static/ checkout && find checkout -type f -exec touch {} +'
run 'hashedfs checkout view'
run 'rsync -a --stats view/ deployed/ | grep "files transferred"'

say "An edit gets a new name, within a second."
run 'echo "/* new */" >>checkout/admin/css/base.css; sleep 1'
run 'ls view/admin/css/base.*'
run 'rsync -a --stats view/ deployed/ | grep "files transferred"'

run 'fusermount3 -u view'

say "A deployment in one line: one state, and the manifest of just that state."
run 'hashedfs-run --manifest staticfiles.json checkout -- rsync -a {}/ deployed/'
run 'ls deployed/admin/css/base.*'

say "The same without a mount, as files; again, and there is nothing to write."
run 'hashedfs-export checkout public && ls public/admin/css/base.*'
run 'hashedfs-export -v checkout public'

say "That is all. man ./tools/hashedfs.1 tells the rest."
