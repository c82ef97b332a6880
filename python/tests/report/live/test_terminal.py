"""The live view in a terminal, by textual's own pilot."""

import asyncio

from left_states import leave
from textual.widgets import DataTable, Input, Static
from watched_campaigns import HOSTILE, campaign, phases

from gibbsflow.report.live.terminal import DetailScreen, WatchApp, detail_text, growing_text
from gibbsflow.workflow.watch.campaign_view import CampaignView


def names(app):
    return [row.value for row in app.query_one(DataTable).rows]


async def until(pilot, done):
    for _ in range(400):
        if done():
            return
        await pilot.pause(0.02)
    raise AssertionError("it did not come about")


def test_it_follows_filters_and_opens(tmp_path):
    state = campaign(tmp_path)
    view = CampaignView(state, phases)
    app = WatchApp(view, every_s=0.2)

    async def use():
        async with app.run_test(size=(200, 40)) as pilot:
            await until(pilot, lambda: names(app))
            assert names(app) == [one.name for one in app.found.items]
            table = app.query_one(DataTable)
            assert str(table.get_cell("done", "ΔG kcal/mol")) == "-6.50 ± 0.25"
            assert table.get_cell(HOSTILE, "item").plain == HOSTILE  # no markup of a name's is obeyed
            assert "demo (abfe)" in str(app.query_one("#summary", Static).render())
            before = table.get_cell("b2", "ns").plain
            leave(state / "cb7/b2/solvent/replicate_1/window_00", window=0, done=700)
            await until(pilot, lambda: table.get_cell("b2", "ns").plain != before)

            await pilot.press("slash", *"charges")
            await until(pilot, lambda: names(app) == ["a1"])
            await pilot.press("enter", "enter")
            await until(pilot, lambda: isinstance(app.screen, DetailScreen))
            assert "Parametrisation: no charges" in str(app.screen.query_one("#detail", Static).render())
            await pilot.press("escape")
            app.query_one("#text", Input).value = ""
            await until(pilot, lambda: len(names(app)) == 5)
            await pilot.press("s", "s")
            assert app.state == "pruned" and set(names(app)) == {"a1", "b2", HOSTILE}
            while app.state:
                await pilot.press("s")
            assert len(names(app)) == 5

    asyncio.run(use())


def test_detail_is_plain_text(tmp_path):
    view = CampaignView(campaign(tmp_path), phases)
    view.look()
    text = detail_text(view.detail("done"))
    assert "round 0: -6.40 ± 0.50 kcal/mol" in text and "complex replicate 1: overlap 0.2" in text
    assert "finished" in text and "1000/1000 steps" in text


def test_legs_that_are_still_sampled_come_when_they_are_known(tmp_path):
    view = CampaignView(campaign(tmp_path), phases)
    app = WatchApp(view)
    leg = {
        "leg": "complex", "replicate": 1, "sampled_ns": 0.02, "note": "windows 3 and 4 are apart", "pending": True,
        "grown": [{"overlap": 0.1, "dg_kcal_per_mol": None}, {"overlap": 0.25, "dg_kcal_per_mol": -3.0}],
    }  # fmt: skip
    told = [[leg], [leg | {"pending": False, "grown": []}]]
    seen = []

    async def use():
        async with app.run_test(size=(200, 40)) as pilot:
            await until(pilot, lambda: names(app))
            app.push_screen(DetailScreen(view.detail("b2"), lambda: (seen.append(1), told[len(seen) - 1])[1]))
            await until(pilot, lambda: len(seen) == 2)
            await until(pilot, lambda: "so far" in str(app.screen.query_one("#detail", Static).render()))

    asyncio.run(use())
    assert growing_text(leg) == (
        "complex replicate 1 so far (0.02 ns a window): smallest overlap 0.100/0.250, ΔG –/-3.00 kcal/mol"
        "; windows 3 and 4 are apart; more to count"
    )
    assert "smallest overlap not known, ΔG not known" in growing_text(told[1][0])
