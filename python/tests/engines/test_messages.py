"""Messages between this process and its workers."""

import io
import os

import numpy as np
import pytest

from gibbsflow.engines import messages


def test_messages_survive_the_way(tmp_path):
    path = tmp_path / "message"
    with open(path, "wb") as stream:
        messages.send(stream, {"commands": ["a"]}, {"x": np.eye(2)})
    with open(path, "rb") as stream:
        header, arrays = messages.receive(stream)
        assert messages.receive(stream) is None
    assert header == {"commands": ["a"]}
    assert arrays["x"] == pytest.approx(np.eye(2))


@pytest.mark.parametrize("length", [3, 8, 20, -1])
def test_a_stream_that_ends_within_a_message_has_ended(length):
    whole = io.BytesIO()
    messages.send(whole, {}, {})
    assert messages.receive(io.BytesIO(whole.getvalue()[:length])) is None


def test_a_wait_ends_with_a_message_the_stream_its_time_or_the_check():
    def stop():
        raise KeyboardInterrupt

    reader, writer = os.pipe()
    with open(reader, "rb", buffering=0) as stream:
        assert not messages.arrives(stream, 0.01, lambda: None)
        with pytest.raises(KeyboardInterrupt):
            messages.arrives(stream, 60, stop)
        os.write(writer, b"1")
        assert messages.arrives(stream, 60, lambda: None)
        assert stream.read(1) == b"1"
        os.close(writer)
        assert messages.arrives(stream, 60, lambda: None)
