# bash completion of hashedfs and its companions      -*- shell-script -*-
# What stands here is compared with --help by tests/completions.py.

_hashedfs_view='style= name= digest= length= show= keep= prehashed= ignore=
	no_default_ignore follow xdev refs= static_url= js_modules frozen
	threads= cache= mtime= uid= gid='
_hashedfs_mount='allow_other nonempty noexec xattr control= fsname='
_hashedfs_source='--source -o --sources-from'
_hashedfs_format='--format --url-prefix --key-prefix'
_hashedfs_all='-q --quiet -v --verbose -h --help -V --version'

# The options of a program, or of a verb.
_hashedfs_options() {
	case $1 in
	hashedfs)
		echo '-o --sources-from -f --foreground -d --debug -s --single
			-h --help -V --version'
		;;
	hashedfs-run)
		echo '-o --sources-from --at --manifest --integrity --export' \
			"--mount --partial $_hashedfs_format $_hashedfs_all"
		;;
	hashedfs-export)
		echo '-o --sources-from --manifest --integrity --prune-from' \
			"-n --dry-run --partial $_hashedfs_format $_hashedfs_all"
		;;
	snapshot)
		echo '--output --integrity --partial --strict --ignore' \
			"--previous --shard $_hashedfs_format" \
			"$_hashedfs_source $_hashedfs_all"
		;;
	check) echo "--ignore --json $_hashedfs_source $_hashedfs_all" ;;
	stats)
		echo "--json --previous $_hashedfs_format" \
			"$_hashedfs_source $_hashedfs_all"
		;;
	lookup) echo "--reverse $_hashedfs_format $_hashedfs_all" ;;
	diff) echo "--json -0 $_hashedfs_format $_hashedfs_all" ;;
	prune)
		echo '--keep --prefix -0 --s3-delete -o' \
			"$_hashedfs_format $_hashedfs_all"
		;;
	merge)
		echo "--output --integrity $_hashedfs_format $_hashedfs_all"
		;;
	verify) echo "-o $_hashedfs_format $_hashedfs_all" ;;
	*) echo '-h --help -V --version' ;;
	esac
}

_hashedfs_verbs='snapshot check stats lookup diff prune merge verify'
_hashedfs_formats='django flat urls propshaft phoenix importmap sri null'

# The values of one -o word.
_hashedfs_values() {
	case $1 in
	style) echo 'django propshaft phoenix rev' ;;
	digest) echo 'md5 sha1 sha256 sha384 sha512' ;;
	show) echo 'hashed kept plain' ;;
	refs) echo 'django-4.2 django-5.2 django-6.0 django-6.1 none' ;;
	mtime) echo 'source @' ;;
	cache) echo none ;;
	control) echo 'owner all none' ;;
	esac
}

# One argument of -o; the last one of the words in it is completed.
_hashedfs_word() {
	local cur=$1 words=$2 last=${1##*,} name value
	# What bash takes for the word begins behind the last = or :.
	local word=${cur##*[=:]}

	if [[ $last == *=* ]]; then
		name=${last%%=*}
		value=${last##*[=:]}
		mapfile -t COMPREPLY < <(
			compgen -W "$(_hashedfs_values "$name")" -- "$value"
			[ "$name" = cache ] && compgen -d -- "$value"
		)
		return
	fi
	compopt -o nospace
	mapfile -t COMPREPLY < <(
		compgen -P "${word%"$last"}" -W "$words" -- "$last"
	)
}

_hashedfs() {
	local IFS=$' \t\n' line=${COMP_LINE:0:COMP_POINT}
	local cur=${line##*[[:space:]]} program=${1##*/}
	local subject=$program verb='' prev='' word i
	local -a before

	read -ra before <<<"${line%"$cur"}"
	prev=${before[-1]}
	for i in "${!before[@]}"; do
		word=${before[i]}
		if [ "$word" = -- ] && [ "$program" = hashedfs-run ]; then
			# Another program's command line begins.
			declare -F _command_offset >/dev/null &&
				_command_offset $((i + 1))
			return
		fi
		[[ $program = hashedfs-manifest && -z $verb &&
			" $_hashedfs_verbs " = *" $word "* ]] && verb=$word
	done
	[ "$program" = hashedfs-manifest ] && subject=${verb:-$program}

	compopt -o filenames
	case $prev in
	-o)
		compopt +o filenames
		if [ "$program" = hashedfs ] || [ "$program" = hashedfs-run ]; then
			_hashedfs_word "$cur" "$_hashedfs_view $_hashedfs_mount"
		else
			_hashedfs_word "$cur" "$_hashedfs_view"
		fi
		return
		;;
	--format)
		mapfile -t COMPREPLY < <(compgen -W "$_hashedfs_formats" -- "$cur")
		return
		;;
	--integrity)
		mapfile -t COMPREPLY < <(
			compgen -W 'sha256 sha384 sha512' -- "$cur"
		)
		return
		;;
	--output | --manifest | --sources-from | --prune-from | --keep | --previous)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
		;;
	--at)
		mapfile -t COMPREPLY < <(compgen -d -- "$cur")
		return
		;;
	--ignore | --prefix | --shard | --*-prefix) return ;;
	esac
	if [[ $cur = -* ]]; then
		compopt +o filenames
		mapfile -t COMPREPLY < <(
			compgen -W "$(_hashedfs_options "$subject")" -- "$cur"
		)
	elif [ "$subject" = hashedfs-manifest ]; then
		compopt +o filenames
		mapfile -t COMPREPLY < <(compgen -W "$_hashedfs_verbs" -- "$cur")
	elif [[ $subject =~ ^(stats|lookup|diff|prune|merge|verify)$ ]]; then
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
	else
		mapfile -t COMPREPLY < <(compgen -d -- "${cur##*[=:]}")
	fi
}

complete -F _hashedfs hashedfs hashedfs-run hashedfs-export hashedfs-manifest
