"""nextfloww and the launchers in bin/: every refusal says what to do, and nothing half made counts as made."""

import fcntl
import hashlib
import os
import re
import shutil
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]
LAUNCHERS = ["system_prep", "param", "equil", "fe", "analysis", "dft", "train", "infer", "gibbsflow"]
CLOSED = "http://127.0.0.1:9/simple"  # the discard port: nobody listens


def program(folder: Path, name: str, body: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/bash\n{body}\n")
    path.chmod(0o755)
    return path


def sha256(*paths: Path) -> str:
    return hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()


class Machine:
    """A pretended machine: a PATH with little on it, and an empty GIBBSFLOW_HOME."""

    def __init__(self, folder: Path):
        self.bin = folder / "path"
        self.home = folder / "gibbsflow"
        self.bin.mkdir()
        for name in (
            "bash env readlink cat sha256sum stat flock mkdir mv rm sed awk grep df diff sort tail timeout sleep date"
        ).split():
            (self.bin / name).symlink_to(shutil.which(name))
        self.env = {"PATH": str(self.bin), "HOME": str(folder), "GIBBSFLOW_HOME": str(self.home)}

    def with_java(self) -> "Machine":
        program(
            self.bin,
            "java",
            'if [[ $1 == -version ]]; then echo \'openjdk version "17.0.15" 2025-04-15\' >&2; else echo "java $*"; fi',
        )
        return self

    def with_maven(self, body: str = "exit 0") -> "Machine":
        program(self.bin, "mvn", body)
        return self

    def with_python(self) -> "Machine":
        """The Python that the tests' own environment was made from: it has pip."""
        program(self.bin, "python3.11", f'exec "{sys._base_executable}" "$@"')
        return self

    def python_is_ready(self) -> "Machine":
        program(self.home / "venv/bin", "python", "exit 0")
        lock = REPO / "python/locks/default.lock"
        (self.home / "python.stamp").write_text(f"default {sha256(lock)}")
        return self

    def nextflow_is_ready(self) -> "Machine":
        (self.home / "nextflow/lib").mkdir(parents=True)
        stamp = sha256(REPO / "setup/pom.xml", REPO / "setup/nextflow.sha256")
        (self.home / "nextflow/stamp").write_text(stamp)
        return self

    def start(self, *arguments: str, **env: str) -> subprocess.Popen:
        return subprocess.Popen(
            [REPO / "nextfloww", *arguments],
            env=self.env | env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, *arguments: str, **env: str) -> subprocess.CompletedProcess:
        process = self.start(*arguments, **env)
        out, err = process.communicate(timeout=180)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


# --- all there -------------------------------------------------------------------------------------------------------


def test_when_all_is_ready_nextflow_is_started_at_once(machine):
    machine.with_java().python_is_ready().nextflow_is_ready()
    start = time.perf_counter()
    done = machine.run("run", "main.nf", "-profile", "demo")
    assert time.perf_counter() - start < 1
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert done.stdout.rstrip().endswith("nextflow.cli.Launcher run main.nf -profile demo")


def test_setup_only_does_not_start_nextflow(machine):
    done = machine.python_is_ready().nextflow_is_ready().run("--setup-only")
    assert (done.returncode, done.stdout) == (0, "")
    assert "is ready" in done.stderr


@pytest.mark.parametrize("user, expected", [({}, "true"), ({"NXF_OFFLINE": "false"}, "false")])
def test_variables_for_nextflow_are_set_and_the_users_kept(machine, user, expected):
    machine.python_is_ready().nextflow_is_ready()
    java = program(machine.bin, "java", 'echo "$NXF_OFFLINE|$NXF_PLUGINS_DEFAULT|$NXF_HOME|$NXF_ANSI_LOG|$PATH"')
    offline, plugins, home, ansi, path = machine.run("-v", JAVA_CMD=str(java), **user).stdout.strip().split("|")
    assert (offline, plugins, ansi) == (expected, "false", "false")
    assert home == str(machine.home / "nxf")
    assert path.split(":")[:2] == [str(REPO / "bin"), str(machine.home / "venv/bin")]


def test_a_shared_setup_that_cannot_be_written_to(machine):
    machine.python_is_ready().nextflow_is_ready()
    java = program(machine.bin, "java", 'echo "$NXF_HOME|${TOWER_ACCESS_TOKEN:-none}"')
    given = {"JAVA_CMD": str(java), "TOWER_ACCESS_TOKEN": "x"}
    assert machine.run("-v", **given).stdout == f"{machine.home}/nxf|none\n"  # its client is not there
    (machine.home / "nxf/plugins/nf-tower-1.11.3").mkdir(parents=True)
    assert machine.run("-v", **given).stdout == f"{machine.home}/nxf|x\n"
    assert machine.run("-v", **given, NXF_HOME="/mine").stdout == "/mine|none\n"
    if os.geteuid() == 0:
        pytest.skip("root may write anywhere: tests/faults/test_shared_setup.py mounts it read-only")
    for folder in (machine.home / "nxf", machine.home):
        folder.chmod(0o555)
    assert machine.run("-v", **given).stdout == f"{Path.cwd()}/.nextflow/home|none\n"
    (machine.home / "python.stamp").write_text("default 0")
    done = machine.run("-v", **given)
    assert done.returncode == 1 and "is not that of this checkout, and cannot be written to" in done.stderr


@pytest.mark.parametrize("address", ["https://me:secret@host/x", "postgresql://:secret@h"])
def test_an_option_with_a_password_is_refused_before_it_is_in_a_log(machine, address):
    machine.with_java().python_is_ready().nextflow_is_ready()
    done = machine.run("run", "main.nf", "--registry", address)
    assert done.returncode == 1 and "an address with a password" in done.stderr and "secret" not in done.stderr
    assert machine.run("run", "main.nf", "--registry", "host:80/me@sha256:1").returncode == 0


def test_the_platform_without_its_client_is_said_at_once(machine):
    machine.python_is_ready().nextflow_is_ready()
    java = program(machine.bin, "java", "echo started")
    run = ("run", "main.nf", "-profile", "test,tower")
    done = machine.run(*run, JAVA_CMD=str(java))
    assert done.returncode == 1 and "needs nf-tower, Seqera's client" in done.stderr and not done.stdout
    assert machine.run("run", "main.nf", "-profile", "towering", JAVA_CMD=str(java)).stdout == "started\n"
    (machine.home / "nxf/plugins/nf-tower-1.11.3").mkdir(parents=True)
    assert machine.run(*run, JAVA_CMD=str(java)).stdout == "started\n"


def test_a_changed_lock_is_noticed(machine):
    machine.with_java().with_maven().python_is_ready().nextflow_is_ready()
    (machine.home / "python.stamp").write_text("default " + "0" * 64)
    done = machine.run("--setup-only")
    assert done.returncode == 1
    assert "Python 3.11 was not found" in done.stderr


def test_an_environment_without_stamp_does_not_count(machine):
    machine.with_java().with_maven().python_is_ready().nextflow_is_ready()
    (machine.home / "python.stamp").unlink()
    assert machine.run("--setup-only").returncode == 1


# --- Nextflow on PATH ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["25.04.0.1", "25.04.4.5950", "25.10.2.1", "26.04.6.2"])
def test_a_suitable_nextflow_on_path_is_used(machine, version):
    machine.python_is_ready()
    program(
        machine.bin, "nextflow", f'if [[ $1 == -v ]]; then echo "nextflow version {version}"; else echo "own $*"; fi'
    )
    done = machine.run("run", "main.nf")
    assert done.stdout == "own run main.nf\n", done.stderr


@pytest.mark.parametrize("version", ["25.03.1.1", "24.10.6.3", "9.99.0.1", "nonsense"])
def test_one_that_is_too_old_is_not(machine, version):
    machine.with_java().python_is_ready().nextflow_is_ready()
    program(machine.bin, "nextflow", f'echo "nextflow version {version}"')
    done = machine.run("run", "main.nf")
    assert done.stdout.startswith("java ")
    assert "25.04 or later is needed" in done.stderr


def test_its_version_is_asked_once(machine):
    machine.python_is_ready()
    asked = machine.home / "asked"
    program(machine.bin, "nextflow", f'[[ $1 != -v ]] || {{ echo x >>"{asked}"; echo "nextflow version 25.10.0.1"; }}')
    machine.run("info")
    machine.run("info")
    assert asked.read_text() == "x\n"


def test_the_pinned_one_can_be_forced(machine):
    machine.with_java().python_is_ready().nextflow_is_ready()
    program(machine.bin, "nextflow", 'echo "nextflow version 26.04.6.1"')
    assert machine.run("info", NXFW_USE_PATH="0").stdout.startswith("java ")


def test_it_does_not_take_itself_for_nextflow(machine):
    machine.with_java().python_is_ready().nextflow_is_ready()
    (machine.bin / "nextflow").symlink_to(REPO / "nextfloww")
    assert machine.run("info").stdout.startswith("java ")


# --- refusals --------------------------------------------------------------------------------------------------------


def test_missing_java(machine):
    done = machine.with_maven().with_python().python_is_ready().run("--setup-only")
    assert done.returncode == 1
    assert "Java was not found: install Java 17" in done.stderr


def test_java_that_is_too_old(machine):
    program(machine.bin, "java", "echo 'openjdk version \"11.0.2\"' >&2")
    done = machine.with_maven().python_is_ready().run("--setup-only")
    assert done.returncode == 1
    assert "Java 17 or later is needed" in done.stderr


def test_missing_maven(machine):
    done = machine.with_java().python_is_ready().run("--setup-only")
    assert done.returncode == 1
    assert "Maven was not found" in done.stderr


def test_missing_python(machine):
    done = machine.nextflow_is_ready().run("--setup-only")
    assert done.returncode == 1
    assert "Python 3.11 was not found" in done.stderr


def test_full_disk(machine):
    machine.with_python().nextflow_is_ready()
    (machine.bin / "df").unlink()
    program(machine.bin, "df", 'echo header; echo "/dev/x 100000 99680 320 99% /"')
    done = machine.run("--setup-only")
    assert done.returncode == 1
    assert re.search(r"needs 3\.5 GB at \S+ and found 0\.3 GB", done.stderr)


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
def test_really_full_disk(machine):
    machine.with_python().nextflow_is_ready()
    small = machine.home.with_name("small")
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", small], capture_output=True)
    if mounted.returncode:
        pytest.skip("this root may not mount")
    try:
        done = machine.run("--setup-only", GIBBSFLOW_HOME=str(small), NXFW_USE_PATH="0")
    finally:
        subprocess.run(["umount", small], check=True)
    assert done.returncode == 1
    assert "not enough disk space" in done.stderr or "Java was not found" in done.stderr


def test_offline_pypi(machine):
    machine.with_python().nextflow_is_ready()
    done = machine.run("--setup-only", PIP_INDEX_URL=CLOSED, PIP_RETRIES="0", PIP_CONFIG_FILE=os.devnull)
    assert done.returncode == 1
    assert "cannot reach the package registry (PyPI or its mirror)" in done.stderr
    assert not (machine.home / "python.stamp").exists()


def test_offline_maven(machine):
    machine.with_java().python_is_ready()
    machine.with_maven("echo '[ERROR] Could not transfer artifact x from/to central: Connection refused'; exit 1")
    done = machine.run("--setup-only")
    assert done.returncode == 1
    assert "cannot reach the package registry (Maven Central or its mirror)" in done.stderr
    assert not (machine.home / "nextflow").exists()


def test_a_wrong_checksum_is_refused(machine):
    machine.with_java().python_is_ready()
    machine.with_maven(
        'for a; do [[ $a == -DoutputDirectory=* ]] && echo no >"${a#*=}/nextflow-25.04.4.jar"; done; exit 0'
    )
    done = machine.run("--setup-only")
    assert done.returncode == 1
    assert "does not have the checksum that is locked" in done.stderr
    assert not (machine.home / "nextflow").exists()
    assert not (machine.home / "nextflow.partial").exists()


def test_unknown_option(machine):
    done = machine.run("--setup-only", "--fast")
    assert done.returncode == 1
    assert "unknown option --fast" in done.stderr


# --- two at once, interruption ---------------------------------------------------------------------------------------


def test_the_second_waits_says_so_and_finds_it_done(machine):
    machine.home.mkdir()
    with (machine.home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        second = machine.start("--setup-only")
        assert "another set-up is at work" in second.stderr.readline()
        time.sleep(0.2)
        assert second.poll() is None
        machine.python_is_ready().nextflow_is_ready()
    _, err = second.communicate(timeout=10)
    assert second.returncode == 0
    assert "is ready" in err


def test_an_interrupted_set_up_does_not_count_and_leaves_nothing_running(machine):
    pid = machine.home / "pid"
    machine.with_java().python_is_ready().with_maven(f'echo $$ >"{pid}"; exec sleep 60')
    first = machine.start("--setup-only")
    deadline = time.monotonic() + 10
    while not (pid.exists() and pid.read_text().strip()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    first.terminate()
    first.communicate(timeout=10)
    assert first.returncode != 0
    while Path(f"/proc/{pid.read_text().strip()}").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert not (machine.home / "nextflow").exists()


# --- Quantum ESPRESSO -------------------------------------------------------------------------------------------------


def with_uv(machine: Machine, body: str) -> Machine:
    """A uv that is taken for the locked one."""
    program(machine.home / "uv/bin", "uv", body)
    (machine.home / "uv/stamp").write_text(f"{sha256(REPO / 'setup/uv.lock')}  -")
    return machine


# makes an environment whose Python says how it was started
UV = """
if [[ $1 == venv ]]; then
  mkdir -p "${@: -1}/bin"
  printf '#!/bin/bash\\necho "$*"\\n' >"${@: -1}/bin/python"
  chmod +x "${@: -1}/bin/python"
fi
"""


def test_it_is_made_when_asked_for_and_only_then(machine):
    with_uv(machine.with_python().python_is_ready().nextflow_is_ready(), UV)
    (machine.bin / "chmod").symlink_to(shutil.which("chmod"))
    (machine.bin / "dirname").symlink_to(shutil.which("dirname"))
    assert machine.run("--setup-only").returncode == 0
    assert not (machine.home / "programs/qe").exists()
    done = machine.run("--setup-only", "--qe")
    assert done.returncode == 0, done.stderr
    assert "GPL, run as a program" in done.stderr
    pw = machine.home / "programs/qe/bin/pw.x"
    link = machine.bin / "my-pw"
    link.symlink_to(pw)
    said = subprocess.run([link, "-in", "a b"], env=machine.env, capture_output=True, text=True)
    assert said.stdout == "-P -m qepy --pw.x -in a b\n"
    assert "started" not in machine.run("--setup-only", "--qe").stderr
    (machine.home / "qe.stamp").write_text("of another lock")
    assert "Quantum ESPRESSO: done" in machine.run("--setup-only").stderr  # once there, it follows its lock


def test_without_network_it_is_not_there_and_all_else_is(machine):
    machine.with_python().python_is_ready().nextflow_is_ready()
    done = machine.run("--setup-only", "--qe", PIP_INDEX_URL=CLOSED, PIP_RETRIES="0", PIP_CONFIG_FILE=os.devnull)
    assert done.returncode == 1
    assert "FAILED: Quantum ESPRESSO: cannot reach the package registry" in done.stderr
    assert not (machine.home / "qe.stamp").exists() and not (machine.home / "programs/qe/bin/pw.x").exists()
    assert machine.run("--setup-only").returncode == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("error: qepy==7.2.0 has no wheels with a matching platform tag", "no package of it for this machine"),
        ("error: Hash mismatch for qepy", "does not have the checksum that is locked"),
        ("ImportError: version GLIBC_9 not found", "GLIBC_9 not found"),
    ],
)
def test_what_keeps_it_from_being_made_is_told(machine, words, message):
    with_uv(machine.with_python().python_is_ready().nextflow_is_ready(), f"echo '{words}' >&2; exit 1")
    done = machine.run("--setup-only", "--qe")
    assert done.returncode == 1
    assert message in done.stderr
    assert not (machine.home / "qe.stamp").exists()


# --- pip's settings for uv -------------------------------------------------------------------------------------------


def test_pips_settings_reach_uv(machine, tmp_path):
    machine.with_python().nextflow_is_ready()
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    config = tmp_path / "pip.conf"
    config.write_text(f"[global]\nindex-url = {CLOSED}\ncert = /of/the/file.pem\n")
    sum_of_lock = sha256(REPO / "setup/uv.lock")
    program(machine.home / "uv/bin", "uv", "env | sed -n 's/^\\(UV_[A-Z_]*\\|SSL_CERT_FILE\\)=/set \\1=/p'; exit 1")
    (machine.home / "uv/stamp").write_text(f"{sum_of_lock}  -")
    machine.run(
        "--setup-only",
        PIP_CONFIG_FILE=str(config),
        PIP_CERT="/of/the/environment.pem",
        PIP_FIND_LINKS=f"{wheels} {tmp_path / 'absent'}",
    )
    log = (machine.home / "log/python.log").read_text()
    assert f"set UV_DEFAULT_INDEX={CLOSED}\n" in log
    assert "set SSL_CERT_FILE=/of/the/environment.pem\n" in log
    assert f"set UV_FIND_LINKS={wheels}\n" in log
    assert "set UV_PYTHON_DOWNLOADS=never\n" in log


# --- launchers -------------------------------------------------------------------------------------------------------


def test_launchers_are_all_the_same_file():
    texts = {(REPO / "bin" / name).read_text() for name in LAUNCHERS}
    assert len(texts) == 1
    assert all((REPO / "bin" / name).stat().st_mode & stat.S_IXUSR for name in LAUNCHERS)


@pytest.mark.parametrize("name", LAUNCHERS)
def test_launcher_starts_the_module_of_its_name(name, machine):
    python = program(machine.bin, "some-python", 'echo "$OMP_NUM_THREADS $*"')
    command = [REPO / "bin" / name, "verb", "--x", "a b"]
    done = subprocess.run(command, env=machine.env | {"GIBBSFLOW_PYTHON": str(python)}, capture_output=True, text=True)
    assert done.stdout == f"1 -P -m gibbsflow.cli.{name} verb --x a b\n"


def test_launcher_uses_the_environment_of_the_set_up(machine):
    program(machine.home / "venv/bin", "python", 'echo "venv $*"')
    link = machine.bin / "fe"
    link.symlink_to(REPO / "bin/fe")
    done = subprocess.run([link], env=machine.env, capture_output=True, text=True)
    assert done.stdout == "venv -P -m gibbsflow.cli.fe\n"


def test_launcher_without_any_python_says_what_to_do(machine):
    done = subprocess.run([REPO / "bin/fe"], env=machine.env, capture_output=True, text=True)
    assert done.returncode == 127
    assert "run make setup" in done.stderr


def test_launcher_with_a_python_that_lacks_what_the_core_needs_says_what_to_do(machine):
    """Before a set-up: any python3 finds the checkout's core, and no package beside it."""
    program(machine.bin, "python3", f'exec "{sys._base_executable}" -S "$@"')
    done = subprocess.run([REPO / "bin/system_prep", "check"], env=machine.env, capture_output=True, text=True)
    assert done.returncode == 127
    assert "run make setup" in done.stderr and "Traceback" not in done.stderr


# --- locks -----------------------------------------------------------------------------------------------------------


def test_the_foundation_model_is_made_when_asked_for_and_then_follows_its_lock(machine):
    with_uv(machine.with_python().python_is_ready().nextflow_is_ready(), UV)
    (machine.bin / "chmod").symlink_to(shutil.which("chmod"))
    assert "foundation model" not in machine.run("--setup-only").stderr
    done = machine.run("--setup-only", "--foundation")
    assert done.returncode == 0, done.stderr
    assert "foundation model: done" in done.stderr and (machine.home / "foundation/bin/python").exists()
    assert "started" not in machine.run("--setup-only", "--foundation").stderr
    (machine.home / "foundation.stamp").write_text("of another lock")
    assert "foundation model: done" in machine.run("--setup-only").stderr


def pins(name: str) -> dict[str, str]:
    return dict(re.findall(r"^(\S+)==(\S+)", (REPO / "python/locks" / name).read_text(), re.M))


def test_dev_lock_holds_the_default_versions():
    default, dev = pins("default.lock"), pins("dev.lock")
    assert default.items() <= dev.items()


LOCKS = ["default.lock", "dev.lock", "compiled.lock", "cuda.lock", "build.lock", "qe.lock", "postgresql.lock",
         "foundation.lock", "docs.lock"]  # fmt: skip


@pytest.mark.parametrize("name", LOCKS)
def test_locks_hold_names_versions_and_hashes_only(name):
    for line in (REPO / "python/locks" / name).read_text().splitlines():
        assert re.fullmatch(r"\S+==\S+( ; [^/]+)? \\|    --hash=sha256:[0-9a-f]{64}( \\)?", line), line


# --- -resume beside a live run ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("resumed", [["-resume"], ["-resume", "live_run"], ["-resume", "s-2", "--input", "x"]])
def test_resume_beside_a_live_run_of_the_session_says_whose_it_is(machine, tmp_path, resumed):
    machine.with_java().python_is_ready().nextflow_is_ready()
    runs = [("old_run", "s-1"), ("first_run", "s-2"), ("live_run", "s-2")]
    for _, session in runs:
        (tmp_path / "cache/cache" / session / "db").mkdir(parents=True, exist_ok=True)
        (tmp_path / "cache/cache" / session / "db/LOCK").touch()
    lines = [f"2026-01-01 00:00:00\t-\t{name}\t-\tabc\t{session}\tnextflow run x\n" for name, session in runs]
    (tmp_path / "cache/history").write_text("".join(lines))
    environment = {"NXF_CACHE_DIR": str(tmp_path / "cache"), "HOSTNAME": "n1"}
    with open(tmp_path / "cache/cache/s-2/db/LOCK", "a") as held:
        fcntl.lockf(held, fcntl.LOCK_EX)  # as the session's own store holds it
        done = machine.run("run", "main.nf", *resumed, **environment)
        assert done.returncode == 1 and done.stdout == ""
        assert f"is held by another run: live_run, pid {os.getpid()} on " in done.stderr
        assert machine.run("run", "main.nf", "-resume", "old_run", **environment).stdout.startswith("java ")
        assert machine.run("run", "main.nf", **environment).stdout.startswith("java ")
    assert machine.run("run", "main.nf", *resumed, **environment).stdout.startswith("java ")
