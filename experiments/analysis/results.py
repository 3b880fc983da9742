"""Results: the tables of a study, how they are stored and loaded."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

import experiments.renamed as renamed
from experiments.analysis.effects import tables_of
from experiments.analysis.flows import links_table, picture_of_tables
from experiments.analysis.heads import heads_of
from experiments.analysis.programmes import programme_tables
from experiments.analysis.spreadsheets import MARK, csv
from experiments.analysis.tables import EffectsTable, Table
from experiments.analysis.workbooks import SHEET
from experiments.configuration.settings import CompareStudy
from experiments.formatting import in_calendar
from experiments.languages.wording import say
from experiments.runs.files import damages, write_whole, written_whole
from experiments.runs.manifests import MANIFEST, read_manifest, write_manifest
from experiments.runs.measure import MapPicture, Run
from experiments.runs.provenance import is_older, made_by

__all__ = [
    "TABLES",
    "Comparison",
    "collect",
    "kind_of",
    "labels_wanted",
    "load",
    "stored",
    "table_hash",
    "write_in_parts",
    "write_maps",
    "write_parts",
    "write_table",
]

#: Tables of a study, in the order in which they are written.
TABLES = ("runs", "effects", "pairs", "series", "origins", "books", "costs", "counts", "enough", "luck")
#: Tables that only some studies have: what a budget bought, what lasts after the end.
OF_PROGRAMMES = ("spending", "per_yuan", "aftermath")


@dataclass(frozen=True)
class Comparison:
    """Arms compared with the same random numbers.

    Attributes
    ----------
    runs : DataFrame
        A row per arm and replicate: outcomes over the last months, flows also over the whole run.
    effects : EffectsTable
        A row per arm, outcome and group: level, paired effect against the reference over the
        last months with its 95 % interval, the same relative to the reference; of flows level and effect summed over all months.
    pairs : DataFrame
        A row per pair of arms and outcome: the paired effect of the one against the other, in total.
    series : DataFrame
        A row per arm, outcome and month: mean and 95 % interval of the level and of the effect.
    origins : DataFrame
        A row per arm, tier and cause: field loss that begins there, with its 95 % interval.
    books : DataFrame
        A row per arm and payment between sectors, over the last months.
    costs : DataFrame
        A row per arm and payer: what was paid and avoided, and cost per avoided defect with its Fieller interval.
    counts : DataFrame
        A row per arm, instrument and count: what was delivered over the whole run, mean with its 95 % interval.
    enough : DataFrame
        A row per arm and headline outcome: how narrow intervals are, and how many replicates are enough.
    luck : DataFrame
        A row per arm and headline outcome: by what factor common random numbers reduce the variance of the effect.
    manifest : dict
        Where the figures came from.
    maps : dict of str to MapPicture
        Quality map of each arm, first replicate. One that was loaded has the firms in the order of their table.
    run_tables : dict of str to list of (arm, replicate, Path)
        Tables of single runs that were asked for (`save`), by kind, and where each lies.
    programme_tables : dict of str to DataFrame
        Tables that only some studies have, by name (`experiments.analysis.programmes`).
    """

    runs: pd.DataFrame
    effects: EffectsTable
    pairs: pd.DataFrame
    series: pd.DataFrame
    origins: pd.DataFrame
    books: pd.DataFrame
    costs: pd.DataFrame
    counts: pd.DataFrame
    enough: pd.DataFrame
    luck: pd.DataFrame
    manifest: dict[str, Any]
    maps: dict[str, MapPicture] = field(default_factory=dict)
    run_tables: dict[str, list[tuple[str, int, Path]]] = field(default_factory=dict)
    programme_tables: dict[str, pd.DataFrame] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Let the tables name the new names of old columns."""
        for name in TABLES:
            object.__setattr__(self, name, Table(getattr(self, name)))
        object.__setattr__(self, "effects", EffectsTable.against(str(self.manifest.get("reference", "")), self.effects))

    @property
    def reference(self) -> str:
        """The arm that the others are compared with."""
        return str(self.manifest["reference"])

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """All tables by name, in the order in which they are written."""
        return {**{name: getattr(self, name) for name in TABLES}, **self.programme_tables}

    @property
    def failures(self) -> str:
        """One line on the runs that failed; empty where none did."""
        return say("report.failures", self.manifest.get("failed", []))

    def __getattr__(self, name: str) -> Any:
        """Give the new name of a renamed attribute; Python asks only for attributes that do not exist."""
        raise AttributeError(renamed.attribute(type(self).__name__, name))

    def effect(self, arm: str, outcome: str = "field_dpu") -> pd.Series:
        """Return the row of one arm and outcome, in total."""
        rows = self.effects.query("arm == @arm and outcome == @outcome and by == 'total'")
        if rows.empty:
            raise KeyError(f"no arm {arm!r} or no outcome {outcome!r}; arms: {', '.join(self.effects['arm'].unique())}")
        return rows.iloc[0]

    def save(self, folder: Path) -> None:
        """Write tables and, last, the manifest into a folder."""
        self.save_tables(folder)
        self.save_manifest(folder)

    def save_tables(self, folder: Path) -> None:
        """Write the tables (CSV and Parquet) into a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        labels = labels_wanted(self.manifest)
        for name, table in self.tables.items():
            write_table(table, folder / name, labels)
        for kind, parts in self.run_tables.items():
            write_parts(parts, folder / f"{kind}_of_runs", labels)

    def save_manifest(self, folder: Path) -> None:
        """Write the manifest into a folder: it says that the study is whole."""
        write_manifest(self.manifest, folder)


def _named(stem: Path, kind: str) -> Path:
    """Return the name of a table's file: a dot inside the stem (from the name of an arm, for example) does not begin a suffix."""
    return stem.with_name(f"{stem.name}.{kind}")


def table_hash(runs: pd.DataFrame) -> str:
    """Return the SHA-256 of the table of runs as plain CSV: the hash of the result, since every other table is made of this one's runs.

    Rows are sorted by arm, replicate and group, and columns by name: the order in which arms were typed changes no hash.
    """
    rows = runs[sorted(runs.columns)].sort_values(["arm", "replicate", "by", "group"], kind="stable")
    return hashlib.sha256(rows.to_csv(index=False, lineterminator="\n").encode()).hexdigest()


def labels_wanted(about: Mapping[str, Any]) -> bool:
    """Whether the CSV files of a study have heads in words (``table_heads=labels``), by its manifest."""
    return bool(about.get("configuration", {}).get("table_heads") == "labels")


def _headed(table: pd.DataFrame, labels: bool) -> pd.DataFrame:
    """Return a table with the heads that its CSV file has."""
    return table.set_axis(heads_of(table.columns), axis=1) if labels else table


def write_table(table: pd.DataFrame, stem: Path, labels: bool = False) -> None:
    """Write a table as Parquet and, if a sheet holds it, as CSV; each is there whole or not at all.

    With `labels` the CSV file has heads in the language that is spoken; Parquet always has keys.
    """
    parquet = io.BytesIO()
    table.to_parquet(parquet, index=False)
    write_whole(_named(stem, "parquet"), parquet.getvalue())
    if len(table) <= SHEET:
        write_whole(_named(stem, "csv"), MARK + csv(_headed(table, labels)))


def write_parts(parts: Sequence[tuple[str, int, Path]], stem: Path, labels: bool = False) -> None:
    """Write the tables of single runs as one, part after part, so that memory holds one of them: see `write_in_parts`.

    Parameters
    ----------
    parts : sequence of (arm, replicate, Path)
        Where each table lies as Parquet.
    stem : Path
        Where the whole goes, without its suffix.
    labels : bool
        Whether the CSV file has heads in words.
    """

    def tables() -> Iterator[pd.DataFrame]:
        for arm, replicate, path in parts:
            table = pd.read_parquet(path)
            table.insert(0, "arm", arm)
            table.insert(1, "replicate", replicate)
            yield table

    write_in_parts(tables(), sum(pq.read_metadata(path).num_rows for *_, path in parts), stem, labels)


def write_in_parts(tables: Iterable[pd.DataFrame], rows: int, stem: Path, labels: bool = False) -> None:
    """Write tables of the same columns as one, so that memory holds one of them: Parquet, and CSV if a sheet holds it.

    Parameters
    ----------
    tables : iterable of DataFrame
        The first says what kind of values each column holds.
    rows : int
        Rows of all of them.
    stem : Path
        Where the whole goes, without its suffix.
    labels : bool
        Whether the CSV file has heads in words.
    """
    writer: pq.ParquetWriter | None = None
    with written_whole(_named(stem, "csv")) as sheet, written_whole(_named(stem, "parquet")) as whole:
        for table in tables:
            if writer and set(table.columns) != set(writer.schema.names):
                raise ValueError(f"{stem.name}: the schema of a part, {', '.join(table.columns)}, is not that of the first")
            part = pa.Table.from_pandas(table, schema=writer.schema if writer else None, preserve_index=False)
            if rows <= SHEET:
                first = writer is None
                with sheet.open("wb" if first else "ab") as file:
                    file.write((MARK if first else b"") + csv(_headed(table, labels), head=first))
            writer = writer or pq.ParquetWriter(whole, _with_text(part.schema), compression="zstd")
            writer.write_table(part.cast(writer.schema))
        if writer:
            writer.close()


def _with_text(schema: pa.Schema) -> pa.Schema:
    """Return a schema in which columns of which nothing is known yet hold text."""
    return pa.schema([pa.field(f.name, pa.string()) if pa.types.is_null(f.type) else f for f in schema], metadata=schema.metadata)


def load(folder: str | Path) -> Comparison:
    """Load a stored comparison; its quality maps are made of their tables, if these are there.

    Raises
    ------
    FileNotFoundError, ValueError
        As `stored`.
    """
    about, tables = stored(folder, "compare", TABLES, OF_PROGRAMMES)
    return Comparison(
        **{name: tables[name] for name in TABLES},
        manifest=about,
        maps=_maps(Path(folder), about),
        programme_tables={name: tables[name] for name in OF_PROGRAMMES if name in tables},
    )


def kind_of(about: Mapping[str, Any]) -> str:
    """Return the kind of a study, by its manifest."""
    return str(about.get("configuration", {}).get("study", {}).get("kind", "compare"))


def stored(
    folder: str | Path, kind: str, names: Sequence[str], further: Sequence[str] = ()
) -> tuple[dict[str, Any], dict[str, pd.DataFrame]]:
    """Read the manifest and the tables of a stored study.

    Parameters
    ----------
    folder : str or Path
    kind : str
        Kind of the study.
    names, further : sequence of str
        Tables that it has, and tables that it may have.

    Raises
    ------
    FileNotFoundError
        If the folder holds no finished study of the kind.
    ValueError
        If its tables are those of an older version, or a file was changed since: one line.
    """
    here = Path(folder)
    if not (here / MANIFEST).is_file():
        raise FileNotFoundError(f"{here} holds no finished study (there is no {MANIFEST} in it)")
    about = read_manifest(here)
    if (found := kind_of(about)) != kind:
        raise FileNotFoundError(f"{here} holds a study of the kind {found}, not {kind}; from experiments import load reads every kind")
    if missing := [name for name in names if not (here / f"{name}.parquet").is_file()]:
        raise FileNotFoundError(f"{here} holds no whole study: {missing[0]}.parquet is not there")
    there = [*names, *(name for name in further if (here / f"{name}.parquet").is_file())]
    if "format" in about and (wrong := damages(here, (MANIFEST, *(f"{name}.parquet" for name in there)))):
        raise ValueError(f"{wrong[0]} since the study was written; strongchain verify {here} lists every such file")
    tables = {name: pd.read_parquet(here / f"{name}.parquet") for name in there}
    if is_older(about) and (old := [line for table in tables.values() for line in renamed.columns_in(list(table.columns))]):
        raise ValueError(f"{here} was made by {made_by(about)}: {old[0]}; open it with that version, or run the study again")
    return about, tables


def write_maps(comparison: Comparison, folder: Path) -> None:
    """Write the quality map of each arm as two tables: its firms, and the links between them."""
    for arm, picture in comparison.maps.items():
        for name, table in (("quality_map", picture.table), ("links", links_table(picture))):
            write_table(table, folder / f"{name}_{arm}", labels_wanted(comparison.manifest))


def _maps(folder: Path, about: Mapping[str, Any]) -> dict[str, MapPicture]:
    """Read the quality maps of a study; an arm without both tables has none."""
    maps = {}
    for arm in about.get("arms", {}):
        names = tuple(f"{kind}_{arm}.parquet" for kind in ("quality_map", "links"))
        if not all((folder / name).is_file() for name in names):
            continue
        if wrong := damages(folder, names):
            raise ValueError(f"{wrong[0]} since the study was written; strongchain verify {folder} lists every such file")
        maps[arm] = picture_of_tables(*(pd.read_parquet(folder / name) for name in names))
    return maps


def collect(runs: Sequence[Run], about: Mapping[str, Any], study: CompareStudy, groups: bool = False) -> Comparison:
    """Turn runs into the tables of a study; what `about` says of it is completed by the hash of the result."""
    tables = tables_of(runs, study.reference, study, groups)
    if start := about.get("configuration", {}).get("start"):  # month 1 has a place in the calendar
        of_the_run = tables["series"].columns.get_loc("month")
        tables["series"].insert(of_the_run + 1, "date", [in_calendar(month, start) for month in tables["series"]["month"]])
    manifest = {**about, "reference": study.reference, "result": table_hash(tables["runs"])}
    maps = {run.arm: run.picture for run in runs if run.picture is not None}
    return Comparison(**tables, manifest=manifest, maps=maps, programme_tables=programme_tables(runs, about, study.reference))
