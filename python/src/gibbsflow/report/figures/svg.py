"""Small charts as SVG text: no script, light and dark by the page's colours, a few kilobytes each.

matplotlib's SVG carries its glyphs with it and one fixed theme; a page of a hundred charts needs neither.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

from matplotlib.ticker import MaxNLocator

STYLE = """
svg{--ink:#1c2430;--muted:#5d6776;--grid:#e3e7ec;--panel:#fff;--accent:#0b6bcb;--water:#e8f1fb;--pass:#1a7f4b;--warn:#b46900;
--fail:#c62f3b;--s0:#0b6bcb;--s1:#d1570c;--s2:#0a8a68;--s3:#a84f94;--s4:#8a6d00}
@media(prefers-color-scheme:dark){svg{--ink:#e6eaf0;--muted:#9aa5b4;--grid:#2c3643;--panel:#171d26;--accent:#6cb4ff;
--water:#182838;--pass:#4cc38a;--warn:#f0a83c;--fail:#ff7b83;--s0:#6cb4ff;--s1:#ff9a57;--s2:#4cc9a6;--s3:#e093cd;--s4:#d9bd4a}}
"""
"""Colours of a chart that stands alone; the report sets the same names for the whole page."""

SERIES_COLOURS = 5
_BESIDE_WORDS, _DIGIT = 28, 7


@dataclass
class Chart:
    """A pair of axes to draw on.

    Attributes
    ----------
    x_range, y_range
        Data range of the axes.
    width, height
        Size in pixels at natural scale.
    x_label, y_label, title
        Words.
    left, right, top, bottom
        Margins in pixels.
    parts
        SVG elements drawn so far.
    """

    x_range: tuple[float, float]
    y_range: tuple[float, float]
    width: int = 460
    height: int = 270
    x_label: str = ""
    y_label: str = ""
    title: str = ""
    left: int = 56
    right: int = 14
    top: int = 14
    bottom: int = 44
    parts: list[str] = field(default_factory=list)

    def x(self, value: float) -> float:
        """Place a value on the horizontal axis.

        Parameters
        ----------
        value
            In data units.

        Returns
        -------
        float
            Pixels from the left.
        """
        low, high = self.x_range
        return self.left + (value - low) / (high - low) * (self.width - self.left - self.right)

    def y(self, value: float) -> float:
        """Place a value on the vertical axis.

        Parameters
        ----------
        value
            In data units.

        Returns
        -------
        float
            Pixels from the top.
        """
        low, high = self.y_range
        return self.height - self.bottom - (value - low) / (high - low) * (self.height - self.top - self.bottom)

    def axes(self, x_ticks: Sequence[float] | None = None, *, y_labels: bool = True) -> None:
        """Draw grid, ticks and labels.

        Parameters
        ----------
        x_ticks
            Values that are named below; None for some round ones.
        y_labels
            Whether values of y have lines and names.
        """
        floor, ceiling = self.height - self.bottom, self.top
        if self.y_label and y_labels:
            # long numbers would lie on the words beside them
            longest = max((len(tick_text(value)) for value in ticks(*self.y_range, 5)), default=0)
            self.left = max(self.left, _BESIDE_WORDS + _DIGIT * longest)
        for value in x_ticks if x_ticks is not None else ticks(*self.x_range, 6):
            self.text(self.x(value), floor + 16, tick_text(value), "mid")
        for value in ticks(*self.y_range, 5) if y_labels else ():
            y = self.y(value)
            self.parts.append(f'<path class="grid" d="M{self.left} {y:.1f}H{self.width - self.right}"/>')
            self.text(self.left - 8, y + 4, tick_text(value), "end")
        self.parts.append(f'<path class="axis" d="M{self.left} {ceiling}V{floor}H{self.width - self.right}"/>')
        self.text((self.left + self.width - self.right) / 2, self.height - 8, self.x_label, "mid label")
        if self.y_label:
            middle = (floor + ceiling) / 2
            turned = f"translate(14 {middle:.1f}) rotate(-90)"
            self.parts.append(f'<text class="mid label" transform="{turned}">{escape(self.y_label)}</text>')

    def text(self, x: float, y: float, words: str, kind: str = "") -> None:
        """Write words.

        Parameters
        ----------
        x, y
            Where they begin (or have their middle or end), pixels.
        words
            Plain text.
        kind
            Classes of the style sheet: ``mid``, ``end``, ``label``, ``strong``, ...
        """
        self.parts.append(f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}">{escape(words)}</text>')

    def line(
        self, xs: Sequence[float], ys: Sequence[float | None], colour: str, *, dashed: bool = False, dash: str = ""
    ) -> None:
        """Draw a line through points.

        Parameters
        ----------
        xs, ys
            The points, data units; the line breaks where a y is None.
        colour
            Name of a colour of the style sheet.
        dashed
            Whether it is dashed.
        dash
            Its dashes otherwise, from :func:`series_dash`.
        """
        path, pen = "", "M"
        for x, y in zip(xs, ys, strict=True):
            if y is None:
                pen = "M"
                continue
            path += f"{pen}{self.x(x):.1f} {self.y(y):.1f}"
            pen = "L"
        dash = DASHED if dashed else dash
        kind = f' stroke-dasharray="{dash}"' if dash else ""
        self.parts.append(f'<path class="line" style="stroke:var(--{colour})"{kind} d="{path}"/>')

    def point(
        self, x: float, y: float, error: float | None, colour: str, *, hollow: bool = False, name: str = ""
    ) -> None:
        """Draw a point with its error bar.

        Parameters
        ----------
        x, y
            Where, data units.
        error
            Half length of the bar, in units of y; None or 0 for none.
        colour
            Name of a colour of the style sheet.
        hollow
            Whether it is an open circle.
        name
            Shown when it is pointed at.
        """
        px, py = self.x(x), self.y(y)
        if error:
            low, high = self.y(y - error), self.y(y + error)
            self.parts.append(f'<path class="bar" style="stroke:var(--{colour})" d="M{px:.1f} {low:.1f}V{high:.1f}"/>')
        fill = "panel" if hollow else colour
        tip = f"<title>{escape(name)}</title>" if name else ""
        style = f"fill:var(--{fill});stroke:var(--{colour})"
        self.parts.append(f'<circle class="dot" style="{style}" cx="{px:.1f}" cy="{py:.1f}" r="3">{tip}</circle>')

    def band(self, low: float, high: float, colour: str, opacity: float = 0.12) -> None:
        """Shade a range of y over the whole width.

        Parameters
        ----------
        low, high
            The range, data units.
        colour
            Name of a colour of the style sheet.
        opacity
            Of the shade, 0 to 1.
        """
        top, bottom = self.y(high), self.y(low)
        width = self.width - self.left - self.right
        self.parts.append(
            f'<rect style="fill:var(--{colour})" fill-opacity="{opacity}" x="{self.left}" y="{top:.1f}" '
            f'width="{width}" height="{max(bottom - top, 1):.1f}"/>'
        )

    def svg(self) -> str:
        """Put the chart together.

        Returns
        -------
        str
            SVG element.
        """
        return svg_element("".join(self.parts), self.width, self.height, self.title)


def svg_element(content: str, width: float, height: float, title: str) -> str:
    """Make an SVG element.

    Parameters
    ----------
    content
        Elements in it.
    width, height
        Size in pixels at natural scale.
    title
        What screen readers say.

    Returns
    -------
    str
        SVG element, with the page's classes.
    """
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" viewBox="0 0 {width:g} {height:g}" role="img" '
        f'aria-label="{escape(title)}" style="max-width:{width:g}px">{content}</svg>'
    )


CHART_STYLE = """
.chart{font:12px system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;
width:100%;height:auto;display:block}
.chart text{fill:var(--muted)}.chart .strong{fill:var(--ink);font-weight:600}.chart .ink{fill:var(--ink)}
.chart .mid{text-anchor:middle}.chart .end{text-anchor:end}.chart .label{fill:var(--ink)}.chart .small{font-size:10px}
.chart .tiny{font-size:8.5px}
.chart .named{fill:var(--ink);font-weight:600;stroke:var(--panel);stroke-width:3px;paint-order:stroke}
.chart .big{font-size:15px}.chart .grid{stroke:var(--grid);fill:none}.chart .axis{stroke:var(--muted);fill:none}
.chart .line{fill:none;stroke-width:1.8;stroke-linejoin:round}.chart .bar{fill:none;stroke-width:1.3;stroke-opacity:.7}
.chart .dot{stroke-width:1.5}.chart .ghost{fill:none;stroke:var(--muted);stroke-dasharray:3 3}
.chart .edge{fill:none;stroke:var(--muted);stroke-width:1.6}.chart .box{fill:var(--water);stroke:var(--grid)}
"""


def svg_file(svg: str) -> str:
    """Make a file of its own from a chart.

    Parameters
    ----------
    svg
        Element of :func:`svg_element`.

    Returns
    -------
    str
        The chart with its colours, light and dark.
    """
    head, rest = svg.split(">", 1)
    return f"{head}><style>{STYLE}{CHART_STYLE}.chart{{background:var(--panel)}}</style>{rest}\n"


def ticks(low: float, high: float, count: int) -> list[float]:
    """Choose round values within a range.

    Parameters
    ----------
    low, high
        The range.
    count
        Steps at most.

    Returns
    -------
    list of float
        Multiples of 1, 2 or 5 times a power of ten.
    """
    margin = 1e-9 * (high - low)
    values = MaxNLocator(count, steps=[1, 2, 5, 10]).tick_values(low, high)
    return [float(value) for value in values if low - margin <= value <= high + margin]


def padded_range(values: Sequence[float], share: float = 0.08, least: float = 0.5) -> tuple[float, float]:
    """Find a range that holds values with some air around them.

    Parameters
    ----------
    values
        The values.
    share
        Air on each side, as a share of their spread.
    least
        Smallest width of the range.

    Returns
    -------
    tuple of float
        Low and high end.
    """
    low, high = min(values), max(values)
    air = max(share * (high - low), (least - (high - low)) / 2, 1e-6)
    return low - air, high + air


def tick_text(value: float) -> str:
    """Write a number beside an axis.

    Parameters
    ----------
    value
        The number.

    Returns
    -------
    str
        Up to six digits, with a true minus sign.
    """
    return f"{value:.6g}".replace("-", "−") if abs(value) > 1e-12 else "0"


DASHED = "5 4"
"""Dashes of the second of two lines of one colour."""
SERIES_DASHES = ("", "9 3", "2 3", "9 3 2 3", "14 4")


def series_dash(place: int) -> str:
    """Give the dashes of a series, by which it is known without its colour.

    Parameters
    ----------
    place
        Number of the series, from 0; dashes come again after five, as colours do.

    Returns
    -------
    str
        Value of ``stroke-dasharray``; empty for a line that is whole.
    """
    return SERIES_DASHES[place % len(SERIES_DASHES)]


def series_colour(place: int) -> str:
    """Name the colour of a series.

    Parameters
    ----------
    place
        Number of the series, from 0; colours come again after five.

    Returns
    -------
    str
        Its name in the style sheet.
    """
    return f"s{place % SERIES_COLOURS}"
