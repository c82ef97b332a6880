"""Where the foundation model's environment lies, what is in it, and how its program is started."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from gibbsflow.errors import MissingProgramError

PROGRAM = "gibbsflow.engines.foundation.program.worker"
FOLDER, STAMP = "foundation", "foundation.stamp"
HOW = (
    "Run `make setup-foundation` (./nextfloww --setup-only --foundation): CHGNet and PyTorch in an environment of "
    "their own, about 6 GB; the container images do not have it."
)
# its own packages come first: what lies beside gibbsflow may be of other versions
_START = (
    "import sys; sys.path.append(sys.argv.pop(1)); "
    f"from {PROGRAM} import main; sys.exit(main())"
)  # fmt: skip


@dataclass(frozen=True)
class Environment:
    """A whole environment of the foundation model.

    Attributes
    ----------
    python
        Its Python.
    lock
        SHA-256 of the lock that it was made from.
    """

    python: Path
    lock: str

    def start(self, arguments: list[str], folder: Path, errors: IO[str], threads: int) -> subprocess.Popen[bytes]:
        """Start the program in a process of its own.

        Parameters
        ----------
        arguments
            Of the program.
        folder
            Working directory.
        errors
            File that takes what it says.
        threads
            Of PyTorch.

        Returns
        -------
        Popen
            With pipes for requests and answers; it ends when its standard input is closed.
        """
        hidden = ("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "VIRTUAL_ENV")
        kept = {key: value for key, value in os.environ.items() if key not in hidden}
        count = str(threads)
        root = str(Path(__file__).parents[3])
        return subprocess.Popen(
            [str(self.python), "-P", "-s", "-c", _START, root, *arguments],
            cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, start_new_session=True,
            env={**kept, "OMP_NUM_THREADS": count, "MKL_NUM_THREADS": count, "CUDA_VISIBLE_DEVICES": ""},
        )  # fmt: skip


def find_environment() -> Environment:
    """Find the environment of the set-up (``make setup-foundation``), beside this Python's.

    Returns
    -------
    Environment
        A whole one: its set-up has left its stamp.

    Raises
    ------
    MissingProgramError
        Where there is none, or one whose set-up was interrupted.
    """
    home = Path(sys.prefix).parent
    python, stamp = home / FOLDER / "bin" / "python", home / STAMP
    if not os.access(python, os.X_OK):
        raise MissingProgramError("the environment of the foundation model is not installed", what_to_do=HOW)
    if not stamp.is_file():
        raise MissingProgramError("the environment of the foundation model is not whole", what_to_do=HOW)
    return Environment(python, stamp.read_text().split(maxsplit=1)[0])
