"""`python -m git_rvexp`: the same as `git rvexp`."""

import sys

from git_rvexp.cli import main

sys.exit(main())
