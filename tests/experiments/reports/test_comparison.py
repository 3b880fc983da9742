"""The folder of a comparison: what it and the report show alike is drawn once."""

from __future__ import annotations

import pytest

from experiments import compare, figures
from experiments.reports import comparison as folder_of
from experiments.reports.comparison import present

pytestmark = pytest.mark.study

SMALL = ("region=sample", "scale=0.2", "replicates=2", "months=6", "window=3", "burn_in=3", "parallel=serial")


@pytest.mark.parametrize(
    ("instruments", "drawn_for_the_report"), [("cqo", 0), pytest.param("cqo,one_stop_stations", 1, marks=pytest.mark.full)]
)
def test_a_report_takes_the_figures_of_its_folder(instruments, drawn_for_the_report, tmp_path, monkeypatch):
    """Of several arms only the books are another picture: the folder shows all arms, the report the main one."""
    comparison = compare(*SMALL, f"instruments=[{instruments}]")
    saved: dict[str, list[str]] = {"folder": [], "report": []}
    save = figures.save

    def note(of: str):
        def noted(figure, path, *rest):
            saved[of].append(path.name)
            save(figure, path, *rest)

        return noted

    save_all = folder_of.save_all

    def noted_all(figure, folder, name, about):
        saved["folder"].append(name)
        return save_all(figure, folder, name, about)

    monkeypatch.setattr(folder_of, "save_all", noted_all)
    monkeypatch.setattr(figures, "save", note("report"))
    present(comparison, tmp_path)
    assert len(saved["folder"]) == len(set(saved["folder"])) > 10
    assert len(saved["report"]) == drawn_for_the_report
    assert (tmp_path / "report.html").read_text(encoding="utf-8").count("<img ") == 9  # the network has two: flows and firms
