package reference

// Shells has the script for each shell. They ask the program itself for what a word may become.
var Shells = map[string]string{
	"bash": `# Completion of sallyport in bash. Load it with: source <(sallyport completion bash)
_sallyport() {
	local IFS=$'\n'
	COMPREPLY=($(sallyport __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null | cut -f 1))
	case "${COMP_WORDS[COMP_CWORD]}${COMP_WORDS[COMP_CWORD-1]}" in *=*) COMPREPLY=("${COMPREPLY[@]#*=}") ;; esac
}
complete -o default -o bashdefault -F _sallyport sallyport
`,
	"zsh": `#compdef sallyport
# Completion of sallyport in zsh. Put it into a folder of $fpath as _sallyport, or load it with: source <(sallyport completion zsh)
_sallyport() {
	local -a found
	local line
	for line in "${(@f)$(sallyport __complete "${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
		[[ -n $line ]] && found+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
	done
	if (( ${#found} )); then _describe sallyport found; else _files; fi
}
if [[ $funcstack[1] == _sallyport ]]; then _sallyport "$@"; else compdef _sallyport sallyport; fi
`,
	"fish": `# Completion of sallyport in fish. Load it with: sallyport completion fish | source
function __sallyport_complete
	set -l words (commandline -opc) (commandline -ct)
	sallyport __complete $words[2..-1] 2>/dev/null
end
complete -c sallyport -f -a '(__sallyport_complete)'
complete -c sallyport -n '__fish_seen_subcommand_from run template import export' -F
`,
}
