# Completion of git rvexp for fish. Made by dev/make_man from the verbs; do not edit.

function __rvexp_words
    set -l words (commandline -opc)
    set -l at 1
    if not string match -q -- '*git-rvexp' $words[1]
        set at (contains -i -- rvexp $words)
        or return 1
    end
    set -e words[1..$at]
    string join \n -- $words
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

__rvexp_complete 'not __rvexp_verb' -f -a init -d 'set up this clone'
__rvexp_complete '__rvexp_at init' -f -s h -l help -d 'show this help message and exit'
__rvexp_complete '__rvexp_at init' -f -s q -l quiet -d 'say nothing but results, warnings and errors'
__rvexp_complete '__rvexp_at init' -f -l color -r -a 'auto always never' -d 'colour the output'
__rvexp_complete '__rvexp_at init' -f -l profile -r -d 'lay [profile.NAME] of the settings files over them'
__rvexp_complete '__rvexp_at init' -f -l remote -r -d 'private git URL that snapshots and notes go to'
__rvexp_complete '__rvexp_at init' -f -l queue -r -d 'AWS Batch job queue; without one runs happen on this machine'
__rvexp_complete '__rvexp_at init' -f -l job-def -r -d 'Batch job definition that ours are derived from'
__rvexp_complete '__rvexp_at init' -f -l ecr-repo -r -d 'registry/repository that images are pushed to'
__rvexp_complete '__rvexp_at init' -f -s y -l yes -d 'ask nothing, take what is configured or found'
__rvexp_complete '__rvexp_at init' -f -s n -l dry-run -d 'show what would be written; write nothing'
__rvexp_complete '__rvexp_at init' -f -l confirm -d 'stand by where a tracked .rvexp.toml sends code, secrets and money'
__rvexp_complete 'not __rvexp_verb' -f -a doctor -d 'check git, engine, registry, AWS, remote, hooks'
__rvexp_complete '__rvexp_at doctor' -f -s h -l help -d 'show this help message and exit'
__rvexp_complete '__rvexp_at doctor' -f -s q -l quiet -d 'say nothing but results, warnings and errors'
__rvexp_complete '__rvexp_at doctor' -f -l color -r -a 'auto always never' -d 'colour the output'
__rvexp_complete '__rvexp_at doctor' -f -l profile -r -d 'lay [profile.NAME] of the settings files over them'
__rvexp_complete '__rvexp_at doctor' -f -l fix -d 'repair what can be repaired without a question'
__rvexp_complete '__rvexp_at doctor' -f -l json -d 'one JSON document'
__rvexp_complete 'not __rvexp_verb' -f -a snapshot -d 'record the work tree as a tag and push it to the experiments remote'
__rvexp_complete '__rvexp_at snapshot' -f -s h -l help -d 'show this help message and exit'
__rvexp_complete '__rvexp_at snapshot' -f -s q -l quiet -d 'say nothing but results, warnings and errors'
__rvexp_complete '__rvexp_at snapshot' -f -l color -r -a 'auto always never' -d 'colour the output'
__rvexp_complete '__rvexp_at snapshot' -f -l profile -r -d 'lay [profile.NAME] of the settings files over them'
__rvexp_complete '__rvexp_at snapshot' -f -s m -l message -r -d 'the tag'\''s message'
__rvexp_complete '__rvexp_at snapshot' -f -l project -r -d 'instead of the configured project'
__rvexp_complete '__rvexp_at snapshot' -f -l initials -r -d 'instead of the configured initials'
__rvexp_complete '__rvexp_at snapshot' -f -l date -r -d 'yyyy-mm-dd instead of today'
__rvexp_complete '__rvexp_at snapshot' -f -l no-push -d 'keep it in this clone until the next sync'
__rvexp_complete '__rvexp_at snapshot' -f -s n -l dry-run -d 'list what would go in; write nothing'
__rvexp_complete 'not __rvexp_verb' -f -a build -d 'make the image of a snapshot on this machine'
__rvexp_complete '__rvexp_at build' -f -a '(__rvexp_tags)'
__rvexp_complete '__rvexp_at build' -f -s h -l help -d 'show this help message and exit'
__rvexp_complete '__rvexp_at build' -f -s q -l quiet -d 'say nothing but results, warnings and errors'
__rvexp_complete '__rvexp_at build' -f -l color -r -a 'auto always never' -d 'colour the output'
__rvexp_complete '__rvexp_at build' -f -l profile -r -d 'lay [profile.NAME] of the settings files over them'
__rvexp_complete 'not __rvexp_verb' -f -a run -d 'run a command in a snapshot'\''s image, here and now'
__rvexp_complete '__rvexp_at run' -f -a '(__rvexp_tags)'
__rvexp_complete '__rvexp_at run' -f -s h -l help -d 'show this help message and exit'
__rvexp_complete '__rvexp_at run' -f -s q -l quiet -d 'say nothing but results, warnings and errors'
__rvexp_complete '__rvexp_at run' -f -l color -r -a 'auto always never' -d 'colour the output'
__rvexp_complete '__rvexp_at run' -f -l profile -r -d 'lay [profile.NAME] of the settings files over them'
__rvexp_complete '__rvexp_at run' -f -s v -l volume -r -d 'mount data'
__rvexp_complete '__rvexp_at run' -f -s p -l port -r -d 'publish a port'
__rvexp_complete '__rvexp_at run' -f -l gpus -r -d 'number of GPUs, or "all"'
__rvexp_complete '__rvexp_at run' -f -l env -r -d 'a variable (recorded: no secrets)'
__rvexp_complete '__rvexp_at run' -f -l secret-env -r -d 'a secret, by name only'
__rvexp_complete 'not __rvexp_verb' -f -a publish -d 'build, push, register the job definition'
__rvexp_complete '__rvexp_at publish' -f -a '(__rvexp_tags)'
__rvexp_complete '__rvexp_at publish' -f -s h -l help -d 'show this help message and exit'
__rvexp_complete '__rvexp_at publish' -f -s q -l quiet -d 'say nothing but results, warnings and errors'
__rvexp_complete '__rvexp_at publish' -f -l color -r -a 'auto always never' -d 'colour the output'
__rvexp_complete '__rvexp_at publish' -f -l profile -r -d 'lay [profile.NAME] of the settings files over them'
__rvexp_complete 'not __rvexp_verb' -f -a submit -d 'hand a command to the executor'
__rvexp_complete '__rvexp_at submit' -f -a '(__rvexp_tags)'
__rvexp_complete '__rvexp_at submit' -f -s h -l help -d 'show this help message and exit'
__rvexp_complete '__rvexp_at submit' -f -s q -l quiet -d 'say nothing but results, warnings and errors'
__rvexp_complete '__rvexp_at submit' -f -l color -r -a 'auto always never' -d 'colour the output'
__rvexp_complete '__rvexp_at submit' -f -l profile -r -d 'lay [profile.NAME] of the settings files over them'
__rvexp_complete '__rvexp_at submit' -f -l vcpus -r -d 'virtual CPUs'
__rvexp_complete '__rvexp_at submit' -f -l memory -r -d 'memory in MiB'
__rvexp_complete '__rvexp_at submit' -f -l gpus -r -d 'GPUs'
__rvexp_complete '__rvexp_at submit' -f -l env -r -d 'a variable (recorded: no secrets)'
__rvexp_complete '__rvexp_at submit' -f -l secret-env -r -d 'a secret, by name only'
__rvexp_complete '__rvexp_at submit' -f -l queue -r -d 'job queue, instead of batch_queue'
__rvexp_complete '__rvexp_at submit' -f -l executor -r -a 'docker batch' -d 'instead of the configured one'
__rvexp_complete '__rvexp_at submit' -f -l timeout -r -d 'seconds an attempt may run'
__rvexp_complete '__rvexp_at submit' -f -l attempts -r -d 'attempts, 1 to 10; only lost hosts are retried'
__rvexp_complete '__rvexp_at submit' -f -l array -r -d 'an array of N children'
__rvexp_complete '__rvexp_at submit' -f -l after -r -d 'start when that run succeeded'
__rvexp_complete '__rvexp_at submit' -f -l seed -r -d 'the run'\''s seed; default: one is drawn and recorded'
__rvexp_complete '__rvexp_at submit' -f -l wait -d 'follow the run; exit 0 when it succeeds, 1 when not'
__rvexp_complete '__rvexp_at submit' -f -l offline -d 'submit though the record cannot be shared first'
__rvexp_complete '__rvexp_at submit' -f -s n -l dry-run -d 'print the plan; start and record nothing'
__rvexp_complete '__rvexp_at submit' -f -l json -d 'one JSON document'
__rvexp_complete 'not __rvexp_verb' -f -a status -d 'show where runs stand'
__rvexp_complete '__rvexp_at status' -f -a '(__rvexp_tags)'
__rvexp_complete '__rvexp_at status' -f -s h -l help -d 'show this help message and exit'
__rvexp_complete '__rvexp_at status' -f -s q -l quiet -d 'say nothing but results, warnings and errors'
__rvexp_complete '__rvexp_at status' -f -l color -r -a 'auto always never' -d 'colour the output'
__rvexp_complete '__rvexp_at status' -f -l profile -r -d 'lay [profile.NAME] of the settings files over them'
__rvexp_complete '__rvexp_at status' -f -s r -l refresh -d 'ask the executors'
__rvexp_complete '__rvexp_at status' -f -s w -l watch -d 'ask again every 15 seconds until all have ended'
__rvexp_complete '__rvexp_at status' -f -l exit-status -d 'tell by the exit code'
__rvexp_complete '__rvexp_at status' -f -l json -d 'one JSON document (with --watch one a line)'
__rvexp_complete 'not __rvexp_verb' -f -a logs -d 'print what a run has printed'
__rvexp_complete '__rvexp_at logs' -f -a '(__rvexp_tags)'
__rvexp_complete '__rvexp_at logs' -f -s h -l help -d 'show this help message and exit'
__rvexp_complete '__rvexp_at logs' -f -s q -l quiet -d 'say nothing but results, warnings and errors'
__rvexp_complete '__rvexp_at logs' -f -l color -r -a 'auto always never' -d 'colour the output'
__rvexp_complete '__rvexp_at logs' -f -l profile -r -d 'lay [profile.NAME] of the settings files over them'
__rvexp_complete '__rvexp_at logs' -f -s f -l follow -d 'go on until the job has ended'
__rvexp_complete '__rvexp_at logs' -f -l grep -r -d 'only lines that match'
__rvexp_complete '__rvexp_at logs' -f -l save -d 'keep the log in this clone and its checksum in the record'
__rvexp_complete 'not __rvexp_verb' -f -a wait -d 'wait until a run has ended'
__rvexp_complete '__rvexp_at wait' -f -a '(__rvexp_tags)'
__rvexp_complete '__rvexp_at wait' -f -s h -l help -d 'show this help message and exit'
__rvexp_complete '__rvexp_at wait' -f -s q -l quiet -d 'say nothing but results, warnings and errors'
__rvexp_complete '__rvexp_at wait' -f -l color -r -a 'auto always never' -d 'colour the output'
__rvexp_complete '__rvexp_at wait' -f -l profile -r -d 'lay [profile.NAME] of the settings files over them'
__rvexp_complete '__rvexp_at wait' -f -l timeout -r -d 'give up (exit 8) after 90s, 10m, 2h …'
__rvexp_complete 'not __rvexp_verb' -f -a cancel -d 'stop a run'
__rvexp_complete '__rvexp_at cancel' -f -a '(__rvexp_tags)'
__rvexp_complete '__rvexp_at cancel' -f -s h -l help -d 'show this help message and exit'
__rvexp_complete '__rvexp_at cancel' -f -s q -l quiet -d 'say nothing but results, warnings and errors'
__rvexp_complete '__rvexp_at cancel' -f -l color -r -a 'auto always never' -d 'colour the output'
__rvexp_complete '__rvexp_at cancel' -f -l profile -r -d 'lay [profile.NAME] of the settings files over them'
__rvexp_complete '__rvexp_at cancel' -f -l reason -r -d 'kept in the record and told to the executor'
__rvexp_complete '__rvexp_at cancel' -f -l timeout -r -d 'how long to look that it stops (default 2m)'
__rvexp_complete 'not __rvexp_verb' -f -a list -d 'list snapshots and their runs'
__rvexp_complete '__rvexp_at list' -f -s h -l help -d 'show this help message and exit'
__rvexp_complete '__rvexp_at list' -f -s q -l quiet -d 'say nothing but results, warnings and errors'
__rvexp_complete '__rvexp_at list' -f -l color -r -a 'auto always never' -d 'colour the output'
__rvexp_complete '__rvexp_at list' -f -l profile -r -d 'lay [profile.NAME] of the settings files over them'
__rvexp_complete '__rvexp_at list' -f -s n -l number -r -d 'at most N (default 20)'
__rvexp_complete '__rvexp_at list' -f -s a -l all -d 'all of them'
__rvexp_complete '__rvexp_at list' -f -l mine -d 'only those with my initials'
__rvexp_complete '__rvexp_at list' -f -l project -r -d 'only those of a project'
__rvexp_complete '__rvexp_at list' -f -l state -r -a 'ok failed cancelled submitted planned ambiguous refused notfound unknown none' -d 'only those with a run in this state'
__rvexp_complete '__rvexp_at list' -f -l since -r -d 'only those since a date, or 12h, 3d, 2w ago'
__rvexp_complete '__rvexp_at list' -f -l grep -r -d 'only where tag, message, command or run id match; case ignored'
__rvexp_complete '__rvexp_at list' -f -l format -r -d 'a line of your own for each'
__rvexp_complete '__rvexp_at list' -f -l json -d 'one JSON document'
__rvexp_complete 'not __rvexp_verb' -f -a show -d 'show everything recorded about a snapshot'
__rvexp_complete '__rvexp_at show' -f -a '(__rvexp_tags)'
__rvexp_complete '__rvexp_at show' -f -s h -l help -d 'show this help message and exit'
__rvexp_complete '__rvexp_at show' -f -s q -l quiet -d 'say nothing but results, warnings and errors'
__rvexp_complete '__rvexp_at show' -f -l color -r -a 'auto always never' -d 'colour the output'
__rvexp_complete '__rvexp_at show' -f -l profile -r -d 'lay [profile.NAME] of the settings files over them'
__rvexp_complete '__rvexp_at show' -f -l json -d 'one JSON document, with the record'\''s events whole'
__rvexp_complete 'not __rvexp_verb' -f -a diff -d 'show what differs between two snapshots or runs'
__rvexp_complete '__rvexp_at diff' -f -a '(__rvexp_tags)'
__rvexp_complete '__rvexp_at diff' -f -s h -l help -d 'show this help message and exit'
__rvexp_complete '__rvexp_at diff' -f -s q -l quiet -d 'say nothing but results, warnings and errors'
__rvexp_complete '__rvexp_at diff' -f -l color -r -a 'auto always never' -d 'colour the output'
__rvexp_complete '__rvexp_at diff' -f -l profile -r -d 'lay [profile.NAME] of the settings files over them'
__rvexp_complete '__rvexp_at diff' -f -s p -l patch -d 'the code'\''s whole difference'
__rvexp_complete '__rvexp_at diff' -f -l exit-code -d 'exit 1 when anything differs'
__rvexp_complete '__rvexp_at diff' -f -l json -d 'one JSON document'
__rvexp_complete 'not __rvexp_verb' -f -a sync -d 'fetch and push snapshots and records, settle open runs'
__rvexp_complete '__rvexp_at sync' -f -s h -l help -d 'show this help message and exit'
__rvexp_complete '__rvexp_at sync' -f -s q -l quiet -d 'say nothing but results, warnings and errors'
__rvexp_complete '__rvexp_at sync' -f -l color -r -a 'auto always never' -d 'colour the output'
__rvexp_complete '__rvexp_at sync' -f -l profile -r -d 'lay [profile.NAME] of the settings files over them'
__rvexp_complete '__rvexp_at sync' -f -l accept -d 'go on although the remote'\''s history was rewritten'
__rvexp_complete '__rvexp_at sync' -f -l foreign -d 'list jobs on our definitions that no record names'
__rvexp_complete '__rvexp_at sync' -f -l adopt -r -d 'record such a job, by id or name'
__rvexp_complete 'not __rvexp_verb' -f -a config -d 'show the settings and where they come from'
__rvexp_complete '__rvexp_at config' -f -a 'list get set path initials project experiments_remote github_experiment_repo archive_url executor batch_queue batch_job_def_name ecr_repo aws.region aws.profile aws.endpoint_url image.dockerfile image.context image.target image.platform image.build_args job.vcpus job.memory job.gpus job.timeout job.attempts job.env job.role_arn job.execution_role_arn'
__rvexp_complete '__rvexp_at config' -f -s h -l help -d 'show this help message and exit'
__rvexp_complete '__rvexp_at config' -f -s q -l quiet -d 'say nothing but results, warnings and errors'
__rvexp_complete '__rvexp_at config' -f -l color -r -a 'auto always never' -d 'colour the output'
__rvexp_complete '__rvexp_at config' -f -l profile -r -d 'lay [profile.NAME] of the settings files over them'
__rvexp_complete '__rvexp_at config' -f -l show-origin -d 'list: where each value comes from'
__rvexp_complete '__rvexp_at config' -f -l json -d 'list, get: one JSON document'
__rvexp_complete '__rvexp_at config' -f -l user -d 'set: in your own file, for all repositories'
__rvexp_complete '__rvexp_at config' -f -l local -d 'set: in this clone'\''s git configuration'
__rvexp_complete 'not __rvexp_verb' -f -a hook -d 'install, remove or run the hooks'
__rvexp_complete '__rvexp_at hook' -f -a '(__rvexp_tags)'
__rvexp_complete '__rvexp_at hook' -f -a 'install uninstall status post-push'
__rvexp_complete '__rvexp_at hook' -f -s h -l help -d 'show this help message and exit'
__rvexp_complete '__rvexp_at hook' -f -s q -l quiet -d 'say nothing but results, warnings and errors'
__rvexp_complete '__rvexp_at hook' -f -l color -r -a 'auto always never' -d 'colour the output'
__rvexp_complete '__rvexp_at hook' -f -l profile -r -d 'lay [profile.NAME] of the settings files over them'
__rvexp_complete '__rvexp_at hook' -f -l server -r -d 'the bare repository at PATH, not this clone'
__rvexp_complete '__rvexp_at hook' -f -l publish-on-push -l no-publish-on-push -d 'whether a plain `git push experiments TAG` publishes TAG'
__rvexp_complete 'not __rvexp_verb' -f -a completion -d 'print the completion script of a shell'
__rvexp_complete '__rvexp_at completion' -f -a 'bash zsh fish'
__rvexp_complete '__rvexp_at completion' -f -s h -l help -d 'show this help message and exit'
__rvexp_complete '__rvexp_at completion' -f -s q -l quiet -d 'say nothing but results, warnings and errors'
__rvexp_complete '__rvexp_at completion' -f -l color -r -a 'auto always never' -d 'colour the output'
__rvexp_complete '__rvexp_at completion' -f -l profile -r -d 'lay [profile.NAME] of the settings files over them'
__rvexp_complete 'not __rvexp_verb' -f -a help -d 'show help for a verb'
__rvexp_complete '__rvexp_at help' -f -a 'init doctor snapshot build run publish submit status logs wait cancel list show diff sync config hook completion help'
__rvexp_complete '__rvexp_at help' -f -s h -l help -d 'show this help message and exit'
__rvexp_complete '__rvexp_at help' -f -s q -l quiet -d 'say nothing but results, warnings and errors'
__rvexp_complete '__rvexp_at help' -f -l color -r -a 'auto always never' -d 'colour the output'
__rvexp_complete '__rvexp_at help' -f -l profile -r -d 'lay [profile.NAME] of the settings files over them'
