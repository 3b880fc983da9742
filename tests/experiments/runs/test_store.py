"""The store of runs: what a key depends on, what comes back, and what is left when a study is stopped."""

from __future__ import annotations

import dataclasses
import errno
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import experiments.runs.store
from agents.streams import replicate_keys
from experiments import compare
from experiments.analysis.results import TABLES
from experiments.configuration.settings import Arm, Parallel, Task, WorldSettings, compose_settings, read_settings
from experiments.runs.measure import MapPicture, Run
from experiments.runs.runner import Failure, _replicate, run_arms
from experiments.runs.store import CODE, Store, StoreError, fingerprint, run_keys
from experiments.studies.compare import arms_of
from sim import ChiefQualityOfficer, OneStopStations, StrongchainModel
from sim.attribution.quality_map import QualityMap
from tests.support.places import ROOT, TABLES_ALONE
from tests.support.processes import in_session, kill

pytestmark = pytest.mark.study

SMALL = ("region=sample", "scale=0.2", "replicates=2", "months=4", "window=2", "burn_in=3", "parallel=serial")
THREE = tuple(word if word != "replicates=2" else "replicates=3" for word in SMALL)
SERIAL = Parallel("sequential", 1)
KEY = (3, 5)
EXCHANGED = "study.arms={nothing: ['instruments=[]'], cqo: ['instruments=[cqo]'], placebo: ['instruments=[]'], all: []}"
CHAIN = "supplier,customer,value_share\nb,A,0.3\nc,b,0.2\n"


def settings(*overrides: str):
    return read_settings(compose_settings([*SMALL, *overrides]))


def arms(*overrides: str) -> list[Arm]:
    return arms_of(settings(*overrides), [*SMALL, *overrides])


def key(arm: Arm, months: int = 4, window: int = 2, by: tuple[str, ...] = ("tier",), check: bool = False, of=KEY, code: str = CODE) -> str:
    return run_keys([arm], [of], Task(months, window, by, check), code)[0][0]


def files(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}


def same(one: Run, other: Run) -> bool:
    """Whether two runs hold the same bits, types and shapes."""

    def bits(value: object) -> object:
        if isinstance(value, np.ndarray):
            return value.dtype.str, value.shape, value.tobytes()
        if isinstance(value, pd.DataFrame):
            return [
                (name, str(value[name].dtype), bits(value[name].to_numpy(str if value[name].dtype.kind not in "if" else None)))
                for name in value
            ]
        if dataclasses.is_dataclass(value):
            return [bits(getattr(value, f.name)) for f in dataclasses.fields(value)]
        return repr(value)

    return bits(one) == bits(other)


@pytest.fixture
def base() -> Arm:
    return Arm("both", settings().world, (ChiefQualityOfficer(), OneStopStations()))


def run(picture: bool) -> Run:
    """A run with every value that is hard to keep."""
    odd = np.array([[np.nan, -0.0, np.inf], [5e-324, 0.1 + 0.2, -np.pi]])
    odd.view(np.uint64)[0, 0] = 0x7FF8_0000_DEAD_BEEF  # a NaN with a payload
    quality_map = QualityMap(odd, odd[0], odd[1], odd[0], odd[1], 0.1 + 0.2)
    table = pd.DataFrame({"firm": ["整车厂", "b"], "tier": [0, 1], "loss": [np.nan, 5e-324]})
    shown = MapPicture(np.array(["整车厂", "b"]), np.arange(2), np.array([1]), np.array([0]), quality_map, table) if picture else None
    return Run(
        "a",
        0 if picture else 4,
        ("x", "y"),
        (("total", "total"), ("tier", "0")),
        odd,
        odd.T.copy().T,
        odd[:, :0],
        odd,
        shown,
        {"cqo": 1 / 3},
        {("wages", "members", "households"): 0.1 + 0.2},
    )


# -- keys ----------------------------------------------------------------------------------------------


def test_a_key_ignores_the_name_of_the_arm_and_the_order_of_its_instruments(base):
    assert key(base) == key(dataclasses.replace(base, name="other", instruments=base.instruments[::-1]))
    assert len(key(base)) == 64


def test_a_key_changes_with_all_that_figures_depend_on(base):
    world = base.world
    others = [
        key(dataclasses.replace(base, instruments=base.instruments[:1])),
        key(dataclasses.replace(base, instruments=(ChiefQualityOfficer(reach=0.51), OneStopStations()))),
        *(
            key(dataclasses.replace(base, world=dataclasses.replace(world, **change)))
            for change in (
                {"parameters": dataclasses.replace(world.parameters, latent_share=0.11)},
                {"region": dataclasses.replace(world.region, stations=world.region.stations + 1)},
                {"burn_in": 4},
                {"network": settings("network=synthetic").world.network},
                {"network": settings("network=synthetic", "network.firms=99").world.network},
            )
        ),
        key(base, months=5),
        key(base, window=3),
        key(base, by=()),
        key(base, check=True),
        key(base, of=(3, 6)),
        key(base, code="other"),
    ]
    assert len({key(base), *others}) == 1 + len(others)


def test_a_key_changes_with_a_byte_of_an_input_file(tmp_path):
    path = tmp_path / "链条 一.csv"
    keys = []
    for text in (CHAIN, CHAIN.replace("0.2", "0.3"), CHAIN.replace("c,b", "d,b"), CHAIN):
        path.write_text(text, encoding="utf-8")
        (arm,) = arms("network=file", f"network.path='{path}'", "policy=none")
        keys.append(key(arm))
    assert keys[0] == keys[3] and len(set(keys)) == 3


def test_the_fingerprint_changes_with_a_line_a_file_and_a_name(tmp_path):
    folders = [tmp_path / "agents", tmp_path / "sim"]
    for folder in folders:
        folder.mkdir()
        (folder / "a.py").write_text("x = 1\n", encoding="utf-8")
    fingerprints = [fingerprint(folders)]
    (folders[1] / "notes.txt").write_text("no code", encoding="utf-8")
    assert fingerprint(folders) == fingerprints[0]
    (folders[1] / "a.py").write_text("x = 2\n", encoding="utf-8")
    fingerprints.append(fingerprint(folders))
    (folders[1] / "month").mkdir()
    (folders[1] / "month" / "b.py").touch()
    fingerprints.append(fingerprint(folders))
    (folders[1] / "month" / "b.py").rename(folders[1] / "month" / "c.py")
    fingerprints.append(fingerprint(folders))
    assert len(set(fingerprints)) == 4


def test_the_fingerprint_is_of_the_code_and_of_numpy_and_scipy(monkeypatch):
    code = [
        ROOT / name
        for name in (
            "agents",
            "sim",
            "experiments/runs/measure.py",
            "experiments/configuration/schema.py",
            "experiments/configuration/settings.py",
        )
    ]
    assert fingerprint(code) == CODE
    monkeypatch.setattr(experiments.runs.store.importlib.metadata, "version", lambda name: f"{name} of another day")
    assert fingerprint(code) != CODE


def test_runs_with_a_user_defined_instrument_are_not_kept(base):
    class Mine(ChiefQualityOfficer):
        pass

    with pytest.raises(StoreError, match="outside sim/"):
        key(dataclasses.replace(base, instruments=(Mine(),)))


# -- files ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("picture", [True, False])
def test_what_comes_back_is_what_was_kept_bit_for_bit(tmp_path, picture):
    store, kept = Store(tmp_path / "runs"), run(picture)
    store.put("k", kept)
    back = store.get("k", "a", kept.replicate)
    assert back is not None and same(back, kept)
    assert list(files(store.folder)) == ["k.npz"]


def test_a_run_comes_back_under_the_name_that_is_asked_for(tmp_path):
    store = Store(tmp_path)
    store.put("k", run(picture=False))
    back = store.get("k", "other", 7)
    assert back is not None and (back.arm, back.replicate) == ("other", 7)
    assert store.get("k", "other", 0) is None, "the first replicate needs its picture"


def test_a_damaged_file_counts_as_missing(tmp_path, capsys):
    """Cut off anywhere, or any byte changed: either nothing comes back, or what was kept."""
    store, kept = Store(tmp_path), run(picture=True)
    store.put("k", kept)
    whole = store.path("k").read_bytes()
    draw = random.Random(1)
    lost = 0
    cut = [whole[: draw.randrange(len(whole))] for _ in range(40)]
    changed = [whole[:at] + bytes([whole[at] ^ (1 << draw.randrange(8))]) + whole[at + 1 :] for at in draw.sample(range(len(whole)), 200)]
    for damaged in (*cut, *changed, b"", b"garbage"):
        store.path("k").write_bytes(damaged)
        back = Store(tmp_path).get("k", "a", 0)
        assert back is None or same(back, kept)
        lost += back is None
    assert lost > 100
    assert "is damaged (" in capsys.readouterr().err


def test_a_foreign_file_counts_as_missing(tmp_path, capsys):
    store = Store(tmp_path)
    store.put("k", run(picture=True))
    store.path("other").write_bytes(store.path("k").read_bytes())
    np.savez(store.path("foreign"), x=np.zeros(3))
    assert store.get("other", "a", 0) is store.get("foreign", "a", 0) is store.get("none", "a", 0) is None
    assert store.get("other", "a", 0) is None
    assert len(capsys.readouterr().err.splitlines()) == 2, "each is reported once"


def test_a_full_disk_leaves_nothing_half_written(tmp_path, monkeypatch):
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    store = Store(tmp_path / "runs")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError, match="No space left on device") as refused:
        store.put("k", run(picture=False))
    assert "\n" not in str(refused.value) and str(store.folder) in str(refused.value)
    assert not files(store.folder)


def test_a_folder_that_cannot_be_written_is_reported_before_anything_is_simulated(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setattr(WorldSettings, "build", lambda *_: pytest.fail("simulated"))
    with pytest.raises(StoreError, match="is a file; it must be a folder"):
        compare(*SMALL, keep=tmp_path / "file" / "runs")
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(StoreError, match="cannot be written"):
        compare(*SMALL, keep=tmp_path / "runs")


def test_what_a_killed_process_left_is_cleared_away_after_a_day(tmp_path):
    key = "a" * 64
    old, new, foreign = (tmp_path / f".{name}.part" for name in (f"{key}.npz.1.0123abcd", f"{key}.npz.2.0123abcd", "mine"))
    for path in (old, new, foreign):
        path.touch()
    for path in (old, foreign):
        os.utime(path, (time.time() - 2 * 86_400,) * 2)
    Store(tmp_path).prepare()
    assert sorted(files(tmp_path)) == [new.name, foreign.name], "what is not ours stays, whatever its name"


# -- studies -------------------------------------------------------------------------------------------


def tables(comparison, folder: Path) -> dict[str, bytes]:
    """Every table of a study as the bytes of its file."""
    comparison.save(folder)
    return {path.name: path.read_bytes() for path in folder.glob("*.csv")} | {
        name: picture.table.to_csv().encode() for name, picture in comparison.maps.items()
    }


@pytest.mark.parametrize("backend", ["loky", pytest.param("multiprocessing", marks=pytest.mark.full), "threading", "sequential"])
def test_every_backend_gives_the_same_table(tmp_path, backend):
    one = tables(compare(*SMALL, EXCHANGED), tmp_path / "one")
    two = tables(compare(*SMALL[:-1], EXCHANGED, f"parallel.backend={backend}", "parallel.workers=2"), tmp_path / "two")
    assert one == two


def test_tables_are_the_same_fresh_resumed_and_read_and_with_any_number_of_workers(tmp_path, monkeypatch):
    runs = tmp_path / "runs"
    fresh = tables(compare(*SMALL, EXCHANGED), tmp_path / "fresh")
    kept = tables(compare(*SMALL, EXCHANGED, keep=runs), tmp_path / "kept")
    before = files(runs)
    assert len(before) == 6, "the placebo is nothing under another name: 3 different arms, 2 replicates"
    for name in sorted(before)[::2]:
        (runs / name).unlink()
    some = files(runs)
    resumed = tables(compare(*SMALL[:-1], EXCHANGED, "parallel=loky", "parallel.workers=2", keep=runs), tmp_path / "resumed")
    assert files(runs).keys() == before.keys() and files(runs).items() >= some.items()
    monkeypatch.setattr(WorldSettings, "build", lambda *_: pytest.fail("simulated"))
    after = files(runs)
    read = tables(compare(*SMALL, EXCHANGED, keep=runs), tmp_path / "read")
    assert fresh == kept == resumed == read
    assert files(runs) == after


def test_a_damaged_run_is_simulated_again(tmp_path, capsys):
    first = compare(*SMALL, "policy=none", keep=tmp_path)
    path = sorted(tmp_path.iterdir())[0]
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    again = compare(*SMALL, "policy=none", keep=tmp_path)
    pd.testing.assert_frame_equal(first.effects, again.effects, check_exact=True)
    assert path.read_bytes() == whole
    assert capsys.readouterr().err.count("is simulated again") == 1


def test_the_second_study_simulates_only_what_is_its_own(tmp_path, monkeypatch):
    compare(*SMALL, "instruments=[cqo]", keep=tmp_path)
    before = files(tmp_path)
    ran: list[int] = []
    whole = StrongchainModel.run
    monkeypatch.setattr(StrongchainModel, "run", lambda self, months: ran.append(months) or whole(self, months))
    compare(*SMALL, "instruments=[cqo]", "instruments.cqo.reach=0.9", keep=tmp_path)
    assert ran.count(2) == 2, "the other reach in two replicates, and not nothing once more"
    assert files(tmp_path).items() > before.items() and len(files(tmp_path)) == 6


def test_a_run_that_fails_leaves_its_replicate_out_and_is_reported(tmp_path, monkeypatch):
    config, poisoned = settings("replicates=3"), replicate_keys(1, 3)[1]
    whole = WorldSettings.build

    def build(self, key, *others):
        if key == poisoned:
            raise ZeroDivisionError("a poisoned point")
        return whole(self, key, *others)

    monkeypatch.setattr(WorldSettings, "build", build)
    with pytest.warns(UserWarning, match="2 runs failed") as warned:
        comparison = compare(*THREE, "instruments=[cqo]", keep=tmp_path)
    assert "arm 'nothing', replicate 2: ZeroDivisionError: a poisoned point" in str(warned[0].message)
    assert comparison.effect("cqo")["replicates"] == 2 and len(comparison.manifest["failed"]) == 2
    assert len(files(tmp_path)) == 4
    with pytest.raises(ZeroDivisionError):
        run_arms([Arm("nothing", config.world, ())], replicate_keys(1, 3), Task(2, 1), SERIAL)
    monkeypatch.setattr(WorldSettings, "build", whole)
    again = compare(*THREE, "instruments=[cqo]", keep=tmp_path)
    assert again.manifest["failed"] == [] and again.effect("cqo")["replicates"] == 3 and len(files(tmp_path)) == 6


def test_if_all_runs_fail_the_first_mistake_is_raised(monkeypatch):
    def build(*_: object) -> None:
        raise ZeroDivisionError("all poisoned")

    monkeypatch.setattr(WorldSettings, "build", build)
    failed: list[Failure] = []
    assert run_arms([Arm("nothing", settings().world, ())], replicate_keys(1, 2), Task(2, 1), SERIAL, failed=failed) == []
    assert len(failed) == 2
    with pytest.raises(ZeroDivisionError, match="all poisoned") as raised:
        compare(*SMALL)
    assert "in build" in "".join(raised.value.__notes__)


# -- the application -----------------------------------------------------------------------------------


def typed(folder: Path, *overrides: str, poison: str = "") -> subprocess.CompletedProcess[str]:
    """Type a command in a folder, after some lines of Python that make trouble."""
    code = f"import sys\n{poison}\nsys.argv = ['strongchain', *sys.argv[1:]]\nfrom experiments.run import main\nmain()"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}
    command = [
        sys.executable,
        "-c",
        code,
        *overrides,
        *(default for default in SMALL if default.split("=")[0] not in {override.split("=")[0] for override in overrides}),
        "policy=none",
        TABLES_ALONE,
    ]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, encoding="utf-8", timeout=120)


def test_studies_and_sweeps_of_the_application_share_their_runs(tmp_path):
    for overrides in (("name=one",), ("name=two",), ("-m", "name=swept", "months=4,5")):
        done = typed(tmp_path, *overrides)
        assert done.returncode == 0, done.stderr
        assert ("; 2 of them are stored already" in done.stdout) == (overrides != ("name=one",))
    assert len(files(tmp_path / "results" / "runs")) == 4
    assert sorted(files(tmp_path / "results")) == ["one", "runs", "swept", "two"]
    one, two = ((tmp_path / "results" / name / "effects.csv").read_bytes() for name in ("one", "two"))
    assert one == two
    refused = typed(tmp_path, "name=runs")
    assert refused.returncode == 1 and "choose another name" in refused.stderr


@pytest.mark.full
def test_a_sweep_that_was_stopped_goes_on_and_one_that_is_whole_does_not(tmp_path):
    command = ("-m", "name=swept", "months=4,5", "replicates=2")
    stop = """
from experiments import job
whole, tell = job.SHOWN["compare"]
def present(found, folder, **more):
    if folder.name == "1":
        raise KeyboardInterrupt
    whole(found, folder, **more)
job.SHOWN["compare"] = present, tell
"""
    stopped = typed(tmp_path, *command, poison=stop)
    assert stopped.returncode == 130 and "the same command goes on" in stopped.stderr and "Traceback" not in stopped.stderr
    sweep = tmp_path / "results" / "swept"
    first = (sweep / "0" / "manifest.json").stat().st_mtime_ns
    other = typed(tmp_path, "-m", "name=swept", "months=4,6", "replicates=2")
    assert other.returncode == 1 and "already holds another sweep" in other.stderr
    again = typed(tmp_path, *command)
    assert again.returncode == 0, again.stderr
    assert (sweep / "0" / "manifest.json").stat().st_mtime_ns == first, "a point that is there is not written again"
    assert (sweep / "sweep.csv").is_file() and pd.read_parquet(sweep / "sweep.parquet")["point"].nunique() == 2
    repeated = typed(tmp_path, *command)
    assert repeated.returncode == 1 and "already holds this sweep" in repeated.stderr


def test_a_folder_of_somebody_else_is_refused_and_stays_as_it_is(tmp_path):
    folder = tmp_path / "results" / "left"
    folder.mkdir(parents=True)
    (folder / "quality_map_gone.csv").write_text("x", encoding="utf-8")
    done = typed(tmp_path, "name=left")
    assert done.returncode == 1 and "is not empty, and no claim in it says whose it is" in done.stderr
    assert [path.name for path in folder.iterdir()] == ["quality_map_gone.csv"]


def test_another_study_of_the_same_name_meanwhile_is_not_overwritten(tmp_path):
    meanwhile = """
from experiments import job
whole = job.STUDIES["compare"]
def study(settings, *rest, **more):
    result = whole(settings, *rest, **more)
    path = job.Path("results/mix/claim.json")
    path.write_text(path.read_text().replace('"process": ', '"process": 1'))
    return result
job.STUDIES["compare"] = study
"""
    done = typed(tmp_path, "name=mix", poison=meanwhile)
    assert done.returncode == 1 and "was released and claimed by another process" in done.stderr
    assert not (tmp_path / "results" / "mix" / "effects.csv").exists()


def test_a_batch_system_that_ends_a_study_is_answered_like_ctrl_c(tmp_path):
    ended = """
from experiments import job
def study(*_, **__):
    import os, signal
    os.kill(os.getpid(), signal.SIGTERM)
job.STUDIES["compare"] = study
"""
    done = typed(tmp_path, "name=ended", poison=ended)
    assert done.returncode == 130 and done.stderr.strip().splitlines()[-1].startswith("strongchain: interrupted;")


def test_a_reader_that_closes_the_pipe_stops_nothing(tmp_path):
    closed = """
class Closed:
    encoding = "utf-8"
    def write(self, text): raise BrokenPipeError
    def flush(self): raise BrokenPipeError
sys.stdout = Closed()
"""
    done = typed(tmp_path, "name=headed", poison=closed)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "results" / "headed" / "manifest.json").is_file()


FULL = "import os, errno\ndef full(*_): raise OSError(errno.ENOSPC, 'No space left on device')\nos.fsync = full"
POISON = """
from experiments.configuration.settings import WorldSettings
whole, seen = WorldSettings.build, []
def build(self, *rest):
    seen.append(rest)
    if len(seen) == 2:
        raise ZeroDivisionError("a poisoned point")
    return whole(self, *rest)
WorldSettings.build = build
"""


def test_a_full_disk_is_reported_in_one_line(tmp_path):
    done = typed(tmp_path, "name=full", poison=FULL)
    printed = [line for line in done.stderr.splitlines() if line.strip()]
    assert done.returncode == 1 and len(printed) == 1, done.stderr
    assert printed[0].startswith("strongchain: results cannot be written into ") and "No space left on device" in printed[0]
    assert not (tmp_path / "results").exists(), "what was made for it is gone"


def test_a_failed_run_sets_the_exit_status_and_the_study_is_whole_without_it(tmp_path):
    done = typed(tmp_path, "name=poisoned", "replicates=3", poison=POISON)
    assert done.returncode == 1
    assert (
        "1 run failed, and its replicate is left out" in done.stderr
        and "arm 'nothing', replicate 2: ZeroDivisionError: a poisoned point" in done.stderr
    )
    assert "Traceback" not in done.stderr
    effects = pd.read_parquet(tmp_path / "results" / "poisoned" / "effects.parquet").query("by == 'total'")
    assert (effects.query("outcome == 'field_dpu'")["replicates"] == 2).all()


def workers(leader: int) -> list[int]:
    """Worker processes of a study."""
    return [pid for pid in in_session(leader) if b"popen_loky" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def test_a_worker_with_other_code_keeps_nothing(tmp_path):
    """A file that is edited while a study starts must not leave its figures under the keys of what it was."""
    config, store = settings("replicates=2"), Store(tmp_path)
    with pytest.raises(StoreError, match="the code of the world was changed"):
        _replicate([Arm("nothing", config.world, ())], ["k"], 0, KEY, config.task, store, "other")
    assert not files(tmp_path)


@pytest.mark.full
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for the workers in /proc")
def test_a_dead_worker_stops_the_study_cleanly_and_it_goes_on_from_there(tmp_path):
    overrides = ("name=dead", "region=sample", "policy=none", "replicates=8", "months=12", "window=6", "burn_in=6", "parallel.workers=2")
    command = [sys.executable, "-m", "experiments.run", *overrides]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}

    def start() -> subprocess.Popen[str]:
        return subprocess.Popen(command, cwd=tmp_path, env=environment, start_new_session=True, stderr=subprocess.PIPE, encoding="utf-8")

    def whole() -> dict[str, int]:
        return {name: at for name, at in files(runs).items() if not name.startswith(".")}  # what the killed one was writing lies there

    study, runs, limit = start(), tmp_path / "results" / "runs", time.monotonic() + 60
    while not list(runs.glob("*.npz")) and time.monotonic() < limit:
        time.sleep(0.01)
    os.kill(workers(study.pid)[0], signal.SIGKILL)
    message = study.communicate(timeout=60)[1]
    assert study.returncode == 1 and "Traceback" not in message
    assert "strongchain: a worker was killed, perhaps because memory ran out; the same command goes on" in message
    kept = whole()
    assert 0 < len(kept) < 8 and not (tmp_path / "results" / "dead").exists()
    again = start()
    assert again.wait(120) == 0
    assert whole().items() >= kept.items() and len(whole()) == 8
    assert (tmp_path / "results" / "dead" / "manifest.json").is_file()


# -- killed --------------------------------------------------------------------------------------------

STUDY = ("region=sample", "replicates=6", "months=12", "window=6", "burn_in=6", EXCHANGED, "parallel=loky", "parallel.workers=2")
SCRIPT = """
import sys
from pathlib import Path
from experiments import compare
here, *words = sys.argv[1:]
compare(*words, keep=Path(here, "runs")).save(Path(here, "study"))
"""


def started(folder: Path) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen([sys.executable, "-c", SCRIPT, str(folder), *STUDY], env=environment, start_new_session=True)


@pytest.mark.full
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for the workers in /proc")
def test_a_study_that_is_killed_again_and_again_ends_like_one_that_is_not(tmp_path):
    undisturbed = compare(*STUDY[:-2], "parallel=serial", keep=tmp_path / "undisturbed")
    undisturbed.save(tmp_path / "study of one go")
    runs, draw, before = tmp_path / "runs", random.Random(2), {}
    for _ in range(4):
        study = started(tmp_path)
        enough = len(before) + draw.randrange(1, 4)
        limit = time.monotonic() + 60
        while study.poll() is None and time.monotonic() < limit and len([*runs.glob("*.npz")] if runs.is_dir() else []) < enough:
            time.sleep(0.01)
        time.sleep(0.1 * draw.random())
        kill(study)
        after = {name: at for name, at in files(runs).items() if name.endswith(".npz")}
        assert after.items() >= before.items(), "a run was lost, or simulated twice"
        before = after
    assert before
    last = started(tmp_path)
    assert last.wait(120) == 0
    after = {name: at for name, at in files(runs).items() if name.endswith(".npz")}
    assert after.items() >= before.items()
    assert after.keys() == files(tmp_path / "undisturbed").keys()
    for name in after:
        assert (runs / name).read_bytes() == (tmp_path / "undisturbed" / name).read_bytes()
    for name in (f"{table}.csv" for table in TABLES):
        assert (tmp_path / "study" / name).read_bytes() == (tmp_path / "study of one go" / name).read_bytes()
