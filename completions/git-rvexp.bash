# Completion of git rvexp for bash. Made by dev/make_man from the verbs; do not edit.

_git_rvexp_tags() {
    local slashes=${1//[^\/]/} rest=
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
}

_git_rvexp() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}
    local verb= flags= words= tags= file= given= started= more= i
    case ${COMP_WORDS[0]} in *git-rvexp) started=1 ;; esac
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
            --) [ -n "$verb" ] && return 0 ;;
            -*) ;;
            rvexp) if [ -z "$started" ]; then started=1; else verb=${verb:-rvexp}; fi ;;
            *) if [ -n "$verb" ]; then more=1; elif [ -n "$started" ]; then verb=${COMP_WORDS[i]}; fi ;;
        esac
    done
    if [ -z "$verb" ]; then
        COMPREPLY=($(compgen -W 'init doctor snapshot build run publish submit chain repeat status logs download wait cancel list show diff verify report export import sync config hook completion help' -- "$cur"))
        return 0
    fi
    case $verb:$prev in
        init:--color) words='auto always never' given=1 ;;
        init:--profile) words='' given=1 ;;
        init:--remote) words='' given=1 ;;
        init:--queue) words='' given=1 ;;
        init:--job-def) words='' given=1 ;;
        init:--ecr-repo) words='' given=1 ;;
        doctor:--color) words='auto always never' given=1 ;;
        doctor:--profile) words='' given=1 ;;
        snapshot:--color) words='auto always never' given=1 ;;
        snapshot:--profile) words='' given=1 ;;
        snapshot:-m|snapshot:--message) words='' given=1 ;;
        snapshot:--project) words='' given=1 ;;
        snapshot:--initials) words='' given=1 ;;
        snapshot:--date) words='' given=1 ;;
        snapshot:--submodules) words='record embed' given=1 ;;
        build:--color) words='auto always never' given=1 ;;
        build:--profile) words='' given=1 ;;
        run:--color) words='auto always never' given=1 ;;
        run:--profile) words='' given=1 ;;
        run:-v|run:--volume) words='' given=1 ;;
        run:-p|run:--port) words='' given=1 ;;
        run:--gpus) words='' given=1 ;;
        run:--env) words='' given=1 ;;
        run:--secret-env) words='' given=1 ;;
        publish:--color) words='auto always never' given=1 ;;
        publish:--profile) words='' given=1 ;;
        submit:--color) words='auto always never' given=1 ;;
        submit:--profile) words='' given=1 ;;
        submit:--vcpus) words='' given=1 ;;
        submit:--memory) words='' given=1 ;;
        submit:--gpus) words='' given=1 ;;
        submit:--env) words='' given=1 ;;
        submit:--secret-env) words='' given=1 ;;
        submit:--queue) words='' given=1 ;;
        submit:--executor) words='docker batch' given=1 ;;
        submit:--timeout) words='' given=1 ;;
        submit:--attempts) words='1 2 3 4 5 6 7 8 9 10' given=1 ;;
        submit:--array) words='' given=1 ;;
        submit:--share) words='' given=1 ;;
        submit:--priority) words='' given=1 ;;
        submit:--job-tag) words='' given=1 ;;
        submit:--after) words='' given=1 ;;
        submit:--seed) words='' given=1 ;;
        submit:--input) words='' given=1 ;;
        submit:--output) words='' given=1 ;;
        chain:--color) words='auto always never' given=1 ;;
        chain:--profile) words='' given=1 ;;
        chain:--resume) words='' given=1 ;;
        chain:--queue) words='' given=1 ;;
        chain:--executor) words='docker batch' given=1 ;;
        chain:--secret-env) words='' given=1 ;;
        chain:--parallel) words='' given=1 ;;
        repeat:--color) words='auto always never' given=1 ;;
        repeat:--profile) words='' given=1 ;;
        repeat:--executor) words='docker batch' given=1 ;;
        repeat:--queue) words='' given=1 ;;
        repeat:--secret-env) words='' given=1 ;;
        repeat:--times) words='' given=1 ;;
        repeat:--tolerance) words='' given=1 ;;
        status:--color) words='auto always never' given=1 ;;
        status:--profile) words='' given=1 ;;
        logs:--color) words='auto always never' given=1 ;;
        logs:--profile) words='' given=1 ;;
        logs:--since) words='' given=1 ;;
        logs:--attempt) words='' given=1 ;;
        logs:--grep) words='' given=1 ;;
        download:--color) words='auto always never' given=1 ;;
        download:--profile) words='' given=1 ;;
        download:-o|download:--output) words='' given=1 ;;
        wait:--color) words='auto always never' given=1 ;;
        wait:--profile) words='' given=1 ;;
        wait:--timeout) words='' given=1 ;;
        cancel:--color) words='auto always never' given=1 ;;
        cancel:--profile) words='' given=1 ;;
        cancel:--reason) words='' given=1 ;;
        cancel:--timeout) words='' given=1 ;;
        list:--color) words='auto always never' given=1 ;;
        list:--profile) words='' given=1 ;;
        list:-n|list:--number) words='' given=1 ;;
        list:--initials) words='' given=1 ;;
        list:--project) words='' given=1 ;;
        list:--state) words='ok failed cancelled submitted planned ambiguous refused notfound unknown none' given=1 ;;
        list:--since) words='' given=1 ;;
        list:--grep) words='' given=1 ;;
        list:--format) words='' given=1 ;;
        show:--color) words='auto always never' given=1 ;;
        show:--profile) words='' given=1 ;;
        diff:--color) words='auto always never' given=1 ;;
        diff:--profile) words='' given=1 ;;
        verify:--color) words='auto always never' given=1 ;;
        verify:--profile) words='' given=1 ;;
        verify:--report) words='' given=1 ;;
        report:--color) words='auto always never' given=1 ;;
        report:--profile) words='' given=1 ;;
        report:-o|report:--output) words='' given=1 ;;
        report:--parent) words='' given=1 ;;
        report:--check) words='' given=1 ;;
        export:--color) words='auto always never' given=1 ;;
        export:--profile) words='' given=1 ;;
        export:--format) words='ro-crate slsa bundle json citation' given=1 ;;
        export:-o|export:--output) words='' given=1 ;;
        import:--color) words='auto always never' given=1 ;;
        import:--profile) words='' given=1 ;;
        sync:--color) words='auto always never' given=1 ;;
        sync:--profile) words='' given=1 ;;
        sync:--adopt) words='' given=1 ;;
        config:--color) words='auto always never' given=1 ;;
        config:--profile) words='' given=1 ;;
        hook:--color) words='auto always never' given=1 ;;
        hook:--profile) words='' given=1 ;;
        hook:--server) words='' given=1 ;;
        completion:--color) words='auto always never' given=1 ;;
        completion:--profile) words='' given=1 ;;
        help:--color) words='auto always never' given=1 ;;
        help:--profile) words='' given=1 ;;
    esac
    if [ -n "$given" ]; then
        COMPREPLY=($(compgen -W "$words" -- "$cur"))
        return 0
    fi
    case $verb in
        init) flags='-h --help -q --quiet --color --profile --remote --queue --job-def --ecr-repo -y --yes -n --dry-run --confirm' words='' ;;
        doctor) flags='-h --help -q --quiet --color --profile --fix --json' words='' ;;
        snapshot) flags='-h --help -q --quiet --color --profile -m --message --project --initials --date --no-push --submodules --allow-secrets -n --dry-run' words='' ;;
        build) flags='-h --help -q --quiet --color --profile --reproduce' words='' tags=1 ;;
        run) flags='-h --help -q --quiet --color --profile -v --volume -p --port --gpus --env --secret-env --allow-secrets' words='' tags=1 ;;
        publish) flags='-h --help -q --quiet --color --profile --full' words='' tags=1 ;;
        submit) flags='-h --help -q --quiet --color --profile --vcpus --memory --gpus --env --secret-env --allow-secrets --queue --executor --timeout --attempts --array --share --priority --job-tag --after --seed --input --output --pin-inputs --wait --offline -n --dry-run --json' words='' tags=1 ;;
        chain) flags='-h --help -q --quiet --color --profile --resume --wait -n --dry-run --queue --executor --secret-env --trust-record --allow-secrets --pin-inputs --parallel --json' words='' tags=1 file=1 ;;
        repeat) flags='-h --help -q --quiet --color --profile --executor --queue --secret-env --trust-record -n --dry-run --times --wait --rebuild --allow-data-drift --pin-inputs --tolerance --json' words='' tags=1 ;;
        status) flags='-h --help -q --quiet --color --profile -r --refresh -w --watch --exit-status --json' words='' tags=1 ;;
        logs) flags='-h --help -q --quiet --color --profile -f --follow --since --attempt --grep --save' words='' tags=1 ;;
        download) flags='-h --help -q --quiet --color --profile -o --output' words='' tags=1 ;;
        wait) flags='-h --help -q --quiet --color --profile --timeout' words='' tags=1 ;;
        cancel) flags='-h --help -q --quiet --color --profile --chain --reason --timeout' words='' tags=1 ;;
        list) flags='-h --help -q --quiet --color --profile -n --number -a --all --mine --initials --project --state --since --grep --format --json' words='' ;;
        show) flags='-h --help -q --quiet --color --profile --json' words='' tags=1 ;;
        diff) flags='-h --help -q --quiet --color --profile -p --patch --packages --exit-code --json' words='' tags=1 ;;
        verify) flags='-h --help -q --quiet --color --profile --all --deep --report --json' words='' tags=1 ;;
        report) flags='-h --help -q --quiet --color --profile -a --all -o --output --parent --public --check -f --force' words='' tags=1 ;;
        export) flags='-h --help -q --quiet --color --profile --format -o --output' words='' tags=1 ;;
        import) flags='-h --help -q --quiet --color --profile --no-image' words='' file=1 ;;
        sync) flags='-h --help -q --quiet --color --profile --accept --foreign --adopt' words='' ;;
        config) flags='-h --help -q --quiet --color --profile --show-origin --json --user --local' words='list get set unset path initials project experiments_remote github_experiment_repo archive_url store executor batch_queue batch_job_def_name ecr_repo aws.region aws.profile aws.endpoint_url snapshot.max_file snapshot.max_total snapshot.submodules secrets.scan secrets.allow_paths secrets.allow_rules image.dockerfile image.context image.target image.platform image.build_args image.code image.base image.environment image.owner job.vcpus job.memory job.gpus job.timeout job.attempts job.env job.tags job.share job.priority job.links job.role_arn job.execution_role_arn run.outputs run.inputs run.input_files run.pin_inputs run.metrics run.tolerance seed.inject report.private' ;;
        hook) flags='-h --help -q --quiet --color --profile --server --publish-on-push --no-publish-on-push' words='install uninstall status post-push' tags=1 ;;
        completion) flags='-h --help -q --quiet --color --profile' words='bash zsh fish' ;;
        help) flags='-h --help -q --quiet --color --profile' words='init doctor snapshot build run publish submit chain repeat status logs download wait cancel list show diff verify report export import sync config hook completion help' ;;
    esac
    case $cur in
        -*) COMPREPLY=($(compgen -W "$flags" -- "$cur")) ;;
        *) [ -n "$file" ] && [ -z "$more" ] && return 0
            COMPREPLY=($(compgen -W "$words${tags:+ $(_git_rvexp_tags "$cur")}" -- "$cur")) ;;
    esac
}

complete -o bashdefault -o default -F _git_rvexp git-rvexp
