"""The live view's page in a real Chromium, while real runs go on, one of which fails."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from faults import small
from watched_campaigns import HOSTILE, campaign, many, note, steps

from gibbsflow.report.live.growing import GrowingLegs

pytestmark = pytest.mark.browser
_MS = 40_000


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed (.ci/run browser)")
    program = os.environ.get("GIBBSFLOW_TEST_CHROMIUM") or shutil.which("chromium")
    if program is None:
        pytest.skip("no Chromium on PATH (Debian: chromium)")
    with sync_api.sync_playwright() as playwright:
        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []  # Chromium has none for root
        chromium = playwright.chromium.launch(executable_path=program, args=sandbox)
        yield chromium
        chromium.close()


@pytest.fixture
def served() -> Iterator[Callable[[Path], str]]:
    """Starts `gibbsflow watch --serve` in a process of its own; gives its address."""
    started = []

    def serve(state: Path, *more: str) -> str:
        words = [sys.executable, "-m", "gibbsflow.cli.gibbsflow", "watch", str(state), "--serve", *more]
        process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout is not None
        return process.stdout.readline().strip()

    yield serve
    for process in started:
        process.terminate()
        assert process.wait(20) == 0


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """A page in which nothing may go wrong."""
    wrong: list[str] = []
    opened = browser.new_page(viewport={"width": 1280, "height": 800})
    opened.set_default_timeout(_MS)
    opened.on("console", lambda message: wrong.append(message.text))
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.on("dialog", lambda dialog: (wrong.append(dialog.message), dialog.dismiss()))
    asked: list[str] = []
    opened.on("request", lambda request: asked.append(request.url))
    yield opened
    home = opened.url.split("/")[2]
    assert wrong == [] and all(url.startswith((f"http://{home}/", "data:")) for url in asked)
    opened.close()


def cell(name: str, state: str) -> str:
    return f"#rows tr:has(button:text-is('{name}')) td.{state}"


def figures(page: Any, name: str) -> tuple[str, ...]:
    """Texts of an item's row."""
    return tuple(page.locator(f"#rows tr:has(button:text-is('{name}')) td").all_inner_texts())


def ns(text: str) -> list[float]:
    return [float(number) for number in text.split("/")]


def test_it_follows_real_runs_one_of_which_fails(page, served, tmp_path):
    state = tmp_path / "state" / "demo"
    note(state, tmp_path / "out", ["good", "bad"], on_failure="raise")
    good, bad = tmp_path / "good", tmp_path / "bad"
    legs = {"good": small.make_leg(good / "leg"), "bad": small.make_leg(bad / "leg")}
    start = legs["bad"].start_nm.copy()
    start[:] = start[0]
    with open(bad / "leg" / legs["bad"].start, "wb") as file:
        np.savez(file, positions_nm=start)
    homes = {name: state / "cb7" / name / "solvent" / "replicate_0" for name in legs}

    def begin(name: str, *more: str) -> small.Running:
        words = ["run", "--leg", legs[name].folder, "--replicate", 0, "--state", homes[name]]
        return small.Running("fe", *words, "--out", tmp_path / name / "out", *more)

    page.goto(served(state))
    page.wait_for_selector(cell("good", "waiting"))
    assert begin("good", "--segments", "1").wait().code == 75
    page.wait_for_selector(cell("good", "stopped"))
    done, total = ns(figures(page, "good")[4])
    assert done * 1e6 / 4 == pytest.approx(steps(state)) and 0 < done < total
    assert figures(page, "bad")[1] == "waiting"

    assert begin("bad").wait().code == 70
    page.wait_for_selector(cell("bad", "failed"))
    assert page.title().startswith("✗")
    running = begin("good")
    assert running.wait().code == 0
    page.wait_for_function(
        "() => [...document.querySelectorAll('#rows tr')].some(r => r.textContent.includes('3 finished'))"
    )
    done, total = ns(figures(page, "good")[4])
    of_good = json.loads((homes["good"] / "progress.json").read_text())
    assert done == total == pytest.approx(of_good["steps_done"] * 4e-6)

    page.locator("#rows button", has_text="good").click()  # sampled, and not analysed yet
    page.wait_for_selector("#detail[open] [data-growing='solvent/replicate_0']")
    (leg,) = GrowingLegs().of([homes["good"]])
    assert [len(leg["overlaps"]), leg["samples"], leg["note"]] == [2, 16, ""]
    titles = page.eval_on_selector_all("#detail .bars rect title", "all => all.map(one => one.textContent)")
    assert titles == [f"{k}–{k + 1}: {value:.3f}" for k, value in enumerate(leg["overlaps"])]
    told = page.locator("#detail h2:has-text('so far') ~ .wide >> nth=0").locator("tr").last.inner_text().split()
    assert [float(text) for text in told] == [
        float(f"{value:.{digits}g}") for value, digits in ((16, 3), (leg["overlap"], 3), (leg["dg_kcal_per_mol"], 4))
    ]
    page.keyboard.press("Escape")

    page.select_option("#state", "failed")
    assert page.locator("#rows tr").count() == 1
    page.click("#rows button")
    page.wait_for_selector("#detail[open] #cause")
    cause = json.loads((homes["bad"] / "FAILED").read_text())
    assert cause["cause"] in page.inner_text("#cause") and " ".join(cause["message"].split())[:60] in page.inner_text(
        "#cause"
    )
    page.keyboard.press("Escape")
    page.select_option("#state", "")
    page.keyboard.press("Escape")
    page.locator("h1").click()
    page.keyboard.press("/")
    page.keyboard.type("goo")
    page.wait_for_function("() => document.querySelectorAll('#rows tr').length === 1")


def test_hostile_names_are_text_and_a_phone_has_room(page, served, tmp_path):
    state = campaign(tmp_path)
    page.set_viewport_size({"width": 360, "height": 740})
    page.emulate_media(color_scheme="dark")
    page.goto(served(state, "--token"))
    page.wait_for_function("() => document.querySelectorAll('#rows tr').length === 5")
    assert "token" not in page.url
    assert HOSTILE in page.locator("#rows button").all_inner_texts()
    assert page.locator("img").count() == 0
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate("() => getComputedStyle(document.body).backgroundColor") == "rgb(20, 24, 29)"
    page.locator("#rows button", has_text="onerror").click()
    page.wait_for_selector("#detail[open] #cause")
    assert "not finite" in page.inner_text("#cause")
    page.keyboard.press("Escape")
    page.reload()  # the cookie knows the token
    page.wait_for_function("() => document.querySelectorAll('#rows tr').length === 5")


def test_many_items_are_drawn_by_parts(page, served, tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda _: None)
    page.goto(served(many(tmp_path, 250, windows=1)))
    page.wait_for_function("() => document.querySelectorAll('#rows tr').length === 200")
    assert page.inner_text("#shown") == "200 of 250 shown, 250 in all"
    page.click("#more")
    page.wait_for_function("() => document.querySelectorAll('#rows tr').length === 250")
    names = page.locator("#rows button").all_inner_texts()
    assert names == sorted(names)
