"""Commands direct the root logger to their own standard error; here it is given back after each test."""

import logging

import pytest


@pytest.fixture(autouse=True)
def root_logger():
    root = logging.getLogger()
    before = root.handlers[:], root.level
    yield
    root.handlers[:] = before[0]
    root.setLevel(before[1])
