"""Where the configuration files are, and which options they give to a group."""

from __future__ import annotations

from pathlib import Path

__all__ = ["CONFIGS", "options_in_files"]

#: Where the configuration files lie.
CONFIGS = Path(__file__).resolve().parents[2] / "configs"


def options_in_files(configs: Path) -> dict[str, tuple[str, ...]]:
    """Return groups and their options as far as files under a folder of configurations give them."""
    folders = (folder for folder in configs.iterdir() if folder.is_dir() and not folder.name.startswith("_"))
    return {"experiment": (), **{folder.name: tuple(path.stem for path in folder.glob("*.yaml")) for folder in folders}}
