"""Policies from files of a user's own, as the program keeps them once they are checked (`policy_file`).

Hydra never reads such a file. What was checked is registered with Hydra as plain values, under a name that nobody can type: the file is
chosen in the place of a portfolio of ``configs/policy``, so that typed settings and experiments come after it, as after any other.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from hydra.core.config_store import ConfigStore

from experiments.configuration.rules import SettingsError

__all__ = ["OwnPolicy", "as_typed", "in_hydras_words", "names_a_file", "own_policies", "remember"]

#: What names of policies from files begin with for Hydra.
PREFIX = "own_"


@dataclass(frozen=True)
class OwnPolicy:
    """One file of a user's own, checked.

    Attributes
    ----------
    path : str
        As typed.
    sha256 : str
        Of its bytes.
    key, label, label_zh, about : str
        The key is the name of the file.
    instruments : tuple of str
        Those that it switches on.
    levers : dict of str to Any
        The values that it sets, by path (``instruments.cqo.reach``).
    sources : dict of str to str
        By the path of an instrument or a lever, where the file gives one.
    """

    path: str
    sha256: str
    key: str
    label: str
    label_zh: str
    about: str
    instruments: tuple[str, ...]
    levers: Mapping[str, Any]
    sources: Mapping[str, str]

    @property
    def name(self) -> str:
        """What it is called for Hydra."""
        return PREFIX + hashlib.sha256(f"{self.sha256} {self.path}".encode("utf-8", "surrogateescape")).hexdigest()[:24]

    def node(self) -> dict[str, Any]:
        """What a file of ``configs/policy`` would say: names and values that were checked, and nothing else."""
        levers: dict[str, dict[str, Any]] = {}
        for path, value in self.levers.items():
            _, key, lever = path.split(".")
            levers.setdefault(key, {})[lever] = value
        portfolio = {"key": self.key, "label": self.label, "label_zh": self.label_zh, "sources": dict(self.sources) or None}
        return {"defaults": [{"override /instruments": list(self.instruments)}, "_self_"], "instruments": levers, "portfolio": portfolio}


#: The files that were checked, by what was typed and by what Hydra calls them.
_checked: dict[str, OwnPolicy] = {}


def names_a_file(option: object) -> bool:
    """Whether an option of the group ``policy`` is the path of a file, and not the name of a portfolio."""
    return isinstance(option, str) and (option.casefold().endswith((".yaml", ".yml")) or "/" in option or "\\" in option)


def remember(policy: OwnPolicy) -> None:
    """Keep a checked policy, and register it with Hydra."""
    _checked[policy.path] = _checked[policy.name] = policy
    ConfigStore.instance().store(group="policy", name=policy.name, node=policy.node(), package="_global_")


def in_hydras_words(override: str) -> str:
    """Return an override with the file of a policy replaced by the name under which Hydra knows what the file says.

    Raises
    ------
    SettingsError
        If the file was not checked: nothing unchecked is ever given to Hydra.
    """
    if (option := _option(override)) is None or option in _checked:
        return override if option is None else f"policy={_checked[option].name}"
    raise SettingsError(f"policy={option}: the file was not checked before it was used; check it with `strongchain policy check FILE.yaml`")


def as_typed(override: str) -> str:
    """Return an override with Hydra's name of a policy replaced by the file that was typed."""
    option = _option(override)
    if option is None or option not in _checked:
        return override
    path = _checked[option].path
    plain = re.fullmatch(r"[^,'\"\\\s](?:[^,'\"\\]*[^,'\"\\\s])?", path)
    return f"policy={path}" if plain else "policy='" + path.replace("\\", "\\\\").replace("'", "\\'") + "'"


def own_policies(overrides: Iterable[str]) -> dict[str, str]:
    """Return the SHA-256 of the files of policies that overrides name, by their paths as typed."""
    options = (_option(override) for override in overrides)
    policies = (_checked[option] for option in options if option in _checked)
    return {policy.path: policy.sha256 for policy in policies}


def _option(override: str) -> str | None:
    """Return the file, or Hydra's name of one, that an override chooses as its policy; None for every other override."""
    key, _, text = override.partition("=")
    text = text.strip()
    if key.lstrip("+") != "policy":
        return None
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        text = re.sub(rf"\\([\\{text[0]}])", r"\1", text[1:-1])
    return text if text in _checked or (names_a_file(text) and not text.startswith(("[", "{"))) else None
