"""The live view in a terminal."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

from rich.text import Text
from textual import on, work
from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.coordinate import Coordinate
from textual.screen import Screen
from textual.widgets import DataTable, Footer, Input, Static

from gibbsflow.errors import GibbsflowError, one_line
from gibbsflow.report.live.growing import GrowingLegs
from gibbsflow.report.live.plain_table import COLUMNS, free_energy, part_text, summary_lines
from gibbsflow.workflow.watch.campaign_view import CampaignView
from gibbsflow.workflow.watch.snapshot import STATES, ItemDetail, ItemRow, Snapshot

_COLOURS: Mapping[str, str] = {
    "failed": "bold red", "pruned": "red", "unreadable": "magenta", "running": "cyan", "lost": "yellow",
    "stopped": "yellow", "stale": "yellow", "waiting": "dim", "finished": "green",
}  # fmt: skip


class DetailScreen(Screen[None]):
    """One item: cause, parts, free energy as it grew, logs.

    Parameters
    ----------
    detail
        What is known of it.
    grow
        Tells its legs so far, as :meth:`gibbsflow.report.live.growing.GrowingLegs.of`.
    """

    BINDINGS: ClassVar[list[BindingType]] = [("escape,q,backspace", "app.pop_screen", "Back")]

    def __init__(self, detail: ItemDetail, grow: Callable[[], Sequence[Mapping[str, Any]]] = list) -> None:
        super().__init__()
        self.detail, self.grow = detail, grow

    def compose(self) -> ComposeResult:
        """Lay the screen out.

        Yields
        ------
        Widget
            A text that scrolls.
        """
        with VerticalScroll():
            yield Static(Text(detail_text(self.detail)), id="detail")
        yield Footer()

    @work(thread=True)
    def on_mount(self) -> None:
        """Add what its legs tell so far, beside the screen, leg by leg."""
        more = True
        while more and self.is_attached:
            legs = self.grow()
            self.app.call_from_thread(self._show, legs)
            more = any(leg["pending"] for leg in legs)

    def _show(self, legs: Sequence[Mapping[str, Any]]) -> None:
        if self.is_attached:  # or it was left meanwhile
            self.query_one("#detail", Static).update(Text(detail_text(self.detail, legs)))


def growing_text(leg: Mapping[str, Any]) -> str:
    """Say how far a leg is that is still sampled.

    Parameters
    ----------
    leg
        Fields of :class:`gibbsflow.report.live.growing.GrowingLeg`.

    Returns
    -------
    str
        A line: smallest overlap and free energy of a quarter, half, three quarters and all of its samples.
    """
    name = one_line(f"{leg['leg']} replicate {leg['replicate']} so far ({leg['sampled_ns']:.4g} ns a window)", 200)
    grown = [
        "/".join("–" if one[key] is None else write.format(one[key]) for one in leg["grown"]) or "not known"
        for key, write in (("overlap", "{:.3f}"), ("dg_kcal_per_mol", "{:.2f}"))
    ]
    note = "".join(f"; {text}" for text in (leg["note"], "more to count" if leg["pending"] else "") if text)
    return f"{name}: smallest overlap {grown[0]}, ΔG {grown[1]} kcal/mol" + one_line(note, 400)


def detail_text(detail: ItemDetail, growing: Sequence[Mapping[str, Any]] = ()) -> str:
    """Write all of one item for a terminal.

    Parameters
    ----------
    detail
        The item.
    growing
        Its legs so far.

    Returns
    -------
    str
        Lines without control characters.
    """
    one = detail.item
    lines = [f"{one_line(one.name)}: {one.state}, {one.phase}"]
    lines += [f"cause: {one_line(one.cause, 2000)}"] if one.cause else []
    lines += [f"tried again by: {detail.again}"] if detail.again else []
    for row in detail.rounds:
        grown = free_energy(row["dg_kcal_per_mol"], row["dg_error_kcal_per_mol"])
        lines.append(f"round {row['round']}: {grown or 'no value'} kcal/mol")
    lines += [f"{leg['leg']} replicate {leg['replicate']}: overlap {leg['overlap']}" for leg in detail.legs]
    lines += [growing_text(leg) for leg in growing]
    lines.append("")
    for row in detail.parts:
        cause = f"  {one_line(row['cause'], 500)}" if row["cause"] else ""
        lines.append(f"{row['status']:10} {part_text(row)}  {one_line(row['item'], 200)}{cause}")
    for log in detail.logs:
        lines += ["", f"--- {one_line(log.path, 300)}"]
        lines += [one_line(line, 400) for line in log.text.splitlines()]
    return "\n".join(lines)


class WatchApp(App[None]):
    """A table of a campaign's items that follows it.

    Parameters
    ----------
    view
        The campaign.
    every_s
        Seconds between two looks.
    """

    TITLE = "gibbsflow watch"
    CSS = "#summary { height: auto; padding: 0 1; } #text { height: 3; } DataTable { height: 1fr; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        ("s", "state", "State filter"),
        ("slash", "text", "Text filter"),
        ("enter", "open", "Open"),
        ("q", "quit", "Quit"),
    ]

    def __init__(self, view: CampaignView, every_s: float = 2.0) -> None:
        super().__init__()
        self.view, self.every_s = view, every_s
        self.shown: dict[str, tuple[str, ...]] = {}
        self.found: Snapshot | None = None
        self.state = ""
        self._growing = GrowingLegs()

    def compose(self) -> ComposeResult:
        """Lay the screen out.

        Yields
        ------
        Widget
            Summary, filter, table, keys.
        """
        yield Static("", id="summary")
        yield Input(placeholder="text in item or cause; / to come here, Enter to go back", id="text")
        yield DataTable(cursor_type="row", id="items")
        yield Footer()

    def on_mount(self) -> None:
        """Look for the first time, and then again and again."""
        table = self.query_one(DataTable)
        for head in COLUMNS:
            table.add_column(head, key=head)
        table.focus()
        self.look()
        self.set_interval(self.every_s, self.look)

    @work(thread=True, exclusive=True)
    def look(self) -> None:
        """Look at the campaign, beside the screen."""
        try:
            found = self.view.look()
        except (GibbsflowError, OSError) as error:
            self.call_from_thread(self.query_one("#summary", Static).update, Text(f"cannot be read: {error}"))
            return
        self.call_from_thread(self.show, found)

    def show(self, found: Snapshot) -> None:
        """Bring the screen up to date, of the table only what has changed.

        Parameters
        ----------
        found
            The campaign.
        """
        self.found = found
        notes = [f"note: {text}" for text in found.remarks[:3]]
        chosen = f"shown: {self.state or 'all states'}"
        self.query_one("#summary", Static).update(Text("\n".join([*summary_lines(found)[:8], *notes, chosen])))
        table = self.query_one(DataTable)
        wanted = [one for one in found.items if self._fits(one)]
        names = [one.name for one in wanted]
        if [name for name in self.shown if name in set(names)] + [n for n in names if n not in self.shown] != names or (
            self.shown.keys() - set(names)
        ):
            self._fill(table, wanted)
            return
        for one in wanted:
            cells = tuple(write(one) for write in COLUMNS.values())
            before = self.shown.get(one.name)
            if before is None:
                table.add_row(*_cells(cells), key=one.name)
            elif before != cells:
                for head, old, new in zip(COLUMNS, before, cells, strict=True):
                    if old != new:
                        table.update_cell(one.name, head, _cell(head, new), update_width=True)
            self.shown[one.name] = cells

    def _fill(self, table: DataTable[Any], wanted: list[ItemRow]) -> None:
        row = table.cursor_row
        table.clear()
        self.shown = {}
        for one in wanted:
            cells = tuple(write(one) for write in COLUMNS.values())
            table.add_row(*_cells(cells), key=one.name)
            self.shown[one.name] = cells
        if table.row_count:
            table.cursor_coordinate = Coordinate(min(row, table.row_count - 1), 0)

    def _fits(self, one: ItemRow) -> bool:
        text = self.query_one("#text", Input).value.casefold()
        state = not self.state or one.state == self.state or bool(one.parts.get(self.state))
        return state and (not text or text in f"{one.name}\n{one.cause}\n{one.phase}".casefold())

    @on(Input.Changed)
    def _filter(self) -> None:
        if self.found is not None:
            self.show(self.found)

    @on(Input.Submitted)
    def _back(self) -> None:
        self.query_one(DataTable).focus()

    def on_data_table_row_selected(self, chosen: DataTable.RowSelected) -> None:
        """Open an item.

        Parameters
        ----------
        chosen
            Its row.
        """
        name = chosen.row_key.value
        if name is None:
            return
        try:
            detail = self.view.detail(name)
            grow = list if detail.item.state == "finished" else partial(self._growing.of, self.view.homes(name))
            self.push_screen(DetailScreen(detail, grow))
        except (GibbsflowError, OSError) as error:  # gone since the last look
            self.notify(one_line(str(error), 300), severity="error", markup=False)

    def action_text(self) -> None:
        """Go to the filter by text."""
        self.query_one("#text", Input).focus()

    def action_state(self) -> None:
        """Show items of the next state that there is, or all."""
        if self.found is not None:
            there = ["", *(s for s in STATES if self.found.counts.get(s) or self.found.parts.get(s))]
            self.state = there[(there.index(self.state) + 1) % len(there)] if self.state in there else ""
            self.show(self.found)


def _cells(cells: tuple[str, ...]) -> list[Text]:
    return [_cell(head, text) for head, text in zip(COLUMNS, cells, strict=True)]


def _cell(head: str, text: str) -> Text:
    """A cell whose text is nobody's markup."""
    return Text(text, style=_COLOURS.get(text, "") if head == "state" else "")
