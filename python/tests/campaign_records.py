"""Records of made-up transformations whose free energies are known, and a page read as a browser would."""

from html.parser import HTMLParser

from oscillators import Oscillators, write_system
from rdkit import Chem
from rdkit.Chem import AllChem

from gibbsflow.binding.analyse.transformation import analyse_transformation
from gibbsflow.config.binding import Analysis
from gibbsflow.report.figures.leg_figures import write_figures
from gibbsflow.workflow.files import write_json

PLOT = '<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0L1 1"/></svg>'


class Reader(HTMLParser):
    """Collects what a browser would fetch, the text, and checks that elements close."""

    def __init__(self):
        super().__init__()
        self.fetched, self.open, self.text, self.ids, self.scripts = [], [], "", [], []

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.ids += [values["id"]] if "id" in values else []
        self.fetched += [values[key] for key in ("src", "srcset", "data") if key in values]
        self.fetched += [values["href"]] if tag == "link" else []
        assert tag != "script" or "src" not in values
        if tag not in ("meta", "img", "br", "link", "path", "rect", "circle"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag in ("path", "rect", "circle"):
            return
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1:] == ["script"]:
            self.scripts.append(data)
        else:
            self.text += data


def read_page(path):
    reader = Reader()
    html = path.read_text()
    reader.feed(html)
    assert reader.open == []
    assert all(address.startswith("data:") for address in reader.fetched)
    assert "url(" not in html
    assert "@import" not in html
    assert len(reader.ids) == len(set(reader.ids))
    return reader, html


def record_folder(root, name, replicates=2, **meta):
    legs = {"complex": Oscillators(5, 30.0, 15.0), "solvent": Oscillators(3, 6.0, 4.0)}
    system = write_system(root / name / "system", name, legs, replicates, **meta)
    (system.root / "equil.svg").write_text(PLOT)
    system = system.with_artifacts(equil_plot="equil.svg")
    runs = []
    for leg, oscillators in legs.items():
        for number in range(replicates):
            options = {"leg": leg, "transformation": name, "replicate": number, "seed": number + 1}
            runs.append(oscillators.write(root / name / f"{leg}{number}", count=60, **options))
    out = root / name / "out"
    out.mkdir()
    record = analyse_transformation(system, runs, Analysis())
    record["figures"] = write_figures(record, system, out)
    write_json(out / "record.json", record)
    return out


def edge_folder(root, a, b, complex_leg, solvent_leg):
    """Record of an edge between alkanes, whose first two carbons are shared."""
    name = f"{a}~{b}"
    facts = {"edge_ligands": [a, b], "edge_pairs": [[0, 0], [1, 1]]}
    legs = {"complex": complex_leg, "solvent": solvent_leg}
    system = write_system(root / name / "system", name, legs, 1, **facts)
    for role, ligand in (("ligand_a", a), ("ligand_b", b)):
        mol = Chem.AddHs(Chem.MolFromSmiles("C" * (1 + ["methane", "ethane", "propane", "butane"].index(ligand))))
        AllChem.EmbedMolecule(mol, randomSeed=1)
        Chem.MolToMolFile(mol, str(system.root / f"{role}.sdf"))
        system = system.with_artifacts(**{role: f"{role}.sdf"})
    runs = [
        own.write(root / name / leg, count=60, leg=leg, transformation=name, replicate=0, seed=1)
        for leg, own in legs.items()
    ]
    out = root / name / "out"
    out.mkdir()
    record = analyse_transformation(system, runs, Analysis(), "rbfe")
    record["figures"] = write_figures(record, system, out)
    write_json(out / "record.json", record)
    return out
