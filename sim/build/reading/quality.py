"""What a list says of the quality of firms: how its columns are called, what stands in their cells, and what cannot be true together."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping

import numpy as np

from agents.columns import Floats
from agents.firm import KINDS
from sim.build.reading.quoted import quoted
from sim.network.starting_quality import StartingQuality

__all__ = [
    "CALLED_QUALITY",
    "GROUPS",
    "QUALITY_COLUMNS",
    "QUALITY_HEADINGS",
    "contradiction",
    "figure",
    "starting_quality",
    "unit_of_shares",
]

OPEN = tuple(f"open_{kind}" for kind in KINDS)
CAPABILITIES = tuple(f"capability_{kind}" for kind in KINDS)
#: Columns of firms that say something of their quality.
QUALITY_COLUMNS = ("first_pass_yield", "returns", "open_problems", *OPEN, "certificate", "officer", "capability", *CAPABILITIES)
#: Figures that a page tells one by one, each by its main column.
GROUPS = ("first_pass_yield", "returns", "open_problems", "certificate", "officer", "capability")

#: Signs of parts, and what each is worth: a plain number is a share.
PARTS = {"%": 1e-2, "‰": 1e-3, "ppm": 1e-6, "dppm": 1e-6}
PART = "%|‰|d?ppm"
#: Lowest and largest value of each share, and what an error says of it.
SHARES = {
    "first_pass_yield": (0.01, 1.0, "is no first-pass yield; write a share from 0.01 to 1, such as 0.97, or 97 %"),
    "returns": (0.0, 0.99, "is no share of returned units; write a share from 0 to 0.99, such as 0.002, or 0.2 %, or 2000 ppm"),
    **dict.fromkeys(("capability", *CAPABILITIES), (0.0, 1.0, "is no capability; write a number from 0 to 1, such as 0.6, or 60 %")),
}
MOST_PROBLEMS = 1_000
FLAGS = ("certificate", "officer")
UNKNOWN = {"", "-", "--", "---", "—", "——", "/", "\\", "?", "保密", "未知", "不详", "暂无数据", "待定", "n/a", "na", "n.a.", "unknown"}
YES = {"yes", "y", "true", "t", "1", "是", "有", "√", "✓", "✔", "☑", "已取得", "已设"}
NO = {"no", "n", "false", "f", "0", "否", "无", "没有", "未", "×", "x", "✗", "✘", "☐", "none", "未取得", "未设"}

COUNT = "(?:数|数量|个数|项数)?"
NOT_SOLVED = "(?:(?:尚未|未)(?:解决|关闭|整改|办结|闭环)|待(?:解决|整改)|未结)(?:的)?"
IN_CHINESE = {"management": "管理", "metrology": "计量", "standards": "标准(?:化)?", "testing": "(?:检验)?检测"}
ENDING = rf" ?(?:{PART})?"
#: What each column is called in lists: patterns of whole headings without brackets, in small letters.
QUALITY_HEADINGS = {
    "first_pass_yield": rf"(?:产品)?(?:一次|首次)(?:交验|检验|送检|交检|报检)?(?:合格|通过|良品|良)率{ENDING}|直通率{ENDING}"
    rf"|(?:first[ -](?:pass|time)|throughput) yield{ENDING}|fpy{ENDING}",
    "returns": rf"(?:产品|客户|用户|年)?(?:退货|退换货|拒收|批退|退货拒收)(?:率|比例){ENDING}|(?:客户|交付|退货|质量)?ppm"
    rf"|(?:customer )?(?:returns?|rejections?|reject)(?: (?:rate|share))?{ENDING}|share (?:of units )?returned",
    "open_problems": rf"{NOT_SOLVED}(?:质量)?问题{COUNT}|(?:number of )?open (?:quality )?(?:problems|issues)",
    **{f"open_{kind}": rf"{NOT_SOLVED}{word}(?:类)?问题{COUNT}|open {kind}(?: problems)?" for kind, word in IN_CHINESE.items()},
    "certificate": r"(?:是否|有无)?(?:已)?(?:通过|取得|获得|持有|有)?(?:质量管理体系|质量体系|管理体系|体系|iso ?9001)"
    r"(?:认证)?(?:证书|情况)?"
    r"|(?:是否|有无)?(?:质量)?认证(?:证书)|(?:quality )?certificate|certified|iso ?9001(?: certificate| certified)?",
    "officer": r"(?:是否|有无)?(?:已)?(?:设立|设置|设有|设|配备|聘任|有)?(?:企业)?首席质量官(?:制度)?|(?:chief )?(?:quality )?officer|cqo",
    "capability": rf"(?:企业)?质量能力(?:评分|得分|水平)?{ENDING}|(?:quality )?capability{ENDING}",
    **{
        f"capability_{kind}": rf"(?:质量)?{word}能力(?:评分|得分|水平)?{ENDING}|capability {kind}{ENDING}|{kind} capability{ENDING}"
        for kind, word in IN_CHINESE.items()
    },
}
#: The usual heading of each column: one with a letter or a sign wrong is told, because without it the start would be another.
CALLED_QUALITY = {
    "first_pass_yield": ("first_pass_yield", "first pass yield", "一次合格率", "一次交验合格率"),
    "returns": ("returns", "return rate", "客户退货率"),
    "open_problems": ("open_problems", "未解决问题数", "未解决质量问题数"),
    **{f"open_{kind}": (f"open_{kind}", f"未解决{word}问题数") for kind, word in zip(KINDS, ("管理", "计量", "标准", "检测"), strict=True)},
    "certificate": ("certificate", "质量管理体系认证", "是否通过质量管理体系认证"),
    "officer": ("officer", "chief quality officer", "首席质量官", "是否设首席质量官"),
    "capability": ("capability", "质量能力评分"),
    **{f"capability_{kind}": (f"capability_{kind}",) for kind in KINDS},
}


def unit_of_shares(heading: str) -> str:
    """Return the sign of parts that a heading ends with, or that stands in its brackets: 退货率（ppm）; '' if none."""
    text = unicodedata.normalize("NFKC", heading).lower().strip()
    found = re.search(rf"[(\[【]\s*(?:单位:? ?)?({PART})\s*[)\]】]|({PART})$", text)
    return (found[1] or found[2]) if found else ""


def figure(key: str, cell: str, unit: str = "") -> float | str:
    """Return what a cell says, NaN if nothing, or an error message as text.

    Parameters
    ----------
    key : str
        One of `QUALITY_COLUMNS`.
    cell : str
    unit : str
        Sign of parts in the heading, which holds where none stands in the cell.

    Returns
    -------
    float or str
        A share or a capability as a share, a number of problems, or 1 and 0 for yes and no.
    """
    text = re.sub(r"\s+", " ", unicodedata.normalize("NFKC", cell)).strip().lower()
    if key in FLAGS:
        if text in YES or text in NO or text in UNKNOWN:
            return 1.0 if text in YES else 0.0 if text in NO else math.nan
        return f"{quoted(cell)} is neither yes nor no; write yes or no (是 or 否, 有 or 无), or leave it blank where it is not known"
    if text in UNKNOWN:
        return math.nan
    found = re.fullmatch(rf"(\d{{1,15}}|\d{{1,3}}(?:,\d{{3}}){{1,4}})?(\.\d{{0,20}})?(e-?\d{{1,2}})? ?({PART})?", text)
    number = math.nan
    if found is not None and (found[1] or (found[2] or ".") != "."):
        number = float(f"{(found[1] or '0').replace(',', '')}{found[2] or ''}{found[3] or ''}")
    if key in SHARES:
        low, high, wrong = SHARES[key]
        # 94.9924 % is 0.949924, not 0.9499240000000001, and 99 % does not miss a limit of 0.99 by a rounding.
        value = round(number * PARTS.get((found[4] if found else "") or unit, 1.0), 12)
        if low <= value <= high:
            return value
        above = f" in {unit}, the unit of the heading," if unit and not (found and found[4]) else ""
        return f"{quoted(cell)}{above} {wrong}"
    number = 0.0 if text in ("无", "没有", "none") else number
    if number == np.floor(number) and number <= MOST_PROBLEMS and not (found and found[4]):
        return number
    write = f"write a whole number from 0 to {MOST_PROBLEMS}, or leave it blank where it is not known"
    return f"{quoted(cell)} is no number of open problems; {write}"


def contradiction(firm: str, said: Mapping[str, float]) -> tuple[str, str] | None:
    """Return the column and the message for figures of a firm that cannot be true, or be met, together; None if there are none.

    Parameters
    ----------
    firm : str
    said : mapping of str to float
        Figures by column, NaN where there is none.
    """
    if not (math.isnan(said["first_pass_yield"]) or math.isnan(said["returns"])):
        return (
            "returns",
            f"first_pass_yield and returns are both given of {quoted(firm)}; the start is fitted to one of them: leave one blank",
        )
    kinds = [said[key] for key in OPEN]
    known = sum(kind for kind in kinds if not math.isnan(kind))
    if known > said["open_problems"] or (known < said["open_problems"] and not any(map(math.isnan, kinds))):
        total = f"{said['open_problems']:.0f}, but the kinds that are given add up to {known:.0f}"
        return "open_problems", f"open_problems of {quoted(firm)} is {total}; correct one of them, or leave open_problems blank"
    return None


def starting_quality(columns: Mapping[str, Floats]) -> StartingQuality | None:
    """Return the figures of firms from their columns, shape (n,) each, with NaN where a cell is blank; None if nothing is known.

    One figure of capability stands for each of the four kinds that has none of its own.
    """
    if all(np.isnan(columns[key]).all() for key in QUALITY_COLUMNS):
        return None
    kinds = np.stack([columns[key] for key in CAPABILITIES], axis=1)
    return StartingQuality(
        first_pass_yield=columns["first_pass_yield"],
        returns=columns["returns"],
        problems=columns["open_problems"],
        problems_by_kind=np.stack([columns[key] for key in OPEN], axis=1),
        certificate=columns["certificate"],
        officer=columns["officer"],
        capability=np.where(np.isnan(kinds), columns["capability"][:, None], kinds),
    )
