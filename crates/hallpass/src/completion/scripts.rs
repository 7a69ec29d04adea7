//! What the shells are given. Each script only passes on what is typed and shows what comes back.

/// `-o nosort` came with bash 4.4; macOS still has 3.2.
pub(super) const BASH: &str = r#"_hallpass() {
    local candidate
    COMPREPLY=()
    while IFS= read -r candidate; do
        COMPREPLY+=("$candidate")
    done < <(command hallpass complete bash -- "${COMP_LINE:0:COMP_POINT}" "$COMP_WORDBREAKS" 2>/dev/null)
}
complete -o nospace -o nosort -F _hallpass hallpass 2>/dev/null || complete -o nospace -F _hallpass hallpass"#;

/// `-U`: what fits is decided by hallpass, which ignores letter case.
pub(super) const ZSH: &str = r#"#compdef hallpass
_hallpass() {
    local value about
    local -a final final_shown open open_shown
    while IFS=$'\t' read -r value about; do
        [[ -n $value ]] || continue
        case $value in
            (*[=/,.@]) open+=("$value"); open_shown+=("$value${about:+  $about}") ;;
            (*) final+=("$value"); final_shown+=("$value${about:+  $about}") ;;
        esac
    done < <(command hallpass complete zsh -- "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)
    (( $#open )) && compadd -U -l -V open -S '' -d open_shown -a open
    (( $#final )) && compadd -U -l -V final -d final_shown -a final
    (( $#open + $#final ))
}
if [[ $funcstack[1] == _hallpass ]]; then
    _hallpass "$@"
else
    compdef _hallpass hallpass
fi"#;

/// fish itself puts no blank behind `=`, `/`, `,` and `@`.
pub(super) const FISH: &str = r#"function __hallpass_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    command hallpass complete fish -- $words[2..-1] "$current" 2>/dev/null
end
complete -c hallpass -e
complete -c hallpass -f -k -a '(__hallpass_complete)'"#;
