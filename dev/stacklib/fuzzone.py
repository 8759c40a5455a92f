"""One fuzzing process for one parser: `python -m stacklib.fuzzone NAME CORPUS… LIBFUZZER-OPTIONS`; see `fuzzing`."""

import sys

import atheris  # type: ignore[import-not-found,import-untyped,unused-ignore]


def main() -> None:
    """Instrument our modules, then hand the process to the fuzzer, which ends it."""
    with atheris.instrument_imports(include=["git_rvexp", "tests.fuzz", "json", "tomli", "csv", "tarfile"]):
        from tests.fuzz.targets import TARGETS  # noqa: PLC0415  imported under instrumentation
    target = TARGETS[sys.argv[1]]
    atheris.Setup([sys.argv[0], *sys.argv[2:]], target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
