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
    "chain": "run several steps that depend on one another",
    "repeat": "run the same again from the record, and compare",
    "status": "show where runs stand",
    "logs": "print what a run has printed",
    "download": "copy what a run has written to a folder here",
    "wait": "wait until a run has ended",
    "cancel": "stop a run",
    "list": "list snapshots and their runs",
    "show": "show everything recorded about a snapshot",
    "diff": "show what differs between two snapshots or runs",
    "verify": "check whether what ran can still be proven, and repeated",
    "report": "make a page of an experiment, or of all, to hand over",
    "export": "write an experiment in a form that others read",
    "import": "take in a bundle that export wrote",
    "sync": "fetch and push snapshots and records, settle open runs",
    "config": "show the settings and where they come from",
    "hook": "install, remove or run the hooks",
    "completion": "print the completion script of a shell",
    "help": "show help for a verb",
}


TARGET = "a snapshot, a run id or a job id (8 characters of it do); default: my newest snapshot"
_BEGIN = """Begin, in a repository with a Dockerfile:
  git rvexp snapshot NICK
  git rvexp submit --wait -- CMD"""


def overview() -> str:
    """What `git rvexp -h` prints: every verb in one line."""
    verbs = "\n".join(f"  {verb:<11}{about}" for verb, about in VERBS.items())
    intro = "Repeatable containerised experiments, kept in git."
    more = "More: git rvexp VERB -h · git rvexp --help (the manual)"
    return f"{intro}\n\nusage: git rvexp VERB …\n\n{verbs}\n\n{_BEGIN}\n\n{more}"
