#!/bin/sh
# linear.sh REPLAY: rewriting takes time linear in the text, whatever the text.
#
# Counts the instructions of REPLAY (tests/fuzz/replay_refs) under callgrind
# for texts of n and of 2n bytes: the second may take 2.2 times the first at
# most. Every text is one that a simple scanner would read again and again.
set -eu

replay=$1
n=${2:-10000}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# text BYTES KIND HEAD UNIT TAIL: HEAD, as many UNITs as fit, TAIL.
text() {
	awk -v size="$1" -v head="$2$3" -v unit="$4" -v tail="$5" 'BEGIN {
		printf "%s", head
		for (n = length(head); n < size; n += length(unit))
			printf "%s", unit
		printf "%s", tail
	}' </dev/null
}

instructions() {
	valgrind --tool=callgrind --callgrind-out-file=/dev/null "$replay" \
		"$1" 2>&1 | awk '/Collected/ { print $NF }'
}

# family NAME KIND HEAD UNIT [TAIL]: KIND is b0 for style sheets, a0 for scripts.
family() {
	text "$n" "$2" "$3" "$4" "${5-}" >"$dir/once"
	text "$((2 * n))" "$2" "$3" "$4" "${5-}" >"$dir/twice"
	instructions "$dir/once" >"$dir/count" &
	twice=$(instructions "$dir/twice")
	wait
	once=$(cat "$dir/count")
	awk -v name="$1" -v once="$once" -v twice="$twice" 'BEGIN {
		ratio = twice / once
		bad = ratio > 2.2
		printf "%-34s %11d %11d %5.2f%s\n", name, once, twice, ratio,
			bad ? "  NOT LINEAR" : ""
		exit bad
	}' || failed=1
}

failed=0
printf '%-34s %11s %11s %5s\n' family "$n bytes" "$((2 * n)) bytes" ratio
family 'url( without )' b0 '' 'url('
family 'url( with ) on the next line' b0 '' 'url(' '\n)'
family 'url(" without ")' b0 '' 'url("'
family 'url(" with ) only' b0 '' 'url("x)'
family "url(' in lines" b0 '' "url('\\n\\n"
family 'url( and blanks' b0 '' 'url(\n \t\n'
family 'one url of n bytes' b0 'url(' '%41'
family 'url of n components' b0 'url(' 'a/'
family 'url of n ..' b0 'url(' '../'
family 'url of n a/..' b0 'url(' 'a/../'
family 'n missing urls on a line' b0 '' 'url(a)'
family 'n missing urls behind others' b0 '' 'url(b.css)@import"c"'
family '@import without a quote' b0 '' '@import'
family '@import" in lines' b0 '' '@import"\n'
family '@import" and blanks' b0 '@import"' ' '
family 'open comments' b0 'url(a)' '/*'
family 'comments and urls' b0 '' '/*url(a)*/'
family 'open strings' b0 '' "url(a)'\\n"
family 'escaped quotes' b0 "url(a)'" "\\\\'"
family 'quotes of both kinds' b0 'url(a)' "\"'\\n"
family 'css map without end' b0 '' '\n/*# sourceMappingURL='
family 'sourceMappingURL= on a line' b0 '/*# ' 'sourceMappingURL='
family 'js maps' a0 '' '//# sourceMappingURL=a\n'
family 'sourceMappingU' a0 '' 'sourceMappingU'
family 'templates without end' a0 '//# sourceMappingURL=a\n' '\\\\``'
family 'one template without end' a0 '`' '\n//# sourceMappingURL=a'
family 'import{ without from' a0 '' 'import{'
family 'import{ with ; before from' a0 '' "import{;from'./a"
family 'import{from without a url' a0 '' 'import{from'
family 'import and from, no quote' a0 '' "import{ from 'a"
family 'import*as and a word' a0 'import*as' 'import*asfrom'
family 'import(" with ") on the next line' a0 '' 'import("./' '\n")'
family 'import and blanks' a0 '' 'import \n'
family 'import(" without )' a0 '' 'import("./'
family 'mp and xp, no words of modules' a0 '' 'mpxp'
family 'export from' a0 '' 'export from '
family 'import from "./ in lines' a0 '' 'import from"./\n'
exit "$failed"
