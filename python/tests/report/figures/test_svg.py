"""Charts: values land where they belong, words are escaped, and numbers are round."""

import re
import xml.etree.ElementTree as ElementTree

import pytest

from gibbsflow.report.figures.svg import (
    SERIES_COLOURS,
    Chart,
    padded_range,
    series_colour,
    svg_element,
    svg_file,
    tick_text,
    ticks,
)


@pytest.fixture
def chart():
    return Chart((0.0, 10.0), (-1.0, 1.0), width=120, height=80, left=10, right=10, top=5, bottom=15)


def test_corners_lie_inside_the_margins(chart):
    assert (chart.x(0.0), chart.x(10.0), chart.x(5.0)) == (10, 110, 60)
    assert (chart.y(-1.0), chart.y(1.0), chart.y(0.0)) == (65, 5, 35)  # y grows downwards on the screen


def test_a_line_breaks_where_a_value_is_missing(chart):
    chart.line([0, 5, 10], [0.0, None, 1.0], "s0")
    assert re.search(r' d="([^"]*)"', chart.parts[0])[1] == "M10.0 35.0M110.0 5.0"
    with pytest.raises(ValueError, match="shorter"):
        chart.line([0, 5], [1.0], "s0")


def test_error_bars_are_as_long_as_the_error(chart):
    chart.point(5.0, 0.0, 0.5, "s1", name="b<2>")
    bar, dot = chart.parts
    assert 'd="M60.0 50.0V20.0"' in bar and "b&lt;2&gt;" in dot
    chart.point(5.0, 0.0, None, "s1", hollow=True)
    assert len(chart.parts) == 3 and "fill:var(--panel)" in chart.parts[-1]


def test_a_chart_is_whole_and_says_its_title(chart):
    chart.title, chart.x_label, chart.y_label = "a & b", "x < 3", "ΔG"
    chart.axes()
    chart.band(-0.5, 0.5, "s2")
    root = ElementTree.fromstring(chart.svg())  # noqa: S314 - our own
    assert root.get("aria-label") == "a & b" and root.get("viewBox") == "0 0 120 80"
    words = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"x < 3", "ΔG", "0", "−0.5"} <= set(words)


def test_a_file_brings_its_colours():
    text = svg_file(svg_element("<path/>", 10, 20, "t"))
    assert ElementTree.fromstring(text).tag.endswith("svg")  # noqa: S314 - our own
    assert "--accent:" in text and "prefers-color-scheme:dark" in text and text.count("<path/>") == 1


@pytest.mark.parametrize(
    ("low", "high", "count", "expected"),
    [(0, 10, 5, [0, 2, 4, 6, 8, 10]), (-1.1, 1.1, 5, [-1, -0.5, 0, 0.5, 1]), (3.2, 3.9, 4, [3.2, 3.4, 3.6, 3.8])],
)
def test_ticks_are_round_and_inside(low, high, count, expected):
    assert ticks(low, high, count) == pytest.approx(expected)


def test_air_around_values():
    assert padded_range([0.0, 10.0], share=0.1) == (-1.0, 11.0)
    assert padded_range([5.0], least=2.0) == (4.0, 6.0)
    low, high = padded_range([1.0, 1.0], least=0.0)
    assert low < 1.0 < high  # never an axis without length


@pytest.mark.parametrize(
    ("value", "text"), [(-0.5, "−0.5"), (1e-15, "0"), (1234567.0, "1.23457e+06"), (2.0, "2"), (1e-7, "1e−07")]
)
def test_numbers_beside_an_axis(value, text):
    assert tick_text(value) == text


def test_colours_come_again():
    assert [series_colour(place) for place in (0, 4, 5, 11)] == ["s0", "s4", "s0", "s1"]
    assert SERIES_COLOURS == 5


def test_long_numbers_leave_room_for_the_words_beside_them() -> None:
    short, long = Chart((0, 1), (0, 9), y_label="volume"), Chart((0, 1), (20.600, 20.612), y_label="volume")
    for chart in (short, long):
        chart.axes()
    assert short.left == 56 and long.left > 62
