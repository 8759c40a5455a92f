"""One verb, one file: arguments in, one call, one answer printed.

The table below is all that the parser, the help, the man page and the completions know of the verbs; a verb's
module is loaded only when it is called.
"""

VERBS: dict[str, str] = {
    "init": "set up this clone",
    "doctor": "check git, engine, registry, AWS, remote, hooks",
    "snapshot": "record the work tree as a tag and push it to the experiments remote",
    "build": "make the image of a snapshot on this machine",
    "run": "run a command in a snapshot's image, here and now",
    "publish": "build, push, register the job definition",
    "submit": "hand a command to the executor",
    "list": "list snapshots and their runs",
    "show": "show everything recorded about a snapshot",
    "sync": "fetch and push snapshots and records, settle open runs",
    "config": "show the settings and where they come from",
    "hook": "install, remove or run the hooks",
    "help": "show help for a verb",
}
