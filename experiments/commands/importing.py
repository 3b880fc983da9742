"""``strongchain import``: a list of suppliers in a workbook becomes files that a study reads, and a page on its data."""

from __future__ import annotations

import csv
import io
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from experiments.commands.chain_data import Facts, facts_of
from experiments.languages.wording import ENGLISH, lines, say, spoken
from experiments.runs.files import digest, read_regular, write_whole
from experiments.shells import command
from experiments.terminal import COLUMNS as WIDTH
from experiments.terminal import table as aligned
from experiments.terminal import wrap
from experiments.waiting import slow
from sim import FromFile
from sim.build.from_file import from_file
from sim.build.reading.content import DEFAULTS, Reading
from sim.build.reading.listing import LINK_COLUMNS, NODE_COLUMNS
from sim.build.reading.mapping import Choices
from sim.build.reading.table import Table
from sim.build.reading.workbook import read_workbook
from sim.network.fixed_points import NetworkError

__all__ = ["import_chain"]

#: How large a file may be: whole numbers.
BOUNDS = ("most_rows", "most_megabytes")
#: What stands before a word where it is typed for a study; messages about a file name it so.
PREFIX = re.compile(r"network\.(?:columns\.|node_columns\.)?")
#: What can be typed besides files: the columns, and these.
KEYS = ("sheet", "nodes_sheet", "unit", "leaders", "encoding", *BOUNDS, "to")
COLUMNS = tuple(dict.fromkeys((*LINK_COLUMNS, *NODE_COLUMNS, "employees", "revenue", "product", "tier")))
#: Most bytes of the file that says how a list was read.
MOST_BYTES = 1_000_000


@dataclass(frozen=True)
class _Asked:
    """What was typed, or stands in a file that an earlier reading wrote."""

    files: tuple[str, ...]
    given: dict[str, str] = field(default_factory=dict)

    def choices(self) -> Choices:
        columns = {key: text for key, text in self.given.items() if key in COLUMNS}
        return Choices(columns, self.given.get("sheet", ""), self.given.get("nodes_sheet", ""), self.given.get("unit", ""))

    def leaders(self) -> list[str]:
        return [self.given["leaders"]] if self.given.get("leaders") else []

    def reading(self) -> Reading:
        rows, megabytes = (self._number(key, getattr(DEFAULTS, key)) for key in BOUNDS)
        return Reading(encoding=self.given.get("encoding") or DEFAULTS.encoding, most_rows=rows, most_megabytes=megabytes)

    def _number(self, key: str, otherwise: int) -> int:
        text = self.given.get(key, str(otherwise))
        if not re.fullmatch("[1-9][0-9]{0,8}", text):
            raise ValueError(say("workbook.no_number", key=key, text=text))
        return int(text)


def import_chain(arguments: Sequence[str], usage: str) -> list[str]:
    """Read a list of suppliers, write the files of its network and a page on its data, and say what to type next.

    Raises
    ------
    ValueError
        One line: what is wrong, where, and what to type.
    """
    asked = _asked(arguments, usage)
    first = Path(asked.files[0])
    folder = Path(asked.given["to"]) if asked.given.get("to") else first.parent
    reading = asked.reading()
    with slow("workbook.waiting", file=first.name):
        imported = read_workbook(asked.files, asked.choices(), reading, asked.leaders())
        names = {key: f"{first.stem}{end}" for key, end in (("links", "_links.csv"), ("firms", "_firms.csv"), ("data", "_data.md"))}
        written = {names["links"]: _csv(imported.links), names["firms"]: _csv(imported.firms)}
        settings, network = _network(written, names)
        facts = facts_of(
            ", ".join(Path(file).name for file in asked.files), imported, network, settings.material_share, settings.median_revenue
        )
    page = f"{lines('workbook.page', facts)}\n"
    written[names["data"]] = page.encode("utf-8")
    note = f"{first.stem}.yaml"
    _write(folder, written, note, asked)
    run = ["strongchain", "network=file", f"network.path={folder / names['links']}", f"network.nodes={folder / names['firms']}"]
    if spoken().code != ENGLISH:
        run.append(f"language={spoken().code}")
    about = [*_mapping(facts), "", *_wrapped(lines("workbook.summary", facts)), ""]
    files = [str(folder / name) for name in (names["links"], names["firms"], note)]
    return about + lines("workbook.next", files, str(folder / names["data"]), command(run)).splitlines()


def _asked(arguments: Sequence[str], usage: str) -> _Asked:
    """Read what was typed: one file or two, then KEY=VALUE; or the file of an earlier reading, which what is typed stands above."""
    files = [word for word in arguments if "=" not in word or Path(word).is_file()]
    pairs = [word.partition("=") for word in arguments if word not in files]
    if not files:
        raise ValueError(say("workbook.which_file", usage=usage))
    if len(files) > 2:
        raise ValueError(say("verbs.too_many", word=files[-1], usage=usage))
    given: dict[str, str] = {}
    for typed, _, text in pairs:
        key = PREFIX.sub("", typed)
        if key not in (*KEYS, *COLUMNS):
            from agents.spelling import nearest

            raise ValueError(say("workbook.no_key", key=typed, near=nearest(key, (*KEYS, *COLUMNS)), keys=", ".join((*KEYS, *COLUMNS))))
        given[key] = text.strip().strip("\"'")
    if Path(files[0]).suffix.lower() in (".yaml", ".yml"):
        note = _note(Path(files[0]))
        if note is None or len(files) > 1:
            raise ValueError(say("workbook.no_note", file=Path(files[0])))
        home = Path(files[0]).parent
        return _Asked(tuple(str(home / name) for name in note["files"]), note["typed"] | given)
    return _Asked(tuple(files), given)


def _note(path: Path) -> dict[str, Any] | None:
    """Return what an earlier reading wrote of itself; None if a file is no such thing."""
    try:
        note = yaml.safe_load(read_regular(path, MOST_BYTES).decode("utf-8"))
    except (OSError, ValueError, RecursionError, yaml.YAMLError):
        return None
    if not isinstance(note, dict) or not isinstance(note.get("files"), list) or not 1 <= len(note["files"]) <= 2:
        return None
    parts = {key: note.get(key) or {} for key in ("typed", "written")}
    if not all(isinstance(part, dict) and all(isinstance(text, str) for pair in part.items() for text in pair) for part in parts.values()):
        return None
    known = set(parts["typed"]) <= {*KEYS, *COLUMNS} and all(isinstance(name, str) for name in note["files"])
    return {"files": note["files"], **parts} if known else None


def _csv(of: Table) -> bytes:
    """Return a table as CSV in UTF-8 with the mark by which Excel knows it."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(of.columns)
    writer.writerows(of.cells)
    return text.getvalue().encode("utf-8-sig")


def _network(written: dict[str, bytes], names: dict[str, str]) -> tuple[FromFile, Any]:
    """Return the network of the files that are to be written, before they are written: a list that no study can read writes nothing."""
    with tempfile.TemporaryDirectory() as place:
        for name, data in written.items():
            (Path(place) / name).write_bytes(data)
        settings = FromFile(path=str(Path(place) / names["links"]), nodes=str(Path(place) / names["firms"]))
        try:
            return settings, from_file(settings)
        except NetworkError as wrong:
            problem = str(wrong).replace("network.leaders", "leaders=NAME").replace("network.node_columns.leader", "leader=COLUMN")
            raise NetworkError(problem) from None


def _write(folder: Path, written: dict[str, bytes], note: str, asked: _Asked) -> None:
    """Write files, but none over what somebody else wrote or changed."""
    before = _note(folder / note) if (folder / note).is_file() else None
    if before is None and (folder / note).exists():
        raise ValueError(say("workbook.there_already", file=folder / note))
    own = before["written"] if before else {}
    try:
        for name, data in written.items():
            if (folder / name).exists() and digest((folder / name).read_bytes()) not in (digest(data), own.get(name)):
                raise ValueError(say("workbook.there_already", file=folder / name))
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in written.items():
            write_whole(folder / name, data)
        write_whole(folder / note, _noted(folder, written, asked))
    except OSError as error:
        raise ValueError(say("workbook.not_written", file=folder, why=error.strerror or str(error))) from None


def _noted(folder: Path, written: dict[str, bytes], asked: _Asked) -> bytes:
    """Say how a list was read, so that it can be read again in the same way."""
    here = folder.resolve()
    files = []
    for file in asked.files:
        path = Path(file).expanduser().resolve()
        files.append(str(path.relative_to(here)) if path.is_relative_to(here) else str(path))
    content = {"files": files, "typed": asked.given, "written": {name: digest(data) for name, data in written.items()}}
    head = "".join(f"# {line}\n" for line in lines("workbook.note_head", Path(asked.files[0]).stem + ".yaml").splitlines())
    return (head + yaml.safe_dump(content, allow_unicode=True, sort_keys=False)).encode("utf-8")


def _mapping(facts: Facts) -> list[str]:
    """Show how each sheet was read."""
    shown: list[str] = []
    for sheet in facts.sheets:
        shown += ([""] if shown else []) + _wrapped(lines("workbook.sheet_head", sheet))
        head = [say(f"workbook.heads.{name}") for name in ("heading", "meaning", "unit")]
        shown += aligned(head, sheet.columns)
        shown += _wrapped(lines("workbook.sheet_rest", sheet))
    return shown


def _wrapped(text: str) -> list[str]:
    return [part for line in text.splitlines() for part in wrap(line, WIDTH)]
