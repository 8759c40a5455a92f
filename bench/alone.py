"""Ours as users have it: in an environment where nothing else is installed."""

import subprocess
import venv
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
START = "import sys\nfrom git_rvexp.cli import main\nsys.exit(main())\n"


def program(folder: Path) -> list[str]:
    """The words that start the program in an environment where nothing else is."""
    venv.create(folder / "environment", with_pip=False, symlinks=True)
    python = folder / "environment" / "bin" / "python"
    where = subprocess.run(
        [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        capture_output=True,
        text=True,
        check=True,
    )
    (Path(where.stdout.strip()) / "git_rvexp.pth").write_text(f"{PROJECT}\n")
    script = folder / "git-rvexp"
    script.write_text(START)
    return [str(python), str(script)]
