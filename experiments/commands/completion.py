"""Scripts that complete the words of ``strongchain`` in bash and zsh."""

from experiments.configuration.declared import VERBS

__all__ = ["BASH", "ZSH"]

#: The shells ask for the words once, with an empty prefix, and remember them: asking takes a second or two.
BASH = r"""# Completion of strongchain in bash. To have it always: strongchain completion bash >> ~/.bashrc
_strongchain() {
    local at=$COMP_CWORD current="${COMP_WORDS[COMP_CWORD]}" head="" words word
    # bash takes a word apart at =; put it together again, and hand back what follows the last =
    while (( at > 1 )) && [[ $current == =* || ${COMP_WORDS[at - 1]} == "=" ]]; do
        (( at-- ))
        current="${COMP_WORDS[at]}$current"
    done
    [[ $COMP_WORDBREAKS == *=* && $current == *=* ]] && head="${current%=*}="
    COMPREPLY=()
    if (( at == 2 )) && [[ ${COMP_WORDS[1]} == @(explain|help) ]]; then
        : "${_strongchain_explain:=$("$1" completion words '' explain 2>/dev/null)}"
        words=$_strongchain_explain
    elif (( at == 2 )) && [[ ${COMP_WORDS[1]} == completion ]]; then
        words=$'bash\nzsh'
    elif (( at > 1 )) \
        && [[ " @VERBS@ " == *" ${COMP_WORDS[1]} "* ]]
    then
        return
    else
        : "${_strongchain_words:=$("$1" completion words '' 2>/dev/null)}"
        words=$_strongchain_words
        (( at > 1 )) && words=$(grep = <<< "$words")
    fi
    while IFS= read -r word; do
        [[ $word == "$current"?* || $word == "$current" && $word != *= ]] || continue
        [[ $word == *= ]] || word="$word "
        COMPREPLY+=("${word#"$head"}")
    done <<< "$words"
}
complete -o nospace -o default -F _strongchain strongchain""".replace("@VERBS@", " ".join(VERBS))
ZSH = r"""#compdef strongchain
# Completion of strongchain in zsh. To have it always: strongchain completion zsh >> ~/.zshrc (after compinit)
_strongchain() {
    local -a found
    if (( CURRENT == 3 )) && [[ $words[2] == (explain|help) ]]; then
        : ${_strongchain_explain:="$($words[1] completion words '' explain 2>/dev/null)"}
        found=(${(f)_strongchain_explain})
    elif (( CURRENT == 3 )) && [[ $words[2] == completion ]]; then
        found=(bash zsh)
    else
        : ${_strongchain_words:="$($words[1] completion words '' 2>/dev/null)"}
        found=(${(f)_strongchain_words})
        (( CURRENT > 2 )) && found=(${(M)found:#*=*})
    fi
    compadd -S '' -a found
    _files
}
compdef _strongchain strongchain"""
