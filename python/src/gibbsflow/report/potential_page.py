"""What a learning loop leaves: the final potential, its data set with every fate, the learning curve and a page."""

from __future__ import annotations

import base64
import csv
import shutil
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from markupsafe import Markup
from pydantic import BaseModel

from gibbsflow.errors import InputError, Problem, StateError
from gibbsflow.potential.data.database import DatabaseManager
from gibbsflow.potential.data.structures import structure_id
from gibbsflow.potential.loop import label_doubts
from gibbsflow.potential.loop import state as loop_state
from gibbsflow.potential.loop.dataset_card import dataset_card, structure_rows
from gibbsflow.potential.loop.screening.fates import fates_by_generation
from gibbsflow.potential.train.training_card import account_lines
from gibbsflow.report.costs import FILE_NAME as COSTS
from gibbsflow.report.costs import LoopCosts, loop_costs
from gibbsflow.report.figures.learning.fate_figures import fates_figure
from gibbsflow.report.figures.learning.learning_figures import learning_curve
from gibbsflow.report.figures.svg import CHART_STYLE
from gibbsflow.report.page import FILE_NAME, environment
from gibbsflow.report.summary.loop_methods import loop_methods
from gibbsflow.report.summary.multiqc import LEARNING, write_learning_multiqc
from gibbsflow.report.summary.next_steps import next_steps
from gibbsflow.report.tables.cells import cell
from gibbsflow.version import __version__
from gibbsflow.workflow.artifacts import ArtifactStore
from gibbsflow.workflow.files import as_written, atomic_open, read_json
from gibbsflow.workflow.folders.places import GENERATION
from gibbsflow.workflow.input_files import number_or_none, read_table

if TYPE_CHECKING:
    from gibbsflow.potential.loop.manager import WorkflowManager

_SETS = {"train": "training", "test": "hold-out"}
_ROWS = {"train": "training", "holdout": "hold-out"}
_FATES = ("labelled", "held", "failed", "screened")
_METHODS = "methods.md"
_LARGEST_LINK = 200_000
_TITLES = {
    "parity": "Predicted against labelled",
    "grades": "Extrapolation grades of the hold-out",
    "grade_error": "Force errors of the hold-out against the grade",
}


def write_loop_results(
    manager: WorkflowManager, out: Path, *, state: Path | None = None, nextflow: bool = True
) -> None:
    """Write ``potential/``, ``dataset/``, tables, figures, ``report.html``, ``methods.md`` and ``manifest.json``.

    Parameters
    ----------
    manager
        A finished generation; those before it are drawn too where their folders lie beside it.
    out
        Folder to write into.
    state
        State folder of the campaign, for the hours of fits and MD; None where it is not known.
    nextflow
        Whether Nextflow may have run the loop, which is then cited.

    Raises
    ------
    InputError
        Where no generation is finished.
    StateError
        For files that are damaged.
    """
    folder, point = manager.folder, manager.checkpoint
    if not point.history:
        right = f"{GENERATION}NN/ of the results of a loop"
        raise InputError(Problem(str(folder), "no generation is finished in it yet", right, field="--from"))
    shown = _Shown.of(folder)
    out.mkdir(parents=True, exist_ok=True)
    carried = (loop_state.POTENTIAL, "dataset", loop_state.DATABASE, loop_state.CHECKPOINT, loop_state.CONFIG)
    validated = [loop_state.VALIDATION] if (folder / loop_state.VALIDATION).is_dir() else []
    loop_state.copy_state(folder, out, (*carried, *validated))
    database = DatabaseManager(out / loop_state.DATABASE)
    explained = [database.explain(structure_id(frame)) for frame in database.frames()]
    rows = structure_rows(explained, point.holdout)
    if not rows:
        raise StateError(f"{folder / loop_state.DATABASE}: damaged, it holds no structures")
    write_table(out / "structures.csv", rows)
    history = [asdict(record) for record in point.history]
    write_table(out / "learning_curve.csv", [_flat(record) for record in history])
    programs = sorted({row["program"] for row in rows if row["program"]})
    with atomic_open(out / "dataset_card.md", "w") as file:
        fates = fates_by_generation(point)
        file.write(dataset_card(manager.config, point.history, rows, programs, shown.doubts, shown.fit, fates))
    write_learning_multiqc(history, out, "-".join(manager.config.target.elements))
    with atomic_open(out / _METHODS, "w") as file:
        file.write(
            loop_methods(manager.config, point.history, shown.fit.get("versions", {}), programs, nextflow=nextflow)
        )
    figures = out / "figures"
    figures.mkdir(exist_ok=True)
    if fates:
        write_table(out / "fates.csv", fates)
        fates_figure(fates, figures / "fates")
    learning_curve(history, figures / "learning_curve")
    for figure in sorted((folder / "figures").glob("*.*")):
        shutil.copyfile(figure, figures / figure.name)
    label_s = sum(float(row["wall_s"] or 0.0) for row in rows)
    cores = manager.config.labels.ranks if manager.config.dft.engine == "quantum_espresso" else 1
    costs = loop_costs(state, [record.generation for record in point.history], label_s, cores)
    write_table(out / COSTS, [asdict(one) for one in costs.parts])
    _write_page(manager, shown, programs, rows, costs, out)
    _list(out)


def write_table(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows as CSV, atomically.

    Parameters
    ----------
    path
        File to write.
    rows
        At least one; the first decides the columns.
    """
    with atomic_open(path, "w") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows({name: cell(value) for name, value in row.items()} for row in rows)


def _write_page(
    manager: WorkflowManager,
    shown: _Shown,
    programs: Sequence[str],
    rows: Sequence[Mapping[str, Any]],
    costs: LoopCosts,
    out: Path,
) -> None:
    template = environment().get_template("potential.html.j2")
    point, fit = manager.checkpoint, shown.fit
    held = [row for row in rows if row["status"] == "held" and row["settings_hash"]]
    text = template.render(
        name="-".join(manager.config.target.elements),
        history=point.history,
        last=point.history[-1],
        stopped_by=point.stopped_by,
        reason=point.reason[:1].upper() + point.reason[1:],
        programs=programs,
        fates=fates_by_generation(point),
        counted=_counted(rows),
        kinds=_FATES,
        fates_figure=_image(out / "figures/fates.svg"),
        links={path.name: _link(path, out) for path in (*out.glob("*.csv"), *out.glob("figures/*.[sc][vs][gv]"))},
        held=held,
        costs=costs,
        next_steps=next_steps(manager.config, point.history, point.stopped_by, held=len(held)),
        config=manager.config,
        settings=manager.config.model_dump(mode="json"),
        curve=_image(out / "figures/learning_curve.svg"),
        parity=_image(out / "figures/parity.png"),
        grades=_image(out / "figures/grades.svg"),
        grade_error=_image(out / "figures/grade_error.png"),
        grade=fit.get("grade", {}),
        errors=shown.errors,
        doubts=[(weight.removesuffix("s"), text) for weight, found in shown.doubts.items() for text in found],
        data=shown.data,
        notes=fit.get("notes", []),
        warnings=fit.get("warnings", []),
        generations=list(_generations(manager)),
        measured=shown.measured,
        chart_style=Markup(CHART_STYLE),  # noqa: S704 - a constant
        version=__version__,
    )
    with atomic_open(out / FILE_NAME, "w") as file:
        file.write(text)


class _Errors(BaseModel):
    """Errors of a fit on the frames of one kind, as the page shows them."""

    frames: int
    energy_mae_mev_per_atom: float | None
    force_mae_ev_per_angstrom: float | None
    stress_mae_gpa: float | None


class _Curve(BaseModel):
    rank_correlation_atoms: float | None = None
    rank_correlation_frames: float | None = None


class _Grade(BaseModel):
    curve: _Curve | None = None


class _Fit(BaseModel):
    grade: _Grade = _Grade()
    notes: list[str] = []
    warnings: list[str] = []
    versions: dict[str, str] = {}


@dataclass(frozen=True)
class _Shown:
    """What the files of a last generation hold, read before anything is written: a damaged one leaves no half page."""

    fit: Mapping[str, Any]
    errors: Sequence[Mapping[str, Any]]
    data: Sequence[tuple[str, Any]]
    doubts: Mapping[str, Sequence[str]]
    measured: Sequence[Mapping[str, Any]]

    @classmethod
    def of(cls, folder: Path) -> _Shown:
        path = folder / loop_state.METRICS
        content = read_json(path)
        with as_written(path, "`infer decide`"):
            fit = content["fit"]
            _Fit.model_validate(fit)
            errors = _errors(fit)
            data = [(_SETS.get(name, name), account_lines(facts)) for name, facts in fit.get("account", {}).items()]
        measured = _measured(folder / loop_state.VALIDATION / "validation.csv")
        return cls(fit, errors, data, label_doubts.read(folder), measured)


def _errors(fit: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {"set": _SETS[name], "kind": kind, **errors, **_Errors.model_validate(errors).model_dump()}
        for name in ("test", "train")
        for kind, errors in {"all": fit[name], **fit[name]["by_config_type"]}.items()
    ]


def _counted(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Count structures by set, generation and kind, and what became of them; held without a label is not chosen."""
    found: dict[tuple[str, int, str], Counter[str]] = {}
    for row in rows:
        found.setdefault((row["set"], row["generation"], row["config_type"]), Counter())[
            "other" if row["status"] == "held" and not row["settings_hash"] else row["status"]
        ] += 1
    return [
        {"set": _ROWS[name], "generation": generation, "kind": kind, **{fate: own[fate] for fate in _FATES},
         "other": own.total() - sum(own[fate] for fate in _FATES)}
        for (name, generation, kind), own in sorted(found.items())
    ]  # fmt: skip


def _measured(path: Path) -> list[dict[str, Any]]:
    """Quantities of a validation that were compared, the worst first; none where there was no validation."""
    if not path.exists() and not path.is_symlink():
        return []
    rows = [row for row in read_table(path, "a table of `train validate`", _VALIDATED) if row["verdict"]]
    return sorted(rows, key=lambda row: _VERDICTS.index(row["verdict"]))


def _verdict(cell: str) -> str:
    if cell and cell not in _VERDICTS:
        raise ValueError(f"{', '.join(_VERDICTS)}, or empty")
    return cell


_VERDICTS = ("FAIL", "WARN", "PASS")
_VALIDATED: Mapping[str, Callable[[str], Any]] = {
    **dict.fromkeys(("property", "quantity", "unit", "source", "error"), str),
    **dict.fromkeys(("potential", "reference", "difference", "good_within", "bearable_within"), number_or_none),
    "verdict": _verdict,
}


def _generations(manager: WorkflowManager) -> list[dict[str, Any]]:
    """Records with their figures, as images: of earlier ones where their folders are still beside this one."""
    items = []
    for record in manager.checkpoint.history:
        folder = manager.folder.resolve().parent / f"generation_{record.generation:02d}" / "figures"
        found = {title: _image(folder / f"{name}.png") for name, title in _TITLES.items()}
        items.append({"record": record, "figures": {title: image for title, image in found.items() if image}})
    return items


def _image(path: Path) -> str:
    """An image as a data URI; empty where there is none."""
    return _data_uri(path) if path.exists() else ""


def _link(path: Path, out: Path) -> str:
    """Address of a file of a figure: itself, so that it goes with the page; of a large one its path beside the page."""
    if path.stat().st_size > _LARGEST_LINK:
        return quote(path.relative_to(out).as_posix())
    return _data_uri(path)


def _data_uri(path: Path) -> str:
    kind = {".svg": "image/svg+xml", ".png": "image/png", ".csv": "text/csv"}[path.suffix]
    return f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"


def _flat(record: Mapping[str, Any]) -> dict[str, Any]:
    """A record for a table: counts by name and reasons in words."""

    def _words(value: Any) -> Any:
        if isinstance(value, dict):
            return ", ".join(f"{count} {name}" for name, count in value.items())
        return "; ".join(value) if isinstance(value, list | tuple) else value

    return {key: _words(value) for key, value in record.items()}


def _list(out: Path) -> None:
    store = ArtifactStore(out)
    kinds = {
        "potential": "potential", "dataset": "dataset", loop_state.DATABASE: "database", "structures.csv": "table",
        "learning_curve.csv": "table", "dataset_card.md": "report", FILE_NAME: "report", _METHODS: "report",
        loop_state.CHECKPOINT: "record", LEARNING: "table", COSTS: "table",
    }  # fmt: skip
    if (out / loop_state.VALIDATION).is_dir():
        kinds[loop_state.VALIDATION] = "report"
    if (out / "fates.csv").is_file():
        kinds["fates.csv"] = "table"
    for name, kind in kinds.items():
        store.add(name, Path(name), kind)
    for figure in sorted((out / "figures").iterdir()):
        store.add(f"figures/{figure.name}", figure.relative_to(out), "figure")
    store.write()
