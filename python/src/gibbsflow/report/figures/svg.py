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


@dataclass
class Chart:
    """A pair of axes to draw on.

    Parameters
    ----------
    x_range, y_range
        Data range of the axes.
    width, height
        Size in pixels at natural scale.
    x_label, y_label, title
        Words.
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
        """Pixel of a value."""
        low, high = self.x_range
        return self.left + (value - low) / (high - low) * (self.width - self.left - self.right)

    def y(self, value: float) -> float:
        """Pixel of a value."""
        low, high = self.y_range
        return self.height - self.bottom - (value - low) / (high - low) * (self.height - self.top - self.bottom)

    def axes(self, x_ticks: Sequence[float] | None = None, *, y_labels: bool = True) -> None:
        """Draw grid, ticks and labels."""
        floor, ceiling = self.height - self.bottom, self.top
        for value in x_ticks if x_ticks is not None else ticks(*self.x_range, 6):
            self.text(self.x(value), floor + 16, number(value), "mid")
        for value in ticks(*self.y_range, 5) if y_labels else ():
            y = self.y(value)
            self.parts.append(f'<path class="grid" d="M{self.left} {y:.1f}H{self.width - self.right}"/>')
            self.text(self.left - 8, y + 4, number(value), "end")
        self.parts.append(f'<path class="axis" d="M{self.left} {ceiling}V{floor}H{self.width - self.right}"/>')
        self.text((self.left + self.width - self.right) / 2, self.height - 8, self.x_label, "mid label")
        if self.y_label:
            middle = (floor + ceiling) / 2
            turned = f"translate(14 {middle:.1f}) rotate(-90)"
            self.parts.append(f'<text class="mid label" transform="{turned}">{escape(self.y_label)}</text>')

    def text(self, x: float, y: float, words: str, kind: str = "") -> None:
        """Write words; `kind` is ``mid``, ``end``, ``label``, ``strong``, ... as in the style sheet."""
        self.parts.append(f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}">{escape(words)}</text>')

    def line(self, xs: Sequence[float], ys: Sequence[float | None], colour: str, *, dashed: bool = False) -> None:
        """Draw a line through points; it breaks where a value is None."""
        path, pen = "", "M"
        for x, y in zip(xs, ys, strict=True):
            if y is None:
                pen = "M"
                continue
            path += f"{pen}{self.x(x):.1f} {self.y(y):.1f}"
            pen = "L"
        dash = ' stroke-dasharray="5 4"' if dashed else ""
        self.parts.append(f'<path class="line" style="stroke:var(--{colour})"{dash} d="{path}"/>')

    def point(
        self, x: float, y: float, error: float | None, colour: str, *, hollow: bool = False, name: str = ""
    ) -> None:
        """Draw a point with its error bar; `name` is shown when it is pointed at."""
        px, py = self.x(x), self.y(y)
        if error:
            low, high = self.y(y - error), self.y(y + error)
            self.parts.append(f'<path class="bar" style="stroke:var(--{colour})" d="M{px:.1f} {low:.1f}V{high:.1f}"/>')
        fill = "panel" if hollow else colour
        tip = f"<title>{escape(name)}</title>" if name else ""
        style = f"fill:var(--{fill});stroke:var(--{colour})"
        self.parts.append(f'<circle class="dot" style="{style}" cx="{px:.1f}" cy="{py:.1f}" r="3">{tip}</circle>')

    def band(self, low: float, high: float, colour: str, opacity: float = 0.12) -> None:
        """Shade a range of y over the whole width."""
        top, bottom = self.y(high), self.y(low)
        width = self.width - self.left - self.right
        self.parts.append(
            f'<rect style="fill:var(--{colour})" fill-opacity="{opacity}" x="{self.left}" y="{top:.1f}" '
            f'width="{width}" height="{max(bottom - top, 1):.1f}"/>'
        )

    def svg(self) -> str:
        """The whole chart."""
        return wrap("".join(self.parts), self.width, self.height, self.title)


def wrap(content: str, width: float, height: float, title: str) -> str:
    """Make an SVG element with a title that screen readers say."""
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
.chart .big{font-size:15px}.chart .grid{stroke:var(--grid);fill:none}.chart .axis{stroke:var(--muted);fill:none}
.chart .line{fill:none;stroke-width:1.8;stroke-linejoin:round}.chart .bar{fill:none;stroke-width:1.3;stroke-opacity:.7}
.chart .dot{stroke-width:1.5}.chart .ghost{fill:none;stroke:var(--muted);stroke-dasharray:3 3}
.chart .edge{fill:none;stroke:var(--muted);stroke-width:1.6}.chart .box{fill:var(--water);stroke:var(--grid)}
"""


def standalone(svg: str) -> str:
    """An SVG file of its own: the chart with its colours."""
    head, rest = svg.split(">", 1)
    return f"{head}><style>{STYLE}{CHART_STYLE}.chart{{background:var(--panel)}}</style>{rest}\n"


def ticks(low: float, high: float, count: int) -> list[float]:
    """Round values within a range."""
    margin = 1e-9 * (high - low)
    values = MaxNLocator(count, steps=[1, 2, 5, 10]).tick_values(low, high)
    return [float(value) for value in values if low - margin <= value <= high + margin]


def padded(values: Sequence[float], share: float = 0.08, least: float = 0.5) -> tuple[float, float]:
    """Range that holds values with some air around them."""
    low, high = min(values), max(values)
    air = max(share * (high - low), (least - (high - low)) / 2, 1e-6)
    return low - air, high + air


def number(value: float) -> str:
    """A tick label, with a true minus sign."""
    return f"{value:.6g}".replace("-", "−") if abs(value) > 1e-12 else "0"


def series_colour(place: int) -> str:
    """Name of the colour of a series."""
    return f"s{place % SERIES_COLOURS}"
