"""The parts of the completion scripts that are written by hand; @name@ is filled by `completions`.

bash: git's own completion loads the file `git-rvexp` and calls `_git_rvexp`. zsh: git's completion calls `_git-rvexp`
with the words from `rvexp` on. fish: `git rvexp` and `git-rvexp` are completed alike. A tag has four parts, so a
pattern with as many stars as are missing finds those that begin with what is typed; 200 are enough for an eye. What is
a file is left to the shell: the first word of a verb that begins with one, and the values of options.
"""

_TAGS = """\
    local slashes=${1//[^\\/]/} rest=
    case ${#slashes} in
        0) rest='/*/*/*' ;;
        1) rest='/*/*' ;;
        2) rest='/*' ;;
    esac
    if [ -n "$1" ]; then
        git for-each-ref --count=200 --sort=-refname --format='%(refname:strip=2)' "refs/tags/$1*$rest" 2>/dev/null
    fi
    if [ -z "$slashes" ]; then
        git for-each-ref --count=200 --sort=-refname --format='%(refname:strip=5)' "refs/tags/*/*/*/$1*" 2>/dev/null
    fi
"""

BASH = f"""\
# Completion of git rvexp for bash. Made by dev/make_man from the verbs; do not edit.

_git_rvexp_tags() {{
{_TAGS}}}

_git_rvexp() {{
    local cur=${{COMP_WORDS[COMP_CWORD]}} prev=${{COMP_WORDS[COMP_CWORD-1]}}
    local verb= flags= words= tags= file= given= started= more= i
    case ${{COMP_WORDS[0]}} in *git-rvexp) started=1 ;; esac
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${{COMP_WORDS[i]}} in
            --) [ -n "$verb" ] && return 0 ;;
            -*) ;;
            rvexp) if [ -z "$started" ]; then started=1; else verb=${{verb:-rvexp}}; fi ;;
            *) if [ -n "$verb" ]; then more=1; elif [ -n "$started" ]; then verb=${{COMP_WORDS[i]}}; fi ;;
        esac
    done
    if [ -z "$verb" ]; then
        COMPREPLY=($(compgen -W '@names@' -- "$cur"))
        return 0
    fi
    case $verb:$prev in
@values@
    esac
    if [ -n "$given" ]; then
        COMPREPLY=($(compgen -W "$words" -- "$cur"))
        return 0
    fi
    case $verb in
@verbs@
    esac
    case $cur in
        -*) COMPREPLY=($(compgen -W "$flags" -- "$cur")) ;;
        *) [ -n "$file" ] && [ -z "$more" ] && return 0
            COMPREPLY=($(compgen -W "$words${{tags:+ $(_git_rvexp_tags "$cur")}}" -- "$cur")) ;;
    esac
}}

complete -o bashdefault -o default -F _git_rvexp git-rvexp
"""

ZSH = f"""\
#compdef git-rvexp
#description repeatable containerised experiments
# Made by dev/make_man from the verbs; do not edit.

_git_rvexp_tags() {{
{_TAGS}}}

_git-rvexp() {{
    local verb=$words[2] prev=$words[CURRENT-1] cur=$words[CURRENT] flags tags file given
    local -a more=(${{(M)words[3,CURRENT-1]:#[^-]*}})
    local -a all=($words)
    local words=''
    if (( CURRENT == 2 )); then
        local -a names=(
@names@
        )
        _describe -t verbs verb names
        return
    fi
    if (( ${{all[(I)--]}} && ${{all[(I)--]}} < CURRENT )); then
        _files
        return
    fi
    case $verb:$prev in
@values@
    esac
    if [[ -n $given ]]; then
        if [[ -n $words ]]; then compadd -- ${{=words}}; else _files; fi
        return
    fi
    case $verb in
@verbs@
    esac
    if [[ $cur == -* ]]; then
        compadd -- ${{=flags}}
        return
    fi
    if [[ -n $file ]] && (( ! $#more )); then
        _files
        return
    fi
    [[ -n $tags ]] && words="$words $(_git_rvexp_tags "$cur")"
    compadd -- ${{=words}}
}}

_git-rvexp "$@"
"""

FISH = """\
# Completion of git rvexp for fish. Made by dev/make_man from the verbs; do not edit.

function __rvexp_words
    set -l words (commandline -opc)
    set -l at 1
    if not string match -q -- '*git-rvexp' $words[1]
        set at (contains -i -- rvexp $words)
        or return 1
    end
    set -e words[1..$at]
    string join \\n -- $words
    return 0
end

function __rvexp_verb
    for word in (__rvexp_words)
        if not string match -q -- '-*' $word
            echo $word
            return 0
        end
    end
    return 1
end

function __rvexp_at
    test (__rvexp_verb; or echo none) = $argv[1]
    and not contains -- -- (__rvexp_words)
end

function __rvexp_word
    test (count (string match -v -- '-*' (__rvexp_words))) -gt 1
end

function __rvexp_tags
    set -l typed (commandline -ct)
    set -l stars '/*/*/*' '/*/*' '/*' ''
    set -l parts (string split / -- $typed)
    set -l rest $stars[(count $parts)]
    if test -n "$typed"
        git for-each-ref --count=200 --sort=-refname --format='%(refname:strip=2)' "refs/tags/$typed*$rest" 2>/dev/null
    end
    if test (count $parts) = 1
        git for-each-ref --count=200 --sort=-refname --format='%(refname:strip=5)' "refs/tags/*/*/*/$typed*" 2>/dev/null
    end
end

function __rvexp_complete
    complete -c git-rvexp -n $argv[1] $argv[2..-1]
    complete -c git -n "contains -- rvexp (commandline -opc); and $argv[1]" $argv[2..-1]
end

@lines@
"""
