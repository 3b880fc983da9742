"""The Chinese font that comes with the figures: it draws what the project writes, on a machine that has none."""

from __future__ import annotations

import warnings
from importlib import import_module

import matplotlib.pyplot as plt
import pytest
from matplotlib import font_manager

from experiments.figures import style
from experiments.figures.fonts import CHINESE, add_chinese
from experiments.languages.wording import HERE, use_language
from sim import INSTRUMENTS, OUTCOMES
from tests.experiments.figures.test_figures import every_figure


def test_every_chinese_label_can_be_drawn():
    labels = [*(cls.label_zh for cls in INSTRUMENTS.values()), *(outcome.label_zh for outcome in OUTCOMES.values())]
    add_chinese()
    font = font_manager.get_font(font_manager.findfont(CHINESE, fallback_to_default=False))
    missing = {c for c in "".join(labels) if c >= "\u2e80"} - {chr(code) for code in font.get_charmap()}
    assert len(labels) > 50 and not missing


def test_a_machine_without_chinese_fonts_draws_chinese(monkeypatch, tmp_path, caplog):
    known = [font for font in font_manager.fontManager.ttflist if font.name.startswith("DejaVu") or font.name == add_chinese()]
    monkeypatch.setattr(font_manager.fontManager, "ttflist", known)
    with warnings.catch_warnings(), plt.rc_context(style()):
        warnings.simplefilter("error")
        figure = plt.figure()
        figure.text(0.1, 0.5, "首席质量官、一站式服务站、强链贷：羊乳 −5.4 %")
        figure.text(0.1, 0.7, "谁受益", weight="bold")
        for kind in ("png", "svg", "pdf"):
            figure.savefig(tmp_path / f"figure.{kind}")
        plt.close(figure)
    assert (tmp_path / "figure.pdf").stat().st_size > 10_000
    assert not [record.message for record in caplog.records if CHINESE in record.message]


def test_every_chinese_text_can_be_drawn():
    """A text that uses a rarer character asks for a new subset (`experiments.figures.fonts.subset`)."""
    folder = HERE / "zh"
    texts = {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir() if path.is_file()}
    add_chinese()
    charmap = font_manager.get_font(font_manager.findfont(CHINESE, fallback_to_default=False)).get_charmap()
    missing = {name: sorted({c for c in text if c >= "\u2e80" and ord(c) not in charmap}) for name, text in texts.items()}
    assert "phrases.yaml" in texts and not any(missing.values()), missing


@pytest.mark.study
@pytest.mark.parametrize("language", [pytest.param("en", marks=pytest.mark.full), "zh"])
def test_no_figure_asks_for_a_font_of_the_machine(monkeypatch, language):
    known = [font for font in font_manager.fontManager.ttflist if font.name.startswith("DejaVu") or font.name == add_chinese()]
    monkeypatch.setattr(font_manager.fontManager, "ttflist", known)
    monkeypatch.setattr(import_module("experiments.figures.style"), "_chinese", lambda: (CHINESE,))
    with warnings.catch_warnings(), use_language(language):
        warnings.simplefilter("error")
        drawn = every_figure()
        with plt.rc_context(style()):
            for figure in drawn:
                figure.draw_without_rendering()
    assert len(drawn) > 20
