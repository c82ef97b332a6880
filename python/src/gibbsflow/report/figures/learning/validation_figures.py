"""Charts of what was measured of a potential, beside the engine that labels where it was asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gibbsflow.config.potential_validation import RadialReference
from gibbsflow.report.figures.svg import Chart, padded_range, series_colour, series_dash

Curves = Mapping[str, Any]
_POTENTIAL, _ENGINE = series_colour(0), series_colour(1)
_STRONGEST_EV = 30.0
_AIR = 1e-9
_NOISE_THZ = 0.02
_LONG_NAME = 24


def charts(
    name: str, potential: Curves, engine: Curves | None, engine_name: str, beside: Sequence[RadialReference] = ()
) -> list[tuple[str, str]]:
    """Draw one property.

    Parameters
    ----------
    name
        The property.
    potential
        Curves of the potential.
    engine
        Those of the engine; None where there are none.
    engine_name
        Its name.
    beside
        Radial distributions of references.

    Returns
    -------
    list of tuple
        SVG and caption; empty where there is nothing to draw.
    """
    if name == "rdf" and potential:
        return _distributions(potential, engine or {}, engine_name, beside)
    draw = _CHARTS.get(name)
    if draw is None or not potential:
        return []
    legend = f" Blue: the potential; orange, dashed or hollow: {engine_name}." if engine else ""
    return [(svg, caption + legend) for svg, caption in draw(potential, engine or {})]


def _eos(potential: Curves, engine: Curves) -> list[tuple[str, str]]:
    both = [curves for curves in (potential, engine) if curves.get("volume_angstrom3_per_atom")]
    xs = [x for curves in both for x in curves["volume_angstrom3_per_atom"]]
    ys = [1000 * y for curves in both for y in curves["energy_ev_per_atom"]]
    chart = Chart(padded_range(xs, least=_AIR), padded_range(ys, least=_AIR), x_label="volume, Å³/atom",
                  y_label="energy, meV/atom", title="Equation of state")  # fmt: skip
    chart.axes()
    for curves, colour in zip(both, (_POTENTIAL, _ENGINE), strict=False):
        fit = [1000 * y for y in curves["fit_energy_ev_per_atom"]]
        chart.line(curves["fit_volume_angstrom3_per_atom"], fit, colour, dashed=colour == _ENGINE)
        for x, y in zip(curves["volume_angstrom3_per_atom"], curves["energy_ev_per_atom"], strict=True):
            chart.point(x, 1000 * y, None, colour, hollow=colour == _ENGINE)
    return [(chart.svg(), "Energy against volume, each from its minimum: points and the Birch-Murnaghan equation.")]


def _phonons(potential: Curves, engine: Curves) -> list[tuple[str, str]]:
    bands = potential["bands"]
    ends = [bands[0]["ends"][0]]
    ticks = [float(bands[0]["distance"][0])]
    for number, piece in enumerate(bands):
        following = bands[number + 1]["ends"][0] if number + 1 < len(bands) else piece["ends"][1]
        ends.append(piece["ends"][1] if following == piece["ends"][1] else f"{piece['ends'][1]}|{following}")
        ticks.append(float(piece["distance"][-1]))
    both = [piece for curves in (potential, engine) for piece in curves.get("bands", ())]
    every = [frequency for piece in both for row in piece["frequencies_thz"] for frequency in row]
    low, high = padded_range(every)
    low = low if min(every) < -_NOISE_THZ else 0.0
    chart = Chart((ticks[0], ticks[-1]), (low, high), width=620, height=340, y_label="frequency, THz",
                  title="Phonon bands")  # fmt: skip
    chart.axes(x_ticks=[])
    if chart.y_range[0] < 0:
        chart.band(chart.y_range[0], 0.0, "fail", 0.08)
    for at, name in zip(ticks, ends, strict=True):
        x = chart.x(at)
        chart.parts.append(f'<path class="grid" d="M{x:.1f} {chart.top}V{chart.height - chart.bottom}"/>')
        chart.text(x, chart.height - chart.bottom + 16, name, "mid")
    _draw_bands(chart, bands, _POTENTIAL, bands)
    if engine.get("bands") and len(engine["bands"]) == len(bands):
        _draw_bands(chart, engine["bands"], _ENGINE, bands)
    made = [(chart.svg(), "Phonons along the path of seekpath; below zero lie imaginary modes.")]
    with_dos = [curves for curves in (potential, engine) if curves.get("dos_per_thz")]
    xs = [x for curves in with_dos for x in curves["dos_frequency_thz"]]
    ys = [y for curves in with_dos for y in curves["dos_per_thz"]]
    dos = Chart(padded_range(xs, 0.02, least=_AIR), (0.0, max(ys) * 1.08 or 1.0), x_label="frequency, THz",
                y_label="states per THz", title="Phonon density of states")  # fmt: skip
    dos.axes()
    for curves, colour in zip(with_dos, (_POTENTIAL, _ENGINE), strict=False):
        dos.line(curves["dos_frequency_thz"], curves["dos_per_thz"], colour, dashed=colour == _ENGINE)
    return [*made, (dos.svg(), "Density of states of the primitive cell.")]


def _draw_bands(
    chart: Chart, bands: Sequence[Mapping[str, Any]], colour: str, places: Sequence[Mapping[str, Any]]
) -> None:
    # where two cells differ a little, their paths have other lengths: each piece is laid over that of the potential
    for piece, place in zip(bands, places, strict=True):
        for branch in zip(*piece["frequencies_thz"], strict=True):
            chart.line(place["distance"], branch, colour, dashed=colour == _ENGINE)


def _expansion(potential: Curves, engine: Curves) -> list[tuple[str, str]]:
    both = [curves for curves in (potential, engine) if curves.get("temperature_k")]
    made = []
    for key, label, caption in (
        ("expansion_ppm_per_k", "linear expansion, 1e-6/K", "Thermal expansion, quasi-harmonic."),
        ("volume_angstrom3_per_atom", "volume, Å³/atom", "Volume of least free energy."),
    ):
        ys = [y for curves in both for y in curves[key]]
        chart = Chart((0.0, max(both[0]["temperature_k"]) or 1.0), padded_range(ys, least=_AIR),
                      x_label="temperature, K", y_label=label, title=caption)  # fmt: skip
        chart.axes()
        for curves, colour in zip(both, (_POTENTIAL, _ENGINE), strict=False):
            chart.line(curves["temperature_k"], curves[key], colour, dashed=colour == _ENGINE)
        made.append((chart.svg(), caption))
    return made


def _repulsion(potential: Curves, _engine: Curves) -> list[tuple[str, str]]:
    pairs = [(name, curve["distance_angstrom"], curve["energy_ev"]) for name, curve in potential["pairs"].items()]
    made = [_capped(pairs, "distance, Å", "energy, eV", "Pairs of atoms: below the bond the energy must rise.")]
    if "crystal" in potential:
        curve = potential["crystal"]
        lines = [("crystal", curve["edge"], curve["energy_ev_per_atom"])]
        made.append(_capped(lines, "edge, of that at rest", "energy, eV/atom", "The crystal pressed."))
    return made


def _capped(
    lines: Sequence[tuple[str, Sequence[float], Sequence[float | None]]], x_label: str, y_label: str, caption: str
) -> tuple[str, str]:
    """Curves up to an energy beyond which only the slope would be seen."""
    shown = [y for _, _, ys in lines for y in ys if y is not None]
    low = max(min(shown, default=0.0), -_STRONGEST_EV)
    high = min(max(shown, default=1.0), _STRONGEST_EV)
    xs = [x for _, places, _ in lines for x in places]
    chart = Chart(
        padded_range(xs, 0.02, least=_AIR), padded_range([low, high]), x_label=x_label, y_label=y_label, title=caption
    )
    chart.axes()
    for number, (_, places, energies) in enumerate(lines):
        inside = [y if y is not None and low <= y <= high else None for y in energies]
        chart.line(places, inside, series_colour(number), dash=series_dash(number))
    if len(lines) > 1:
        _legend(chart, [name for name, _, _ in lines])
    return chart.svg(), caption


def _legend(chart: Chart, names: Sequence[str]) -> None:
    """Say in the upper right corner which line is which."""
    shown = [name if len(name) <= _LONG_NAME else f"{name[: _LONG_NAME - 1]}…" for name in names]
    x = chart.width - chart.right - 24 - 7 * max(map(len, shown))
    for number, name in enumerate(shown):
        y = chart.top + 14 * (number + 1)
        chart.text(x + 20, y, name)
        style = f'style="stroke:var(--{series_colour(number)})" stroke-dasharray="{series_dash(number) or "none"}"'
        chart.parts.append(f'<path class="line" {style} d="M{x - 8} {y - 4}H{x + 15}"/>')


def _md(potential: Curves, _engine: Curves) -> list[tuple[str, str]]:
    made = []
    for x, y, labels, caption in (
        ("time_ps", "energy_mev_per_atom", ("time, ps", "energy, meV/atom"), "Total energy in MD at constant energy."),
        ("time_ps", "temperature_k", ("time, ps", "temperature, K"), "Temperature meanwhile."),
        ("radius_angstrom", "rdf", ("distance, Å", "g(r)"), "Radial distribution, last three quarters."),
    ):
        values = [value for value in potential.get(y, ()) if value is not None]
        if len(values) > 1:
            chart = Chart(padded_range(potential[x], 0.0, least=_AIR), padded_range(values, least=_AIR),
                          x_label=labels[0], y_label=labels[1], title=caption)  # fmt: skip
            chart.axes()
            chart.line(potential[x], potential[y], _POTENTIAL)
            made.append((chart.svg(), caption))
    return made


def _npt_expansion(potential: Curves, _engine: Curves) -> list[tuple[str, str]]:
    kelvin, volumes, errors = (potential[k] for k in ("temperature_k", "volume_angstrom3_per_atom", "error_angstrom3"))
    ends = [v + sign * e for v, e in zip(volumes, errors, strict=True) for sign in (-2, 2)]
    chart = Chart(padded_range(kelvin), padded_range(ends, least=_AIR), x_label="temperature, K",
                  y_label="volume, Å³/atom", title="Volume in MD at no pressure")  # fmt: skip
    chart.axes()
    for x, y, error in zip(kelvin, volumes, errors, strict=True):
        chart.point(x, y, 2 * error, _POTENTIAL)
    return [(chart.svg(), "Volume in MD at no pressure; bars are two standard errors.")]


def _melting(potential: Curves, _engine: Curves) -> list[tuple[str, str]]:
    runs = potential["runs"]
    every = [run[key] for run in runs for key in ("start_k", "temperature_k")]
    chart = Chart((0.5, len(runs) + 0.5), padded_range(every, least=1.0), x_label="run", y_label="temperature, K",
                  title="Crystal and melt")  # fmt: skip
    chart.axes(x_ticks=[float(n + 1) for n in range(len(runs))])
    for number, run in enumerate(runs, 1):
        chart.point(number, run["start_k"], None, _POTENTIAL, hollow=True)
        chart.point(number, run["temperature_k"], 2 * run["error_k"], _POTENTIAL)
        chart.line([number, number], [run["start_k"], run["temperature_k"]], _POTENTIAL)
    return [(chart.svg(), "Crystal and melt in one box: where each run started (hollow) and where it went.")]


def _distributions(
    potential: Curves, engine: Curves, engine_name: str, beside: Sequence[RadialReference]
) -> list[tuple[str, str]]:
    made = []
    for one in potential["distributions"]:
        kelvin = one["temperature_k"]
        lines = [("potential", one["radius_angstrom"], one["rdf"])]
        lines += [(engine_name, like["radius_angstrom"], like["rdf"]) for like in engine.get("distributions", ())
                  if like["temperature_k"] == kelvin]  # fmt: skip
        lines += [
            (ref.source, ref.radius_angstrom, ref.density) for ref in beside if abs(ref.temperature_k - kelvin) < 1
        ]
        caption = f"Radial distribution at {kelvin:.0f} K."
        highest = max(y for _, _, ys in lines for y in ys if y is not None)
        chart = Chart((0.0, max(one["radius_angstrom"])), (0.0, 1.08 * highest), x_label="distance, Å", y_label="g(r)",
                      title=caption)  # fmt: skip
        chart.axes()
        for number, (_, places, values) in enumerate(lines):
            inside = [y if x <= chart.x_range[1] else None for x, y in zip(places, values, strict=True)]
            chart.line(places, inside, series_colour(number), dash=series_dash(number))
        _legend(chart, [name for name, _, _ in lines])
        made.append((chart.svg(), caption))
    return made


def _modes(potential: Curves, engine: Curves) -> list[tuple[str, str]]:
    both = [curves["frequencies_thz"] for curves in (potential, engine) if curves.get("frequencies_thz")]
    every = [value for values in both for value in values]
    if not every:
        return []
    chart = Chart((0.5, max(map(len, both)) + 0.5), padded_range(every), x_label="mode", y_label="frequency, THz",
                  title="Vibrations")  # fmt: skip
    chart.axes()
    for values, colour in zip(both, (_POTENTIAL, _ENGINE), strict=False):
        for number, value in enumerate(values):
            chart.point(number + 1, value, None, colour, hollow=colour == _ENGINE)
    return [(chart.svg(), "Vibrations of the molecule, without the motions of the whole.")]


_CHARTS: Mapping[str, Callable[[Curves, Curves], list[tuple[str, str]]]] = {
    "eos": _eos, "phonons": _phonons, "thermal_expansion": _expansion, "repulsion": _repulsion, "md": _md,
    "modes": _modes, "npt_expansion": _npt_expansion, "melting": _melting,
}  # fmt: skip
