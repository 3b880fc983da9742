"""What the headings of a list of suppliers mean, in Chinese and English, and what stands in its cells: amounts, sizes, yes and no.

The words are those of lists that firms and bureaus keep. A heading that is not known is not guessed at: its column is not read, and the
mapping says so.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from sim.build.reading.quality import QUALITY_COLUMNS, QUALITY_HEADINGS
from sim.build.reading.quoted import quoted
from sim.build.reading.table import NO, YES, read_number

__all__ = [
    "MISSING",
    "OF_A_FIRM",
    "UNITS",
    "Heading",
    "amount",
    "by_official_classes",
    "flag",
    "foreign_money",
    "holds_amounts",
    "is_remark",
    "is_total",
    "meanings",
    "plain",
    "size",
    "unit_above",
    "unit_in",
]

#: Units of money by what each is worth in CNY, as they are shown.
UNITS = {"元": 1.0, "千元": 1e3, "万元": 1e4, "百万元": 1e6, "亿元": 1e8, "十亿元": 1e9}
CNY = r"(?:cny|rmb|yuan|元|人民币元?)"
#: How each unit is written, after brackets, blanks and "a year" are taken off; the first that fits.
WRITTEN = {
    "十亿元": rf"十亿元?|billion ?{CNY}|{CNY} ?(?:billion|bn)|bn ?{CNY}",
    "亿元": rf"亿元?|亿元人民币|人民币亿元|(?:100 ?million|hundred million) ?{CNY}|{CNY} ?(?:100 ?million|hundred million)",
    "百万元": rf"百万元?|(?:million|mn|m|mio) ?{CNY}|{CNY} ?(?:million|mn|m)",
    "万元": rf"万元?|万元人民币|人民币万元|rmb ?万元?"
    rf"|(?:10,?000|10 ?k|ten thousand|wan) ?{CNY}|{CNY} ?(?:10,?000|10 ?k|ten thousand)|wan(?: yuan)?",
    "千元": rf"千元?|(?:1,?000|thousand|k|'000) ?{CNY}|{CNY} ?(?:1,?000|thousand|k|'000)",
    "元": rf"{CNY}|元人民币|¥",
}
#: Other money, which is not converted.
FOREIGN = re.compile(
    r"美元|美金|欧元|英镑|日元|日圆|港元|港币|台币|韩元|卢布|[$€£]|\b(?:USD|EUR|GBP|JPY|HKD|TWD|KRW|RUB|dollars?|euros?)\b", re.IGNORECASE
)
A_YEAR = re.compile(r"(?:[/每 ]*(?:年|year|yr|annum)|(?:a|per) (?:year|annum))$|^(?:单位|金额单位|unit|units|in)[: ]*")

SUPPLIER = (
    "供应商|供货商|供方|供应方|供货方|供应企业|供货企业|供应单位|供货单位|上游企业|上游供应商|上游|卖方|销售方|配套企业|配套商|配套供应商"
    "|supplier|vendor|seller|source|upstream firm|supplying firm"
)
CUSTOMER = (
    "采购商|采购方|采购企业|采购单位|客户|顾客|买方|购买方|需方|需求方|下游企业|下游客户|下游|购货单位|购货方|主机厂|整机企业"
    "|customer|buyer|client|purchaser|target|downstream firm|buying firm"
)
NAME = "(?:的)?(?:企业|公司|单位)?(?:名称|全称|名字)?|(?:企业|公司|单位)|(?: firm| company| enterprise)?(?:'s)?(?: name)?"
YEAR = r"(?:(?:19|20)\d\d年?度?|本年度?|上年度?|去年|全年|年度|年|近一年)?"
OF_WHOM = {"supplier": rf"(?:{SUPPLIER})", "customer": rf"(?:{CUSTOMER})"}

#: What each column is called. A key of the supplier and the customer themselves is in `OF_WHOM`.
COLUMNS = {
    "value": (
        rf"{YEAR}(?:总)?(?:采购|交易|供货|供应|配套|进货|购买|购货|合同|供销|往来)(?:总)?(?:金额|额|总额|货值|产值)|{YEAR}(?:总)?金额|{YEAR}交易规模"
        r"|(?:annual |yearly |total )*(?:purchases?|spend|spending|purchas(?:e|ing) (?:value|amount|volume)|procurement|amount|trade value"
        r"|transaction value|value of purchases|value)(?: (?:value|amount))?(?: (?:19|20)\d\d)?|(?:19|20)\d\d (?:purchases|spend|amount)"
    ),
    "units": "units|units per product|单位用量|单台用量|单耗",
    "value_share": "value[_ ]share|价值份额|直接消耗系数",
    "essential": "essential|critical|key input|是否关键|关键件|是否关键件|关键零部件|是否不可替代|不可替代",
    "size": "(?:企业)?规模(?:类型|类别|划分)?|企业类型|划型|企业划型|规模划型|(?:firm |enterprise |company )?size(?: class)?|scale",
    "employees": (
        "(?:从业人员|从业人数|职工人数|职工数|员工人数|员工数|员工|人数|用工人数|从业人员数)"
        "|employees|number of employees|headcount|staff|employment|workers"
    ),
    "revenue": (
        rf"{YEAR}(?:营业收入|营业总收入|营收|主营业务收入|业务收入|销售收入|销售额|产值|工业总产值|总产值)"
        "|(?:annual |yearly )?(?:revenue|revenues|sales|turnover|output value)(?: (?:19|20)\\d\\d)?"
    ),
    "county": "(?:所在|所属|注册|企业所在)?(?:县区|县市区|区县|县|区|县级市|所在地|地区|辖区|属地)"
    "|county|district|county or district|location",
    "leader": "(?:是否)?(?:为)?链主(?:企业)?|链主企业名称|是否龙头|龙头企业|链主标识"
    "|(?:is )?(?:a )?(?:chain )?leader|lead firm|leading firm",
    "chain": "(?:所属|所在)?(?:重点)?产业链(?:条|名称)?|链条(?:名称)?|chain(?: name)?|industrial chain|supply chain|value chain",
    "sector": "(?:所属|所在)?(?:国民经济)?行业(?:类别|分类|名称|大类)?|sector|industry",
    "product": "(?:主要|主营|供应|供货|采购|配套)?(?:产品|物料|零部件|部件|货物|商品|材料)(?:名称|类别|种类|品类)?|品名|品类"
    "|(?:main )?(?:product|products|item|items|goods|material|materials|part|parts|component|commodity)(?: name)?",
    "tier": "(?:供应|供应商|配套)?(?:层级|层次|级次|级别)|几级供应商|tier|tier level|level",
    **QUALITY_HEADINGS,
    "kind": "kind|环节类型",
    "cost": "cost",
    "price": "price",
    "demand": "demand",
    "firm": "(?:企业|公司|单位|厂商)(?:名称|全称)?|名称|(?:firm|company|enterprise|organisation|organization)(?:'s)?(?: name)?|name",
}
#: Keys that say something of a firm, so that a list of links may say it of the supplier or of the customer.
OF_A_FIRM = ("size", "employees", "revenue", "county", "leader", "chain", "sector", "product", "tier", *QUALITY_COLUMNS)
ANY_COUNTY = re.compile(r"县\((?:市[、,]?)?区\)|县\(市\)|区\(县\)|县、?\(?市\)?、?区|县/区|区/县|县 ?区")
BRACKETS = re.compile(r"[(\[{【〔〈<]([^)\]}】〕〉>]*)[)\]}】〕〉>]")
PLAIN_NUMBER = re.compile(r"\d{1,15}(\.\d{1,20})?", re.ASCII)
CHINESE = re.compile("[\u4e00-\u9fff]")

TOTAL = re.compile(
    r"(?:本页|本表|全部|年度)?(?:合 *计|总 *计|小 *计|共 *计|累 *计|汇 *总)(?:数|额|金额)?|(?:grand |sub-?)?total(?:s)?|sum", re.IGNORECASE
)
REMARK = re.compile(
    r"(?:注|备注|说明|附注|填表人?|填报人?|填报单位|制表人?|审核人?|负责人|联系人|联系电话|数据来源|来源"
    r"|notes?|sources?|prepared by) *\d*:",
    re.IGNORECASE,
)
MISSING = {
    "-",
    "--",
    "---",
    "—",
    "——",
    "/",
    "\\",
    "无",
    "保密",
    "未知",
    "不详",
    "暂无",
    "n/a",
    "na",
    "n.a.",
    "none",
    "unknown",
    "?",
    "待定",
}
MARKED, UNMARKED = YES | {"√", "✓", "✔", "☑", "有", "链主"}, NO | MISSING | {"×", "x", "✗", "✘", "☐", "非", "不是"}
SIZES = {
    "large": "特大|大|large|l|big",
    "medium": "中|medium|m|mid|medium-sized",
    "small": "小|微|小微|small|s|micro|xs|small and micro",
}
#: The official classes of industry (Measures for the classification of large, medium, small and micro firms, 2017): a firm is in a class
#: if it reaches both lower limits. Employees, and CNY a year.
EMPLOYEES, REVENUE = (300.0, 1_000.0), (20e6, 400e6)
NAMES = ("small", "medium", "large")


@dataclass(frozen=True)
class Heading:
    """What a heading may mean.

    Attributes
    ----------
    key : str
        "supplier", "customer", "firm", or what it says of them.
    side : str
        Of whom it says so: "supplier", "customer", or '' where it does not say.
    unit : str
        The unit that stands in it; '' if none.
    certain : bool
        Whether it is the name itself, and not a code or a short name of it.
    """

    key: str
    side: str = ""
    unit: str = ""
    certain: bool = True


@lru_cache(maxsize=50_000)  # names and marks stand in many rows
def plain(text: str) -> str:
    """Return a text with the usual forms of its signs, in small letters, and without blanks in Chinese."""
    text = unicodedata.normalize("NFKC", text).lower().replace("_", " ").replace("　", " ")
    text = re.sub(r"\s+", " ", text).strip(" *★#:;.")
    return re.sub("(?<=[\u4e00-\u9fff]) (?=[\u4e00-\u9fff])", "", text)


def unit_in(text: str) -> str:
    """Return the unit of money that a text is; '' if it is none."""
    text = plain(text).strip(" ,，/")
    for _ in range(2):
        text = A_YEAR.sub("", text).strip(" ,，/")
    return next((unit for unit, written in WRITTEN.items() if re.fullmatch(written, text)), "")


def unit_above(cells: list[str]) -> str:
    """Return the unit that a row above the header states, such as 单位：万元; '' if none."""
    for cell in cells:
        for found in re.finditer(r"(?:单位|unit|units|amounts? in|in)[: ]+([^;；。)(]+)", plain(cell)):
            words = [found[1], *re.split("[,，、:]", found[1]), *re.split("[,，、: ]", found[1])]
            if unit := next((unit for word in words if (unit := unit_in(word))), ""):
                return unit
    return ""


def foreign_money(text: str) -> str:
    """Return the other money than CNY that a heading names; '' if none."""
    found = FOREIGN.search(unicodedata.normalize("NFKC", text))
    return found[0] if found else ""


def holds_amounts(text: str) -> bool:
    """Whether a heading that is not known looks like one of amounts that are bought: 月采购额（万元）."""
    whole = plain(text)
    inside = [unit_in(part) for part in BRACKETS.findall(whole)]
    return any(inside) and re.search("采购|供货|供应|交易|配套|货款|金额|purchas|spend|amount|procure", whole) is not None


def meanings(text: str) -> list[Heading]:
    """Return what a heading may mean, the likeliest first; nothing if it is not known."""
    whole = ANY_COUNTY.sub("县区", plain(text))
    inside = BRACKETS.findall(whole)
    unit = next((unit for part in inside if (unit := unit_in(part))), "")
    base = BRACKETS.sub("", whole).strip(" *:,")
    if not unit:  # 采购额万元, amount in CNY
        for found in re.finditer(r"(?=[ ,:/]|in |万|亿|千|百万|元)", base):
            head, tail = base[: found.start()].rstrip(" ,:/"), base[found.start() :].lstrip(" ,:/")
            if head and (unit := unit_in(tail)):
                base = re.sub(r"(?: in|,)$", "", head).strip()
                break
    forms = [base, *(part.strip() for part in re.split(r"[/|]", base))]
    if CHINESE.search(base) and re.search("[a-z]{2}", base):  # in both languages
        forms += [re.sub("[^\u4e00-\u9fff]+", "", base), re.sub("[\u4e00-\u9fff]+", " ", base).strip()]
    for form in dict.fromkeys(forms):
        if form and (known := _known(form, unit)):
            return known
    return []


def _known(form: str, unit: str) -> list[Heading]:
    for side, whom in OF_WHOM.items():
        if re.fullmatch(rf"(?:{whom})(?:{NAME})", form):
            return [Heading(side)]
        if re.fullmatch(rf"(?:{whom})(?:{NAME}) ?(?:简称|代码|编号|编码|代号|统一社会信用代码|id|code|no|number)", form):
            return [Heading(side, certain=False)]
    if re.fullmatch("(?:to)", form):
        return [Heading("customer")]
    if re.fullmatch("(?:from)", form):
        return [Heading("supplier")]
    found = [Heading(key, "", unit) for key, written in COLUMNS.items() if re.fullmatch(written, form)]
    if found:
        return found
    for side, whom in OF_WHOM.items():
        for pattern in (rf"(?:{whom})(?:企业|公司)?(?:的|'s| |:|-)?(?P<rest>.+)", rf"(?P<rest>.+) (?:of|of the) (?:{whom})"):
            if (split := re.fullmatch(pattern, form)) is not None:
                rest = re.sub("^(?:是否|是否为)(?=链主)", "", split["rest"].strip(" -:/"))
                found = [Heading(key, side, unit) for key in OF_A_FIRM if re.fullmatch(COLUMNS[key], rest)]
                if found:
                    return found
    return []


@lru_cache(maxsize=50_000)
def is_total(cell: str) -> bool:
    """Whether a cell says that its row adds up others: 合计, 总计（万元）, Total (CNY)."""
    return TOTAL.fullmatch(BRACKETS.sub("", plain(cell)).strip(" :")) is not None


@lru_cache(maxsize=50_000)
def is_remark(cell: str) -> bool:
    """Whether a cell begins a remark on the table."""
    return REMARK.match(unicodedata.normalize("NFKC", cell).strip()) is not None


def amount(cell: str, unit: str) -> float | str | None:
    """Return an amount in CNY, None where the cell says that there is none, or what is wrong with it as text.

    A unit in the cell (1,200.5万元) stands above that of the column.
    """
    if PLAIN_NUMBER.fullmatch(cell):  # most cells
        return float(cell) * UNITS.get(unit, 1.0)
    text = plain(cell).replace("，", ",")
    if not text or text in MISSING:
        return None
    text = re.sub(r"^(?:¥|cny|rmb|人民币) ?", "", text)
    found = re.fullmatch(r"([+-]?[\d,.]+(?:e[+-]?\d+)?) ?(.*)", text)
    if found is None:
        return f"{quoted(cell)} is not an amount; write a number, such as 1200.5, or leave the cell blank if the amount is not known"
    own = unit_in(found[2]) if found[2] else unit
    if found[2] and not own:
        return f"{quoted(cell)} has a unit that is not known; use one of {', '.join(UNITS)}"
    number = read_number(found[1])
    if isinstance(number, str):
        return number if found[1].startswith("-") else f"{quoted(cell)} is not an amount; write a number, such as 1200.5"
    return number * UNITS[own] if own else number


def flag(cell: str) -> bool | None:
    """Return what a cell says: yes, no, or None if neither."""
    text = plain(cell)
    return True if text in MARKED else False if text in UNMARKED else None


def size(cell: str) -> str | None:
    """Return small, medium or large; '' where the cell says that it is not known, or None if it says something else."""
    text = re.sub(r"(?:型)?(?:企业|firm|enterprise|company)?$|型", "", plain(cell)).strip()
    if plain(cell) in MISSING or not plain(cell):
        return ""
    return next((name for name, written in SIZES.items() if re.fullmatch(written, text)), None)


def by_official_classes(employees: float | None, revenue: float | None) -> str:
    """Return the class of size of a firm of industry from what is known of it; '' if nothing is."""
    known = [(value, limits) for value, limits in ((employees, EMPLOYEES), (revenue, REVENUE)) if value is not None]
    return NAMES[min(sum(value >= limit for limit in limits) for value, limits in known)] if known else ""
