from __future__ import annotations

import math
import os
import sys

import pytest

from gibbsflow.potential.label.own_process import OwnProcess


def test_the_process_answers_raises_and_is_started_again() -> None:
    own = OwnProcess()
    try:
        assert own.submit(os.getpid).result(30) == (first := own.submit(os.getpid).result(30)) != os.getpid()
        with pytest.raises(ValueError, match="math domain"):
            own.submit(math.sqrt, -1.0).result(30)
        own.submit(print, "no answer").result(30)
        words = "import sys, os; sys.stderr.write('Error allocating 9 bytes\\n'); sys.stderr.flush(); os._exit(3)"
        ended = own.submit(exec, words)
        with pytest.raises(ChildProcessError, match="code 3: Error allocating 9 bytes"):
            ended.result(30)
        assert own.died(ended) and own.submit(os.getpid).result(30) not in (first, os.getpid())
        with pytest.raises(ChildProcessError, match="ended with code 7"):  # and not by our kill while it ends
            own.submit(sys.exit, 7).result(30)
        assert own.submit(sys.getrecursionlimit).result(30) == sys.getrecursionlimit()
    finally:
        own.close()
