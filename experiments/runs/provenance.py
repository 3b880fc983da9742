"""Where results come from: the manifest of a study, and what has changed since one was written."""

from __future__ import annotations

import datetime
import hashlib
import importlib.metadata
import json
import platform
import subprocess
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from experiments.configuration.settings import Arm
from experiments.languages.wording import say
from experiments.runs.manifests import FORMAT
from experiments.runs.store import CODE, fingerprint

__all__ = ["changes_since", "is_older", "made_by", "manifest", "now", "replicates_and_keys", "study_id", "version"]

ROOT = Path(__file__).resolve().parents[2]
#: Packages whose versions may move figures.
PACKAGES = ("strongchain", "mesa", "numpy", "scipy", "pandas", "pyarrow", "hydra-core", "omegaconf", "matplotlib", "joblib")
#: Settings that change no figure.
IDLE = ("name", "parallel", "quiet", "language", "start", "table_heads", "figures", "policy_files")


def _git(*arguments: str) -> str:
    try:
        finished = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return finished.stdout.strip() if finished.returncode == 0 else ""


def version(package: str) -> str:
    """Return the version of a package; of Strongchain in a clone that was not installed, that of the clone."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        if package != "strongchain":
            raise
        return str(tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"])


def _lock() -> str | None:
    """Hash of the lock file of a clone; none where Strongchain was installed without one."""
    path = ROOT / "requirements.lock"
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None


def _code_from() -> tuple[str | None, bool | None]:
    """The commit of the code, and whether it has changed or uncommitted files; empty if the code is not in a clone of the repository."""
    if Path(_git("rev-parse", "--show-toplevel") or "/").resolve() != ROOT:
        return None, None
    return _git("rev-parse", "HEAD") or None, bool(_git("status", "--porcelain", "--", "agents", "sim", "experiments", "configs"))


def _world_files(arms: Sequence[Arm]) -> dict[str, str]:
    return dict(sorted({file for arm in arms for file in arm.world.files}))


def _policy_files(configurations: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """SHA-256 of the files of policies, by their names as typed; their values are in the configurations."""
    return {str(path): str(sha256) for one in configurations for path, sha256 in (one.get("policy_files") or {}).items()}


def study_id(resolved: Mapping[str, Any], keys: Sequence[tuple[int, int]], arms: Sequence[Arm] = ()) -> str:
    """Hash all that the figures of a study depend on: two studies with one id are one study.

    That is the resolved configuration (but for what changes no figure, `IDLE`), the configurations of its arms, the replicate
    keys, the bytes of the input files and the code of the world.
    """
    settings = {key: value for key, value in resolved.items() if key not in IDLE}
    composed = {arm.name: {key: value for key, value in arm.configuration.items() if key != "policy_files"} for arm in arms}
    files = sorted(_world_files(arms).values())
    core = json.dumps([settings, composed, [list(key) for key in keys], files, CODE], sort_keys=True, default=str)
    return hashlib.blake2b(core.encode(), digest_size=6).hexdigest()


def manifest(
    resolved: Mapping[str, Any],
    overrides: Sequence[str],
    keys: Sequence[tuple[int, int]],
    arms: Sequence[Arm] = (),
    network_notes: Sequence[str] = (),
    notes: Sequence[str] = (),
) -> dict[str, Any]:
    """Say what was run, with which code, files and random numbers.

    To be called before anything is simulated, since the code may be edited while it runs.

    Parameters
    ----------
    resolved : dict
        The configuration.
    overrides : sequence of str
        The overrides that it was composed from.
    keys : sequence of (int, int)
        Keys of all replicates.
    arms : sequence of Arm
    network_notes : sequence of str
        What was noted when a network was read.
    notes : sequence of str
        What is done in another way than was asked for.
    """
    commit, changed = _code_from()
    return {
        "format": FORMAT,
        "id": study_id(resolved, keys, arms),
        "overrides": list(overrides),
        "configuration": dict(resolved),
        "arms": {arm.name: arm.configuration for arm in arms},
        **replicates_and_keys(keys),
        "notes": list(notes),
        "network_notes": list(network_notes),
        "input_files": _world_files(arms) | _policy_files([resolved, *(arm.configuration for arm in arms)]),
        "code": {"world": CODE, "study": fingerprint([ROOT / "experiments"])},
        "commit": commit,
        "uncommitted_changes": changed,
        "lock": _lock(),
        "versions": {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}},
        "platform": platform.platform(),
        "finished": now(),
    }


def is_older(about: Mapping[str, Any]) -> bool:
    """Whether a manifest is of version 0.2.0 or an older one, which did not note its version."""
    return "strongchain" not in about.get("versions", {})


def made_by(about: Mapping[str, Any]) -> str:
    """Say which version made a study, and which commit, as its manifest has it."""
    version = "0.2.0 or older" if is_older(about) else about["versions"]["strongchain"]
    commit = about.get("commit")
    return f"Strongchain {version} ({f'git checkout {commit[:10]}' if commit else 'its commit is not known'})"


def replicates_and_keys(keys: Sequence[tuple[int, int]]) -> dict[str, Any]:
    """Say how many replicates there are, and their keys."""
    return {"replicates": len(keys), "replicate_keys": [[f"{half:016x}" for half in key] for key in keys]}


def now() -> str:
    """Return the time of day, with its zone."""
    return datetime.datetime.now().astimezone().isoformat(timespec="seconds")


def changes_since(about: Mapping[str, Any]) -> list[str]:
    """Say what differs now from when a manifest was written: code, input files, lock, versions; empty if nothing does."""
    present = manifest({}, [], [])
    changes = []
    if about["code"] != present["code"]:
        parts = [name for name in ("world", "study") if about["code"][name] != present["code"][name]]
        commits = [(str(one["commit"] or "")[:10], bool(one["uncommitted_changes"])) for one in (about, present)]
        changes.append(say("provenance.code", parts, commits))
    for path, content in about["input_files"].items():
        file = Path(path)
        if not file.is_file():
            changes.append(say("provenance.no_input", path=path))
        elif hashlib.sha256(file.read_bytes()).hexdigest() != content:
            changes.append(say("provenance.other_input", path=path))
    if about["lock"] != present["lock"]:
        changes.append(say("provenance.other_lock"))
    for name, version in present["versions"].items():
        if (then := about["versions"].get(name)) != version:
            changes.append(say("provenance.other_version", what=name, then=then, now=version))
    if about["platform"] != present["platform"]:
        changes.append(say("provenance.other_platform", then=about["platform"], now=present["platform"]))
    return changes
