# fish completion of hashedfs and its companions.
# What stands here is compared with --help by tests/completions.py.

# The words of -o, each with what may follow it.
set -g __hashedfs_view \
    style=django style=propshaft style=phoenix style=rev \
    name= digest=md5 digest=sha1 digest=sha256 digest=sha384 digest=sha512 \
    length= show=hashed show=kept show=plain keep= prehashed= ignore= \
    no_default_ignore follow xdev refs=django-4.2 refs=django-5.2 \
    refs=django-6.0 refs=django-6.1 refs=none static_url= js_modules frozen \
    threads= cache= mtime=source mtime=@ uid= gid=
set -g __hashedfs_mount allow_other nonempty noexec xattr control=owner \
    control=all control=none fsname=

# [PREFIX=]DIR[:...]: the last directory.
function __hashedfs_sources
    set -l token (commandline -ct)
    set -l last (string replace -r '.*[:=]' '' -- $token)
    set -l lead (string replace -r '[^:=]*$' '' -- $token)
    printf '%s\n' $lead(__fish_complete_directories $last)
end

# Behind the -- of hashedfs-run stands a command line of its own.
function __hashedfs_in_command
    contains -- -- (commandline -opc)
end
function __hashedfs_command
    set -l words (commandline -opc)
    set -l start (math (contains -i -- -- $words) + 1)
    set -l command
    test $start -le (count $words); and set command (string escape -- $words[$start..-1])
    complete -C (string join ' ' -- $command (commandline -ct))
end

set -l mounting hashedfs hashedfs-run
set -l formats 'django flat urls propshaft phoenix importmap sri null'

for program in $mounting
    complete -c $program -f -n 'not __hashedfs_in_command' -a '(__hashedfs_sources)'
    complete -c $program -s o -x -d options \
        -a '(__fish_append , $__hashedfs_view $__hashedfs_mount)'
    complete -c $program -l sources-from -rF -d 'read SOURCES from FILE'
end
complete -c hashedfs-export -f -a '(__hashedfs_sources)'
complete -c hashedfs-export -s o -x -d options \
    -a '(__fish_append , $__hashedfs_view)'
complete -c hashedfs-export -l sources-from -rF -d 'read SOURCES from FILE'
for program in $mounting hashedfs-export hashedfs-manifest
    complete -c $program -s h -l help -d 'show help'
    complete -c $program -s V -l version -d 'show versions'
end

complete -c hashedfs -s f -l foreground -d 'stay in the foreground'
complete -c hashedfs -s d -l debug -d 'print every request'
complete -c hashedfs -s s -l single -d 'answer one request at a time'

complete -c hashedfs-run -l at -x -a '(__fish_complete_directories)' \
    -d 'mount on this empty directory'
complete -c hashedfs-run -l manifest -rF \
    -d 'write staticfiles.json once the command succeeded'
complete -c hashedfs-run -l export -d 'do not mount, copy the files'
complete -c hashedfs-run -l mount -d 'never copy files'

complete -c hashedfs-export -l manifest -rF \
    -d 'write staticfiles.json when all files are there'
complete -c hashedfs-export -l prune-from -rF \
    -d 'then remove what only that manifest names'
complete -c hashedfs-export -s n -l dry-run -d 'print what would be done'

for program in hashedfs-run hashedfs-export
    complete -c $program -l format -x -a $formats -d 'of the manifest'
    complete -c $program -l url-prefix -x -d 'what stands before each hashed name'
    complete -c $program -l key-prefix -x -d 'what stands before each name'
    complete -c $program -l integrity -x -a 'sha256 sha384 sha512' \
        -d 'add integrity values'
    complete -c $program -l partial -d 'leave out what cannot be read'
    complete -c $program -s q -l quiet -d 'show no progress'
    complete -c $program -s v -l verbose -d 'tell more'
end
complete -c hashedfs-run -n __hashedfs_in_command -a '(__hashedfs_command)'

# hashedfs-manifest VERB: which verbs there are, and what each one knows.
set -l verbs snapshot check stats lookup diff prune merge verify
set -l manifest complete -c hashedfs-manifest
$manifest -f -n "not __fish_seen_subcommand_from $verbs" -a snapshot \
    -d "write the mapping as a manifest, Django's or another"
$manifest -f -n "not __fish_seen_subcommand_from $verbs" -a check \
    -d 'print what is worth knowing about a tree'
$manifest -f -n "not __fish_seen_subcommand_from $verbs" -a stats \
    -d 'print how large a tree is, and what refers to what'
$manifest -f -n "not __fish_seen_subcommand_from $verbs" -a lookup \
    -d 'print the hashed name of one file'
$manifest -f -n "not __fish_seen_subcommand_from $verbs" -a diff \
    -d 'print what became of names between two manifests'
$manifest -f -n "not __fish_seen_subcommand_from $verbs" -a prune \
    -d 'print which stored files no kept manifest names'
$manifest -f -n "not __fish_seen_subcommand_from $verbs" -a merge \
    -d 'write several manifests as one'
$manifest -f -n "not __fish_seen_subcommand_from $verbs" -a verify \
    -d 'check that files are there, with the right bytes'

set -l any -n "__fish_seen_subcommand_from $verbs"
$manifest $any -s q -l quiet -d 'show no progress'
$manifest $any -s v -l verbose -d 'tell more'

set -l trees -n '__fish_seen_subcommand_from snapshot check stats'
set -l only_trees -n '__fish_seen_subcommand_from snapshot check'
$manifest $only_trees -f -a '(__hashedfs_sources)'
$manifest $trees -l source -d 'read SOURCES, without a mount'
$manifest $trees -l sources-from -rF -d 'read SOURCES from FILE'

set -l checking -n '__fish_seen_subcommand_from snapshot check'
$manifest $checking -l ignore -x -d 'findings to pass over, as FILE:URL'

set -l comparing -n '__fish_seen_subcommand_from snapshot stats'
$manifest $comparing -l previous -rF \
    -d 'of the release before, to compare with'

set -l viewing -n '__fish_seen_subcommand_from snapshot check stats prune verify'
$manifest $viewing -s o -x -d options -a '(__fish_append , $__hashedfs_view)'

set -l manifests -n '__fish_seen_subcommand_from snapshot stats lookup diff prune merge verify'
$manifest $manifests -l format -x -a $formats -d 'of the manifest'
$manifest $manifests -l url-prefix -x -d 'what stands before each hashed name'
$manifest $manifests -l key-prefix -x -d 'what stands before each name'

set -l writing -n '__fish_seen_subcommand_from snapshot merge'
$manifest $writing -l output -rF -d 'write to FILE, whole or not at all'
$manifest $writing -l integrity -x -a 'sha256 sha384 sha512' \
    -d 'add integrity values'

set -l snapshot -n '__fish_seen_subcommand_from snapshot'
$manifest $snapshot -l shard -x -d 'the K-th of N parts alone'
$manifest $snapshot -l partial -d 'leave out what cannot be read'
$manifest $snapshot -l strict -d 'check first; findings are an error'

set -l json -n '__fish_seen_subcommand_from check stats diff'
$manifest $json -l json -d 'print JSON'

set -l nul -n '__fish_seen_subcommand_from diff prune'
$manifest $nul -s 0 -d 'end what is printed with NUL'

set -l prune -n '__fish_seen_subcommand_from prune'
$manifest $prune -l keep -rF -d 'of a release that is in use'
$manifest $prune -l prefix -x -d 'what stands before the names in a listing'
$manifest $prune -l s3-delete -d 'print what aws s3api delete-objects takes'

set -l lookup -n '__fish_seen_subcommand_from lookup'
$manifest $lookup -l reverse -d 'NAME is a hashed name, print its source'
