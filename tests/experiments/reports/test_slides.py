"""Slides of a finished study: one figure each, its finding above it, of a fixed size, drawn from the tables alone."""

from __future__ import annotations

import re

import pytest
from PIL import Image

from experiments import Comparison, compare
from experiments.analysis.results import load, write_maps
from experiments.commands import verbs
from experiments.figures import SLIDE
from experiments.figures.slides import LEAST, TIMES
from experiments.languages.wording import use_language
from experiments.reports import slides
from experiments.runs.files import damages, sums_of

pytestmark = pytest.mark.study


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    arms = "study.arms={nothing: ['instruments=[]'], cqo: ['instruments=[cqo]'], all: []}"
    return compare("region=sample", "scale=0.3", "replicates=3", "months=6", "window=3", "burn_in=6", "parallel=serial", arms)


@pytest.fixture
def folder(comparison, tmp_path):
    write_maps(comparison, tmp_path)
    comparison.save(tmp_path)
    return tmp_path


def test_the_verb_draws_every_slide_from_the_tables_and_lists_their_checksums(folder, capsys):
    assert verbs.main(["slides", str(folder)]) == 0
    made = sorted(path.name for path in (folder / "slides").iterdir())
    assert [name[3:-4] for name in made[:-1]] == [
        "verdict", "effects", "time_paths", "gains", "origins", "quality_map", "firms", "queues", "costs", "pairs", "enough",
    ]  # fmt: skip
    assert f"{len(made) - 1} slides" in capsys.readouterr().out and made[-1] == "slides.pdf"
    for name in made[:-1]:
        with Image.open(folder / "slides" / name) as picture:
            assert picture.size == SLIDE == (2667, 1500) and round(picture.info["dpi"][0] / TIMES) == 200
    assert {f"slides/{name}" for name in made} <= sums_of(folder).keys() and not damages(folder)
    pdf = (folder / "slides" / "slides.pdf").read_bytes()
    assert len(re.findall(rb"/Type /Page\b", pdf)) == len(made) - 1


@pytest.mark.full
def test_slides_that_are_drawn_again_have_the_same_bytes(folder):
    drawn = []
    for _ in range(2):
        verbs.main(["slides", str(folder)])
        drawn.append({path.name: path.read_bytes() for path in (folder / "slides").iterdir()})
    assert drawn[0] == drawn[1]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_no_letter_of_a_slide_is_small_and_its_parts_do_not_overlap(folder, language):
    with use_language(language):
        for one in slides._slides(load(folder)):
            figure = one.figure()
            figure.draw_without_rendering()
            sizes = [
                text.get_fontsize() * TIMES for text in figure.findobj(lambda artist: hasattr(artist, "get_fontsize")) if text.get_text()
            ]
            assert min(sizes) >= LEAST - 1e-9
            title, source = figure.texts[-1].get_window_extent(), figure._supxlabel.get_window_extent()
            assert title.x1 <= figure.bbox.x1 and source.x1 <= figure.bbox.x1
            boxes = [ax.get_tightbbox() for ax in figure.axes] + [legend.get_window_extent() for legend in figure.legends]
            assert all(box.y1 <= title.y0 + 2 and box.y0 >= source.y1 - 2 for box in boxes), one.name
            for legend in figure.legends:
                assert all(ax.get_tightbbox().y1 <= legend.get_window_extent().y0 + 2 for ax in figure.axes), one.name


def test_titles_say_the_finding_in_the_chosen_language(comparison):
    english = {one.name: one.title for one in slides._slides(comparison)}
    with use_language("zh"):
        chinese = {one.name: one.title for one in slides._slides(comparison)}
    assert english.keys() == chinese.keys() and re.search(r"defects reaching users|defects reach users", english["effects"])
    assert all(re.search(r"[\u4e00-\u9fff]", title) for title in chinese.values())
    share = comparison.origins.query("arm == 'nothing' and tier != '0'")["share"].sum()
    assert english["origins"].startswith(f"{100 * share:.0f} % of the loss to users begins at suppliers")


def test_a_folder_without_a_study_has_no_slides(tmp_path, capsys):
    assert verbs.main(["slides", str(tmp_path)]) == 1 == verbs.main(["slides"])
    error = capsys.readouterr().err
    assert "holds no finished study" in error and "strongchain slides results/NAME" in error and error.count("\n") == 2
