"""The file in which a study says what it is: written last, and read as data from anybody.

`SCHEMA` (``manifest.schema.json``) says what a manifest may hold. It has a version, `FORMAT`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from experiments.runs.files import read_regular, write_sums

__all__ = ["FORMAT", "MANIFEST", "MOST_BYTES", "POINT", "SCHEMA", "ManifestError", "read_manifest", "write_manifest"]

#: Name of the file.
MANIFEST = "manifest.json"
#: Name of the note of a point of a sweep that failed, where others have a manifest: what was typed, and the error.
POINT = "point.json"
#: Version of the schema.
FORMAT = 1
#: File of the schema, in this package.
SCHEMA = "manifest.schema.json"
#: Bytes of a manifest at most: some thousand arms.
MOST_BYTES = 67_108_864


class ManifestError(ValueError):
    """A manifest that is none of ours, or was changed: where, and what is wrong with it."""


def write_manifest(about: Mapping[str, Any], folder: Path) -> None:
    """Write the manifest of a study of any kind, last of all, and before it the checksums of all files of its folder.

    The manifest says that the study is whole.
    """
    write_sums(folder, {MANIFEST: json.dumps(about, indent=2, ensure_ascii=False).encode()})


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read the manifest of a study.

    That of a version which did not note its format is held against no schema: it has no key ``format``.

    Raises
    ------
    OSError
        If there is none, or it cannot be read.
    ManifestError
        If it is no manifest: one line.
    """
    path = folder / MANIFEST
    try:
        about = json.loads(read_regular(path, MOST_BYTES).decode("utf-8"))
        json.dumps(about, ensure_ascii=False).encode()  # halves of characters, written out, are read and cannot be written
    except (ValueError, RecursionError) as strange:
        raise ManifestError(f"{path} is no manifest: {str(strange).splitlines()[0]}") from None
    if not isinstance(about, dict):
        raise ManifestError(f"{path} is no manifest: it holds no dictionary")
    if "format" in about and (wrong := _wrong(about)):
        raise ManifestError(f"{path} is no manifest of format {FORMAT}: {wrong}")
    return about


def _wrong(about: dict[str, Any]) -> str:
    """Say where a manifest is not as the schema has it; empty if it is."""
    if about["format"] != FORMAT:
        return f"its format is {str(about['format'])[:20]!r}; it was written by another version of Strongchain"
    from jsonschema.exceptions import best_match  # takes a tenth of a second, and few commands read a manifest

    try:
        mistake = best_match(_validator().iter_errors(about))
    except RecursionError:
        return "it is nested too deeply"
    if mistake is None:
        return "" if type(about["replicates"]) is int else "replicates: it must be a whole number"
    where = ".".join(str(part)[:60] for part in mistake.absolute_path)
    return f"{where + ': ' if where else ''}{mistake.message[:200]}"


@lru_cache(maxsize=1)
def _validator() -> Any:
    from jsonschema import Draft202012Validator

    return Draft202012Validator(json.loads(files(__package__).joinpath(SCHEMA).read_text(encoding="utf-8")))
