"""The thermodynamic cycle of a protocol, drawn with the values of its legs; of double decoupling, with pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from gibbsflow.binding.alchemy.protocols import DOUBLE_DECOUPLING, LegSpec, protocol_of_legs
from gibbsflow.report.figures.svg import svg_element

WIDTH, HEIGHT = 680, 348
_LEFT, _RIGHT, _TOP, _BOTTOM = 20, 440, 16, 212
_BOX_W, _BOX_H = 220, 120
_RESULT = {False: "ΔG", True: "ΔΔG"}


def draw_cycle(record: Mapping[str, Any]) -> str:
    """Draw the free energy of each step, as it enters the result.

    Parameters
    ----------
    record
        A record with a result; its mode says which cycle.

    Returns
    -------
    str
        SVG: receptor and ligand, bound and free, coupled and decoupled; of other protocols, the sum, term by term.
    """
    protocol = protocol_of_legs(record.get("mode", ""), record["leg_summary"])
    pictures = protocol == DOUBLE_DECOUPLING and "finite_size" not in record
    return _double_decoupling(record) if pictures else _sum(record, protocol)


def _sum(record: Mapping[str, Any], protocol: Sequence[LegSpec]) -> str:
    """Draw one row a leg, from its last λ state to its first or back, then releases, then the result."""
    rows = [(_step(leg), _value(record["leg_summary"][leg.name], leg.sign)) for leg in protocol]
    for leg in protocol:
        if leg.restrained:
            value = leg.sign * record["standard_state"]["numeric_kcal_per_mol"]
            rows.append((f"{'restrain, from' if leg.sign < 0 else 'release, to'} 1 mol/L", _signed(value)))
        if leg.name in record.get("finite_size", {}):
            value = leg.sign * record["finite_size"][leg.name]["dg_kcal_per_mol"]
            rows.append((f"finite size of the {leg.name}'s box", _signed(value)))
    if symmetry := _symmetry(record):
        rows.append(symmetry)
    parts = []
    for place, (words, value) in enumerate(rows):
        y = _TOP + 24 + 28 * place
        parts += [_words(_LEFT, y, words, "small"), _words(_RIGHT, y, value, "end strong")]
    y = _TOP + 24 + 28 * len(rows)
    parts.append(f'<path class="edge" style="stroke:var(--muted)" d="M{_LEFT} {y - 14}H{_RIGHT}"/>')
    result = f"{_signed(record['dg_kcal_per_mol'])} ± {record['dg_error_kcal_per_mol']:.2f}"
    parts += [
        _words(_LEFT, y + 12, f"{_RESULT[protocol[0].relative]}, kcal/mol", "small"),
        _words(_RIGHT, y + 12, result, "end strong big"),
    ]
    return svg_element("".join(parts), _RIGHT + _LEFT, y + 32, f"Thermodynamic cycle of {record['transformation']}")


def _step(leg: LegSpec) -> str:
    if leg.relative:
        return f"{'b to a' if leg.sign < 0 else 'a to b'} in {leg.name}"
    if "copy" in leg.alchemical:
        return "couple in the site, decouple in bulk" if leg.sign < 0 else "decouple in the site, couple in bulk"
    return f"{'couple' if leg.sign < 0 else 'decouple'} in {leg.name}"


def _double_decoupling(record: Mapping[str, Any]) -> str:
    summary, release = record["leg_summary"], record["standard_state"]["numeric_kcal_per_mol"]
    solvent, complex_ = summary["solvent"], summary["complex"]
    parts: list[str] = []
    for x, y, words in (
        (_LEFT, _TOP, "receptor and ligand, free, 1 mol/L"),
        (_RIGHT, _TOP, "complex"),
        (_LEFT, _BOTTOM, "ligand decoupled"),
        (_RIGHT, _BOTTOM, "ligand decoupled, restrained"),
    ):
        parts.append(f'<rect class="box" x="{x}" y="{y}" width="{_BOX_W}" height="{_BOX_H}" rx="10"/>')
        parts.append(f'<text class="mid small" x="{x + _BOX_W / 2:g}" y="{y + _BOX_H - 9}">{escape(words)}</text>')
    parts += [_receptor(_LEFT + 70, _TOP + 50), _ligand(_LEFT + 160, _TOP + 50)]
    parts += [_receptor(_RIGHT + 110, _TOP + 50), _ligand(_RIGHT + 110, _TOP + 50)]
    parts += [_receptor(_LEFT + 70, _BOTTOM + 50), _ligand(_LEFT + 160, _BOTTOM + 50, ghost=True)]
    x, y = _RIGHT + 110, _BOTTOM + 50
    parts += [_receptor(x, y), _ligand(x, y - 12, ghost=True)]
    parts.append(f'<path class="edge" style="stroke:var(--warn)" d="M{x} {y + 3}l-4 3l8 4l-8 4l8 4l-8 4l4 3"/>')
    across = (_LEFT + _BOX_W + _RIGHT) / 2
    dg, error = record["dg_kcal_per_mol"], record["dg_error_kcal_per_mol"]
    parts.append(_arrow(_LEFT + _BOX_W + 12, _TOP + 60, _RIGHT - 12, _TOP + 60, "accent", 3))
    parts.append(_words(across, _TOP + 46, f"{_signed(dg)} ± {error:.2f}", "mid strong big"))
    parts.append(_words(across, _TOP + 80, "ΔG°bind, kcal/mol", "mid"))
    middle = (_TOP + _BOX_H + _BOTTOM) / 2 + 4
    x = _LEFT + 70
    parts.append(_arrow(x, _TOP + _BOX_H + 8, x, _BOTTOM - 8, "muted", 2))
    parts.append(_words(x + 12, middle - 6, _value(solvent, 1), "strong"))
    parts.append(_words(x + 12, middle + 10, "decouple in solvent", "small"))
    parts.append(_arrow(_LEFT + _BOX_W + 12, _BOTTOM + 60, _RIGHT - 12, _BOTTOM + 60, "muted", 2))
    parts.append(_words(across, _BOTTOM + 46, _signed(-release), "mid strong"))
    parts.append(_words(across, _BOTTOM + 80, "restrain, from 1 mol/L", "mid small"))
    x = _RIGHT + 70
    parts.append(_arrow(x, _BOTTOM - 8, x, _TOP + _BOX_H + 8, "muted", 2))
    parts.append(_words(x + 12, middle - 6, _value(complex_, -1), "strong"))
    parts.append(_words(x + 12, middle + 10, "couple in complex", "small"))
    if symmetry := _symmetry(record):
        parts.append(_words(across, _TOP + 98, f"with {symmetry[1]} for {symmetry[0]}", "mid small"))
    return svg_element("".join(parts), WIDTH, HEIGHT, f"Thermodynamic cycle of {record['transformation']}")


def _symmetry(record: Mapping[str, Any]) -> tuple[str, str] | None:
    """What a symmetry number adds, in words and kcal/mol; None where there is none."""
    choice = record.get("restraint_choice") or {}
    number = choice.get("symmetry_number", 1)
    if number == 1:
        return None
    return f"−kT ln {number} (symmetry)", _signed(choice["symmetry_kcal_per_mol"])


def _arrow(x1: float, y1: float, x2: float, y2: float, colour: str, width: float) -> str:
    length = max(abs(x2 - x1), abs(y2 - y1))
    ux, uy = (x2 - x1) / length, (y2 - y1) / length
    bx, by = x2 - 10 * ux, y2 - 10 * uy
    head = f"M{x2:g} {y2:g}L{bx - 5 * uy:g} {by + 5 * ux:g}L{bx + 5 * uy:g} {by - 5 * ux:g}z"
    return (
        f'<path style="stroke:var(--{colour});stroke-width:{width};fill:none" d="M{x1:g} {y1:g}L{bx:g} {by:g}"/>'
        f'<path style="fill:var(--{colour})" d="{head}"/>'
    )


def _receptor(x: float, y: float) -> str:
    # a cup that a ligand fits into
    shape = f"M{x - 22} {y - 30}a37 37 0 1 0 44 0l-7 10a25 25 0 1 1 -30 0z"
    return f'<path style="fill:var(--muted);fill-opacity:.35;stroke:var(--muted)" d="{shape}"/>'


def _ligand(x: float, y: float, *, ghost: bool = False) -> str:
    if ghost:
        return f'<circle class="ghost" style="stroke:var(--s1);stroke-width:1.6" cx="{x}" cy="{y}" r="15"/>'
    return f'<circle style="fill:var(--s1)" cx="{x}" cy="{y}" r="15"/>'


def _words(x: float, y: float, words: str, kind: str) -> str:
    return f'<text class="{kind}" x="{x:g}" y="{y:g}">{escape(words)}</text>'


def _value(leg: Mapping[str, Any], sign: int) -> str:
    error = leg.get("dg_error_kcal_per_mol")  # records of earlier versions have none
    return _signed(sign * leg["dg_kcal_per_mol"]) + ("" if error is None else f" ± {error:.2f}")


def _signed(value: float) -> str:
    text = f"{value:.2f}".replace("-", "−")
    return text if text.startswith("−") else f"+{text}"
