"""Make the subset of Noto Sans SC: ``python -m experiments.figures.fonts.subset NotoSansCJK-Regular.ttc``.

It holds the 3,755 characters of level 1 of GB2312, what else of Chinese stands in this project, and Chinese punctuation.
Latin letters are left to DejaVu Sans. Outlines become quadratic (TrueType), which PDF needs.
"""

from __future__ import annotations

import sys
from pathlib import Path

from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTCollection, TTFont, newTable

from experiments.figures.fonts import CHINESE

ROOT = Path(__file__).resolve().parents[3]
#: How far an outline may be from the original, in units of 1/1000 of the letter's height.
TOLERANCE = 1.0


def characters() -> set[int]:
    """Return the code points that the subset holds."""
    level_1 = {
        ord(bytes([high, low]).decode("gb2312")) for high in range(0xB0, 0xD8) for low in range(0xA1, 0xFF) if (high, low) < (0xD7, 0xFA)
    }
    texts = (
        path
        for kind in ("py", "md", "yaml", "csv", "html", "ipynb")
        for path in ROOT.rglob(f"*.{kind}")
        if not path.parts[len(ROOT.parts)].startswith(".")
    )
    ours = {ord(c) for path in texts for c in path.read_text(encoding="utf-8") if c >= "\u2e80"}
    marks = (
        {ord(c) for c in "，。、；：？！“”‘’（）《》〈〉【】—…·～％＋－×÷＝≤≥"} | set(range(0x3000, 0x3020)) | set(range(0xFF01, 0xFF5F))
    )
    return level_1 | ours | marks


def with_quadratic_outlines(font: TTFont) -> None:
    """Turn the cubic outlines of a font into quadratic ones, in place."""
    order, glyphs = font.getGlyphOrder(), font.getGlyphSet()
    outlines = {}
    for name in order:
        pen = TTGlyphPen(None)
        glyphs[name].draw(Cu2QuPen(pen, TOLERANCE, reverse_direction=True))
        outlines[name] = pen.glyph()
    font["loca"], font["glyf"] = newTable("loca"), newTable("glyf")
    font["glyf"].glyphOrder, font["glyf"].glyphs = order, outlines
    del font["CFF "]
    if "VORG" in font:
        del font["VORG"]
    for name in order:
        outlines[name].recalcBounds(font["glyf"])
    font["maxp"].tableVersion = 0x00010000
    for field in (
        "maxZones",
        "maxTwilightPoints",
        "maxStorage",
        "maxFunctionDefs",
        "maxInstructionDefs",
        "maxStackElements",
        "maxSizeOfInstructions",
        "maxComponentElements",
    ):
        setattr(font["maxp"], field, 1 if field == "maxZones" else 0)
    font["post"].formatType, font.sfntVersion = 3.0, "\x00\x01\x00\x00"
    font["head"].glyphDataFormat = 0


def main(source: Path) -> None:
    """Write the subset beside this file."""
    fonts = TTCollection(source).fonts if source.suffix == ".ttc" else [TTFont(source)]
    font = next(one for one in fonts if one["name"].getDebugName(1) in ("Noto Sans CJK SC", "Noto Sans SC"))
    options = Options(
        layout_features=[],
        hinting=False,
        notdef_outline=True,
        name_IDs=[0, 1, 2, 3, 4, 5, 6, 13, 14],
        drop_tables=["BASE", "GPOS", "GSUB", "vhea", "vmtx"],
    )
    cut = Subsetter(options)
    cut.populate(unicodes=characters() | {0x20})
    cut.subset(font)
    with_quadratic_outlines(font)
    for record in font["name"].names:
        if record.nameID in (1, 4):
            record.string = CHINESE
        elif record.nameID == 6:
            record.string = CHINESE.replace(" ", "-")
    font.save(Path(__file__).with_name("NotoSansSC-subset.ttf"))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
