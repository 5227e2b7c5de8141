#!/bin/bash
# Fetches, once, what the tests run on and with, into build/:
#
#   inputs.sh            everything
#   inputs.sh demo       only the static files of Django's admin
#   inputs.sh bench      also what make bench runs on and compares with
#
#   build/venv           Python with tests/requirements.txt
#   build/venv-django42  other Djangos, each with a Python that it supports,
#   build/venv-django6   if there is one
#   build/venv-django61
#   build/venv-bench
#   build/inputs/NAME    real static trees
#   build/bench/NAME     npm packages, 91,000 files, for make bench alone
#   build/node           readers of manifests, for Node
#   build/bin/versitygw  an S3 server, if there is a Go that can build it
#
# What cannot be had here is said and left out; the tests that need it count
# themselves as not run.
set -euo pipefail
cd "$(dirname "$0")/.."

versitygw=github.com/versity/versitygw/cmd/versitygw@v1.0.14
versitygw_go=1.23
npm_trees=(
	bootstrap@5.3.8
	@fortawesome/fontawesome-free@7.3.1
	monaco-editor@0.57.0
	three@0.187.0
)
# Two thirds of the bytes are CSS and JS; many small files, some large ones.
bench_trees=(
	"${npm_trees[@]}"
	@mathjax/mathjax-newcm-font@4.1.3
	@mui/icons-material@9.5.0
	@mui/material@9.5.0
	ace-builds@1.45.2
	antd@6.6.8
	aws-sdk@2.1693.0
	cesium@1.140.0
	ckeditor4@4.25.2
	core-js@3.51.0
	date-fns@4.4.0
	echarts@6.1.0
	handsontable@18.1.1
	highcharts@13.1.1
	highlight.js@11.12.0
	lodash@4.18.1
	mathjax@4.1.3
	plotly.js-dist-min@4.1.2
	rxjs@7.8.2
	video.js@8.24.1
)

node_readers=(
	@import-maps/resolve@2.0.0
	gulp-rev-rewrite@6.0.0
	vinyl@3.0.0
)

say() { echo "inputs: $*"; }

# python_at_least 3.10 CANDIDATE...: the first that is, and can make a venv.
python_at_least() {
	local least=$1 python
	shift
	for python; do
		command -v "$python" >/dev/null || continue
		"$python" - "$least" 2>/dev/null <<-'EOF' || continue
			import sys, venv, ensurepip
			least = tuple(map(int, sys.argv[1].split(".")))
			sys.exit(sys.version_info[:2] < least)
		EOF
		echo "$python"
		return
	done
	return 1
}

# python_at_most 3.12 CANDIDATE...: the first of 3.10 or later that is.
python_at_most() {
	local most=$1 python
	shift
	for python; do
		python=$(python_at_least 3.10 "$python") || continue
		"$python" - "$most" 2>/dev/null <<-'EOF' || continue
			import sys
			most = tuple(map(int, sys.argv[1].split(".")))
			sys.exit(sys.version_info[:2] > most)
		EOF
		echo "$python"
		return
	done
	return 1
}

# venv DIR REQUIREMENTS PYTHON: makes it anew when the requirements changed.
venv() {
	local dir=$1 requirements=$2 python=$3
	cmp -s "$requirements" "$dir/done" && return
	say "Python packages of $requirements into $dir"
	[ -x "$dir/bin/pip" ] || "$python" -m venv "$dir"
	"$dir/bin/pip" install -q --disable-pip-version-check \
		-r "$requirements" </dev/null
	cp "$requirements" "$dir/done"
}

trees=build/inputs # where tree() puts them

# tree NAME STAMP COMMAND...: runs COMMAND DIR to fill $trees/NAME.
tree() {
	local name=$1 stamp=$2
	shift 2
	[ "$(cat "$trees/.$name" 2>/dev/null)" = "$stamp" ] && return
	say "$trees/$name: $stamp"
	rm -rf "${trees:?}/$name" "$trees/.new"
	mkdir -p "$trees/.new"
	if ! "$@" "$trees/.new"; then
		rm -rf "$trees/.new"
		say "$name could not be fetched"
		return 1
	fi
	chmod -R u=rwX,go=rX "$trees/.new"
	mv "$trees/.new" "$trees/$name"
	echo "$stamp" >"$trees/.$name"
}

from_wheel() { # REQUIREMENT FOLDER DIR
	local download
	download=$(mktemp -d)
	build/venv/bin/pip download -q --disable-pip-version-check --no-deps \
		--only-binary :all: -d "$download" "$1" </dev/null &&
		build/venv/bin/python -m zipfile -e "$download"/*.whl \
			"$download/wheel" &&
		cp -r "$download/wheel/$2/." "$3"
	local status=$?
	rm -rf "$download"
	return $status
}

from_npm() { # PACKAGE@VERSION DIR
	local download
	download=$(mktemp -d)
	npm pack --loglevel error --pack-destination "$download" "$1" \
		</dev/null >/dev/null &&
		tar -xzf "$download"/*.tgz -C "$2" --strip-components 1
	local status=$?
	rm -rf "$download"
	return $status
}

from_npm_all() { # PACKAGE@VERSION...: each a tree of its own
	local package name
	for package; do
		name=${package%@*}
		tree "${name##*/}" "$package" from_npm "$package" || true
	done
}

requirement() { # NAME: its pinned line
	grep "^$1==" tests/requirements.txt
}

mkdir -p build/inputs build/bin
python=$(python_at_least 3.10 /usr/bin/python3 python3 python3.1{3,2,1,0}) || {
	say "there is no Python >= 3.10 with venv here" >&2
	exit 3
}
[ -x build/venv/bin/pip ] || "$python" -m venv build/venv

tree django-admin "$(requirement Django)" \
	from_wheel "$(requirement Django)" django/contrib/admin/static
[ "${1:-all}" = demo ] && exit

venv build/venv tests/requirements.txt "$python"
tree djangorestframework "$(requirement djangorestframework)" \
	from_wheel "$(requirement djangorestframework)" rest_framework/static
from_npm_all "${npm_trees[@]}"

if [ "${node_readers[*]}" != "$(cat build/node/done 2>/dev/null)" ]; then
	say "build/node: ${node_readers[*]}"
	mkdir -p build/node
	if npm install --loglevel error --prefix build/node --ignore-scripts --no-save \
		--no-audit --no-fund "${node_readers[@]}" </dev/null >/dev/null; then
		echo "${node_readers[*]}" >build/node/done
	else
		say "the packages for Node could not be fetched"
	fi
fi

pythons=~/.pyenv/versions
if python42=$(python_at_most 3.12 /usr/bin/python3 python3 python3.1{2,1,0} \
	"$pythons"/3.1[0-2].*/bin/python3); then
	venv build/venv-django42 tests/requirements-django42.txt "$python42"
else
	say "no Python <= 3.12 here, so no Django 4.2"
fi
if python6=$(python_at_least 3.12 python3.1{4,3,2} /usr/bin/python3 python3 \
	"$pythons"/3.1[2-9]*/bin/python3); then
	venv build/venv-django6 tests/requirements-django6.txt "$python6"
	venv build/venv-django61 tests/requirements-django61.txt "$python6"
else
	say "no Python >= 3.12 here, so no Django 6"
fi

if [ "${1:-all}" = bench ]; then
	[ -z "$python6" ] ||
		venv build/venv-bench tests/requirements-bench.txt "$python6"
	trees=build/bench
	mkdir -p "$trees"
	from_npm_all "${bench_trees[@]}"
fi

[ "$(cat build/bin/.versitygw 2>/dev/null)" = "$versitygw" ] && exit
have=$(go env GOVERSION 2>/dev/null || true)
if [ -n "$have" ] &&
	printf '%s\n' "$versitygw_go" "${have#go}" | sort -CV; then
	say "build/bin/versitygw: $versitygw"
	if GOBIN=$PWD/build/bin GOTOOLCHAIN=local GOFLAGS='' \
		go install -trimpath "$versitygw" </dev/null \
		2> >(grep -v '^go: downloading' >&2); then
		echo "$versitygw" >build/bin/.versitygw
	else
		say "versitygw could not be built"
	fi
else
	say "no Go >= $versitygw_go here, so no S3 server"
fi
