"""The process: what `git rvexp` starts, and `python -m git_rvexp`.

Until the command begins and once it has ended there is nothing to tell of Ctrl-C, so that it ends the process as it
ends any program, and not with Python's account of the modules it was loading or the threads it was waiting for.
"""

import signal
import sys

_OURS = signal.getsignal(signal.SIGINT) is signal.default_int_handler  # else whoever started us has it ignored
if _OURS:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def main() -> int:
    """Run one command; the exit code."""
    from git_rvexp.cli import main as command  # noqa: PLC0415  only now may loading be interrupted
    from git_rvexp.errors import INTERRUPTED  # noqa: PLC0415  as above

    try:
        _on_interrupt(signal.default_int_handler)
        return command()
    except KeyboardInterrupt:  # once more, while the first was being told of
        return INTERRUPTED
    finally:
        _on_interrupt(signal.SIG_DFL)


def _on_interrupt(action: "signal._HANDLER") -> None:
    if _OURS:
        signal.signal(signal.SIGINT, action)


if __name__ == "__main__":
    sys.exit(main())
