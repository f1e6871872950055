"""Where lexel keeps what it makes when no folder is named."""

import os
from pathlib import Path

import platformdirs


def data_folder() -> Path:
    """LEXEL_HOME where it is set, else the user's own data folder."""
    chosen = os.environ.get("LEXEL_HOME")
    return Path(chosen).expanduser().resolve() if chosen else platformdirs.user_data_path("lexel")
