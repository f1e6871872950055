"""The `lexel` command in a process of its own."""

import os
import subprocess
import sys

LEXEL = [sys.executable, "-c", "from lexel.pipeline.cli.main import main; main()"]


def lexel(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `lexel` to its end, in a wide terminal without colours, with these variables in its environment."""
    wide = {"COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"}
    return subprocess.run(
        [*LEXEL, *arguments], capture_output=True, text=True, env=os.environ | wide | environment, check=False
    )
