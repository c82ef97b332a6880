"""Everything that the learning loop can be told, and the rules by which a file of five lines becomes all of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, Self, get_args

from pydantic import SerializerFunctionWrapHandler, model_serializer

from gibbsflow.config.label_engines import choose_engine
from gibbsflow.config.potential import Crystal, Dft, StructureSettings
from gibbsflow.config.potential_rules import RuleFacts, apply_rules, judge
from gibbsflow.config.potential_training import PotentialSettings, Surrogate
from gibbsflow.config.potential_validation import Validation
from gibbsflow.config.section import Section, nearest, nearest_name, read_section, setting
from gibbsflow.errors import InputError, Problem
from gibbsflow.workflow.settings_file import read_mapping

Goal = Literal["md", "elastic", "melt_quench", "phase_diagram"]
SHORT = ("elements", "composition", "structure", "goal", "temperature_k", "pressure_bar", "engine")
"""Keys of the short form, which stand beside the sections."""
AUTO = "auto"
_NOTHING: Mapping[str, Any] = MappingProxyType({})


class Loop(Section):
    """What the loop is after, and how it explores."""

    goal: Goal = setting("md", "What the potential is for; the rules of docs/potential.md choose by it.")
    seed: int = setting(2026, "Seed of training, exploration and selection.", ge=0, le=2**31 - 1)
    trajectories: int = setting(
        4,
        "Trajectories a generation; the k-th of n ends its ramp k/n of the way up to the last temperature.",
        ge=1,
        le=1000,
    )
    overheating: float = setting(
        1.0,
        "Times as hot as the last temperature end the ramps: closer contacts than those that are asked for.",
        ge=1,
        le=10,
    )
    initial_labels: int = setting(
        60, "Generated structures that are labelled at most, hold-out apart.", ge=5, le=100_000
    )
    holdout_labels: int = setting(20, "Hold-out structures that are labelled at most.", ge=2, le=10_000)


class Convergence(Section):
    """When the loop stops: all criteria over some generations, or a budget."""

    force_mae_ev_per_angstrom: float = setting(
        0.1,
        "Mean absolute force error on the hold-out, at or below which it is good enough.",
        unit="eV/Å",
        gt=0,
        le=100,
    )
    stress_mae_gpa: float | None = setting(
        1.0,
        "Mean absolute stress error on the hold-out, at or below which it is good enough; null: it does not count.",
        unit="GPa",
        gt=0,
        le=1000,
    )
    fraction_above: float = setting(
        0.05,
        "Share of MD at or above the lower threshold of the grade, at or below which it is good enough.",
        ge=0,
        le=1,
    )
    labels_may_vouch: bool = setting(
        True, "Whether a larger share of MD does not count where labels of what it met show errors below the aim."
    )
    generations: int = setting(2, "Consecutive generations in which all must hold.", ge=1, le=100)
    validation: Literal["none", "WARN", "PASS"] = setting(
        "none",
        "Worst verdict of `train validate` with which the loop may have converged; none: it is not validated.",
    )
    max_generations: int = setting(6, "Budget: generations.", ge=1, le=1000)
    max_labels: int = setting(400, "Budget: labels, with those that failed and the hold-out.", ge=10, le=10**6)


class Resources(Section):
    """What `infer loop --local` may use; a pipeline leaves this to its executor."""

    cores: int | None = setting(None, "Commands side by side; default: the cores this process may use.", ge=1, le=1024)


class PotentialConfig(StructureSettings, PotentialSettings):
    """All sections of the potential half."""

    loop: Loop = Loop()
    convergence: Convergence = Convergence()
    validation: Validation = Validation()
    resources: Resources = Resources()
    surrogate: Surrogate = Surrogate()

    @model_serializer(mode="wrap")
    def _told(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Name a surrogate only where there is one: what was written before there were any stays equal."""
        told: dict[str, Any] = handler(self)
        if self.surrogate == Surrogate():
            told.pop("surrogate", None)
        return told

    @classmethod
    def expand(cls, path: Path, structure: Path | None = None) -> Self:
        """Read a file, short or whole, and expand it.

        Parameters
        ----------
        path
            YAML or JSON.
        structure
            The structure file that it names, where it lies now; default: beside it.

        Returns
        -------
        PotentialConfig
            All sections; one that was written by `write` comes back as it was.

        Raises
        ------
        InputError
            With all problems at once.
        """
        return cls.from_mapping(read_mapping(path), where=str(path), structure=structure)

    @classmethod
    def from_mapping(cls, content: Mapping[str, Any], *, where: str, structure: Path | None = None) -> Self:
        """Expand a mapping: what is given stands, the rules fill in, the sections' own defaults take the rest.

        Parameters
        ----------
        content
            Keys of the short form (`SHORT`), sections, or both.
        where
            File it came from, for messages; a structure file is looked for beside it.
        structure
            The structure file that it names, where it lies now.

        Returns
        -------
        PotentialConfig
            All sections, checked.

        Raises
        ------
        InputError
            For keys that are not known, given twice or not usable, and where no element is named.
        """
        given = _given(content, where, cls.model_fields)
        if not given.get("target", {}).get("elements"):
            raise InputError(Problem(where, "missing", "chemical symbols, such as elements: [Si]", field="elements"))
        facts = RuleFacts.of(given, structure or _structure_file(given, where))
        return cls._checked(_filled(given, apply_rules(facts)), where)

    @classmethod
    def of_verb(cls, path: Path | None, *, engine: str | None = None, beside: Mapping[str, Any] = _NOTHING) -> Self:
        """Read the settings of a single verb: the same file that the whole loop takes, or some of its sections.

        Parameters
        ----------
        path
            YAML or JSON; None gives the defaults. With a key of the short form in it the rules fill in, as in `expand`;
            else it holds sections, and what they leave open takes their defaults.
        engine
            Engine of labels that replaces the file's; default: the file's.
        beside
            Keys that may stand beside the sections, and the value that each must have; None where any will do.

        Returns
        -------
        PotentialConfig
            All sections, checked, whichever of them the verb reads.

        Raises
        ------
        InputError
            With all problems at once.
        """
        content, where = (read_mapping(path), str(path)) if path is not None else ({}, "defaults")
        for key, value in beside.items():
            if (found := content.pop(key, value)) != value and value is not None:
                raise InputError(
                    Problem(where, f"{found!r}, where the command line says {value!r}", "one of them", field=key)
                )
        if engine is not None and content.get("engine") == AUTO:
            content["engine"] = engine
        given = _given(content, where, cls.model_fields)
        if engine is not None:
            kept = {key: value for key, value in given.get("dft", {}).items() if key != "engine_because"}
            given["dft"] = {**kept, "engine": engine}
            read_section(Dft, {"engine": engine}, where="--engine")
        short = any(key in SHORT for key in content)
        rules = apply_rules(RuleFacts.of(given, _structure_file(given, where))) if short else {}
        return cls._checked(_filled(given, rules), where)

    @classmethod
    def _checked(cls, values: Mapping[str, Any], where: str) -> Self:
        """Check all values, and that none of them is idle."""
        settings = read_section(cls, values, where=where)
        judge(settings.target, settings.dft, settings.exploration, settings.generator, where).settle()
        return settings

    def beside(self, path: Path | None) -> Self:
        """Find the files that settings name, of structures and of a surrogate: beside them, or else where it runs.

        Parameters
        ----------
        path
            File of the settings; None where there is none.

        Returns
        -------
        PotentialConfig
            The settings, with the paths as they can be opened from here.
        """
        home = Path(path).parent if path is not None else Path()

        def _there(file: Path | None) -> Path | None:
            return home / file if file is not None and (home / file).exists() else None

        return self.with_files(structure=_there(self.target.structure_file), surrogate=_there(self.surrogate.file))

    def with_files(self, *, structure: Path | None = None, surrogate: Path | None = None) -> Self:
        """Take other paths for the files that settings name.

        Parameters
        ----------
        structure
            Of the structure file; None leaves it as it is.
        surrogate
            File or folder of the surrogate, likewise; one that is read from nothing stays without.

        Returns
        -------
        PotentialConfig
            The settings with them.
        """
        changed: dict[str, object] = {}
        if structure is not None:
            changed["target"] = self.target.model_copy(update={"structure_file": Path(structure)})
        if surrogate is not None and self.surrogate.file is not None:
            field = "pair_file" if self.surrogate.model == "classical" else "potential"
            changed["surrogate"] = self.surrogate.model_copy(update={field: Path(surrogate)})
        return self.model_copy(update=changed)

    def write(self, path: Path) -> None:
        """Write all settings as JSON.

        Parameters
        ----------
        path
            The file; replaced where it is there.
        """
        from gibbsflow.workflow.files import write_json

        write_json(path, self.model_dump(mode="json"))


def _given(content: Mapping[str, Any], where: str, known: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Sort what a file holds into sections; what has no place there is refused."""
    known = tuple(known)
    sections = {name: _mapping(content[name], where, name) for name in known if name in content}
    unknown = [key for key in content if key not in sections and key not in SHORT]
    if unknown:
        raise InputError([Problem(where, "unknown key", nearest(key, (*SHORT, *known)), field=key) for key in unknown])
    return merge(_from_short(content, where), sections, where)


def _structure_file(given: Mapping[str, Mapping[str, Any]], where: str) -> Path | None:
    """The structure file that unchecked settings name, where it is there: beside them."""
    named = given.get("target", {}).get("structure_file")
    path = Path(where).parent / str(named)
    return path if named and path.is_file() else None


def _mapping(value: Any, where: str, name: str) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise InputError(Problem(where, f"{value!r} is not usable", "a section with keys", field=name))
    return dict(value)


def _from_short(content: Mapping[str, Any], where: str) -> dict[str, dict[str, Any]]:
    """Put the short form's keys where they belong."""
    found: dict[str, dict[str, Any]] = {}
    homes = {"elements": ("target", "elements"), "composition": ("target", "composition"),
             "goal": ("loop", "goal"), "engine": ("dft", "engine")}  # fmt: skip
    for key, (section, name) in homes.items():
        if key in content:
            found.setdefault(section, {})[name] = content[key]
    if found.get("dft", {}).get("engine") == AUTO:
        symbols, dft = content.get("elements"), content.get("dft")
        found["dft"]["engine"], found["dft"]["engine_because"] = choose_engine(
            [str(symbol) for symbol in symbols] if isinstance(symbols, list) else [],
            dft if isinstance(dft, Mapping) else None,
        )
    if "structure" in content:
        found.setdefault("target", {}).update(structure_of(str(content["structure"]), where))
    for key, names in (("temperature_k", ("temperature_k", "temperature_end_k")),
                       ("pressure_bar", ("pressure_bar", "pressure_end_bar"))):  # fmt: skip
        if key in content:
            values = content[key] if isinstance(content[key], list) else [content[key]]
            if not 1 <= len(values) <= 2:
                raise InputError(
                    Problem(where, f"{content[key]!r} is not usable", "one number, or [first, last]", field=key)
                )
            found.setdefault("exploration", {}).update(zip(names, values, strict=False))
    return found


def structure_of(text: str, where: str = "structure") -> dict[str, str]:
    """Say what a `structure` is: a crystal by name, a file, or a molecule that ASE knows.

    Parameters
    ----------
    text
        Value of the key; with a dot or a slash it is a file, and where it names one beside the settings.
    where
        File it came from.

    Returns
    -------
    dict
        One key of section *target* and its value: `crystal`, `structure_file` or `molecule`.

    Raises
    ------
    InputError
        Where it is none of these.
    """
    if text in get_args(Crystal):
        return {"crystal": text}
    if "." in text or "/" in text or (Path(where).parent / text).is_file():
        return {"structure_file": text}
    from ase.build.molecule import extra
    from ase.collections import g2
    from ase.data import chemical_symbols

    if text in chemical_symbols:
        right = "no such key, for the element's own crystal; or a crystal by its name (fcc, bcc, hcp, diamond)"
        raise InputError(Problem(where, f"{text!r} is one atom, and no structure", right, field="structure"))
    if text in g2.names or text in extra:
        return {"molecule": text}
    close = nearest_name(text.lower(), get_args(Crystal))
    right = f"did you mean {close!r}? " if close else ""
    right += (
        f"a crystal ({', '.join(get_args(Crystal))}), a structure file beside the settings, or a molecule that ASE "
    )
    right += "knows by a formula, such as CH3CH2OH"
    raise InputError(Problem(where, f"{text!r} is no structure", right, field="structure"))


def merge(
    first: Mapping[str, Mapping[str, Any]], second: Mapping[str, Mapping[str, Any]], where: str
) -> dict[str, dict[str, Any]]:
    """Join the short form and the sections.

    Parameters
    ----------
    first, second
        Values by section and key.
    where
        File they came from, for messages.

    Returns
    -------
    dict
        Values by section and key, of either.

    Raises
    ------
    InputError
        Where the two give one key different values.
    """
    result = {name: dict(values) for name, values in first.items()}
    for name, values in second.items():
        for key, value in values.items():
            if key in result.get(name, {}) and result[name][key] != value:
                what = f"given twice: {result[name][key]!r} and {value!r}"
                raise InputError(Problem(where, what, "one of them", field=f"{name}.{key}"))
            result.setdefault(name, {})[key] = value
    return result


def _filled(
    given: Mapping[str, Mapping[str, Any]], by_rule: Mapping[str, Mapping[str, Any]]
) -> dict[str, dict[str, Any]]:
    names = [*given, *(name for name in by_rule if name not in given)]
    return {name: {**by_rule.get(name, {}), **given.get(name, {})} for name in names}
