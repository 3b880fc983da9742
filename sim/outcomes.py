"""Every outcome, declared once: key, unit, formula, better direction, label.

An outcome of a group of firms is a sum, or a ratio of two sums, over the group's firms: what
is declared is the summand (and the divisor) per firm. Record, table, figure and report read it here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from agents.firm import KINDS
from sim.month.propagation import outgoing_dpu
from sim.month.quality_cost import borne
from sim.month.sampling import nonconformity
from sim.world import World

__all__ = ["HEADLINE", "OUTCOMES", "Outcome", "PerFirm"]

PerFirm = Callable[[World], NDArray[np.float64]]


@dataclass(frozen=True)
class Outcome:
    """One outcome.

    Attributes
    ----------
    key, unit, formula : str
    better : {"lower", "higher", ""}
        Direction in which it is better; "" where neither is.
    label, label_zh : str
        For figures and reports.
    top, bottom : callable
        Summand per firm, and divisor per firm (None for a plain sum).
    signed : bool
        Whether it may be below 0.
    """

    key: str
    unit: str
    formula: str
    better: str
    label: str
    label_zh: str
    top: PerFirm
    bottom: PerFirm | None = None
    signed: bool = False

    @property
    def bounds(self) -> tuple[float, float]:
        """Smallest and largest value that it can have: shares of firms, units or output are at most 1."""
        return (-np.inf if self.signed else 0.0), (1.0 if self.unit in ("share", "0-1") else np.inf)

    @property
    def is_flow(self) -> bool:
        """Whether it is a sum per month, so that its total over a run has a meaning."""
        return self.bottom is None and self.unit.endswith("/month")

    @property
    def direction(self) -> int:
        """+1 where more is better, -1 where less is, 0 where neither."""
        return {"higher": 1, "lower": -1, "": 0}[self.better]


def _delivered(world: World) -> NDArray[np.float64]:
    return world.by_supplier(world.links.delivered)


def _to_users(world: World) -> NDArray[np.float64]:
    return world.firms.to_users


def _ones(world: World) -> NDArray[np.float64]:
    return world.firms.alive.astype(np.float64)


def _output(world: World) -> NDArray[np.float64]:
    return world.firms.output


def _firms_quality_cost(world: World) -> NDArray[np.float64]:
    return world.firms.prevention + world.firms.appraisal + borne(world)


def _society_quality_cost(world: World) -> NDArray[np.float64]:
    return _firms_quality_cost(world) + world.firms.government_cost


@cache
def _column(name: str) -> PerFirm:
    return lambda world: np.asarray(getattr(world.firms, name), dtype=np.float64)


@cache
def _capability(kind: int) -> PerFirm:
    return lambda world: world.firms.capability[:, kind] * world.firms.alive


@cache
def _served(kind: int) -> PerFirm:
    return lambda world: np.asarray(world.firms.served_by_kind[:, kind], dtype=np.float64)


def _all(*outcomes: Outcome) -> dict[str, Outcome]:
    return {outcome.key: outcome for outcome in outcomes}


HEADLINE = "field_dpu"

OUTCOMES: dict[str, Outcome] = _all(
    Outcome(HEADLINE, "defects/unit", "Σ final sales · outgoing DPU / Σ final sales", "lower",
            "Defects reaching users", "到达用户的缺陷", lambda w: _to_users(w) * outgoing_dpu(w), _to_users),
    Outcome("field_dpu_latent", "defects/unit", "Σ final sales · outgoing latent DPU / Σ final sales", "lower",
            "Latent defects reaching users", "到达用户的潜在缺陷", lambda w: _to_users(w) * w.firms.out_latent, _to_users),
    Outcome("field_yield", "share", "Σ final sales · exp(-outgoing DPU) / Σ final sales", "higher",
            "Units without defect at users", "用户端无缺陷率", lambda w: _to_users(w) * np.exp(-outgoing_dpu(w)), _to_users),
    Outcome("nonconformity", "share", "mean over firms of 1 - exp(-outgoing DPU)", "lower",
            "True nonconformity (equal weights)", "真实不合格率（企业等权）", lambda w: nonconformity(w) * _ones(w), _ones),
    Outcome("nonconformity_by_output", "share", "Σ output · (1 - exp(-outgoing DPU)) / Σ output", "lower",
            "True nonconformity (by output)", "真实不合格率（产值加权）", lambda w: nonconformity(w) * _output(w), _output),
    Outcome("pass_rate", "share", "samples that conform / samples (random, the same chance for every firm, one unit each)", "higher",
            "Measured pass rate", "抽样合格率", lambda w: (w.firms.sampled & ~w.firms.failed).astype(float), _column("sampled")),
    Outcome("first_pass_yield", "share", "Σ output · exp(-own DPU) / Σ output", "higher",
            "First-pass yield of one process", "一次通过率", lambda w: _output(w) * np.exp(-w.firms.own_dpu), _output),
    Outcome("own_dpu", "defects/unit", "Σ output · own DPU / Σ output", "lower",
            "Own defects", "自身缺陷", lambda w: _output(w) * w.firms.own_dpu, _output),
    Outcome("outgoing_dpu", "defects/unit", "Σ output · outgoing DPU / Σ output", "lower",
            "Outgoing defects", "流出缺陷", lambda w: _output(w) * outgoing_dpu(w), _output),
    Outcome("final_inspection", "share", "Σ output · share inspected / Σ output", "",
            "Output under final inspection", "出厂检验比例", lambda w: _output(w) * w.firms.inspection, _output),
    Outcome("scrap", "share", "Σ output · scrap / Σ output", "lower",
            "Output scrapped", "报废率", lambda w: _output(w) * w.firms.scrap, _output),
    Outcome("prevention", "share of sales", "Σ prevention cost / Σ output", "",
            "Prevention cost", "预防成本", _column("prevention"), _output),
    Outcome("appraisal", "share of sales", "Σ appraisal cost / Σ output", "",
            "Appraisal cost", "鉴定成本", _column("appraisal"), _output),
    Outcome("internal_failure", "share of sales", "Σ internal failure cost / Σ output", "lower",
            "Internal failure cost", "内部损失成本", _column("internal_failure"), _output),
    Outcome("external_failure", "share of sales", "Σ external failure cost / Σ output", "lower",
            "External failure cost", "外部损失成本", _column("external_failure"), _output),
    Outcome("charged", "share of sales", "Σ charge-back borne / Σ output", "",
            "Charge-back borne", "承担的质量索赔", _column("charged"), _output),
    Outcome("copq", "share of sales", "Σ (internal + external failure + charge-back borne - recovered) / Σ output", "lower",
            "Cost of poor quality", "不良质量成本", borne, _output, signed=True),
    Outcome("quality_cost", "share of sales", "Σ (prevention + appraisal + cost of poor quality + programme money) / Σ output", "lower",
            "Total quality cost, programme included", "质量总成本（含财政支出）",
            _society_quality_cost, _output, signed=True),
    Outcome("open_problems", "problems/firm", "Σ open problems, own and common / firms", "lower",
            "Open quality problems", "未解决质量问题", lambda w: (w.firms.open_problems + w.firms.common_problems).sum(axis=1).astype(float), _ones),
    Outcome("common_problems", "problems/firm", "Σ open problems with a common cause / firms", "lower",
            "Problems with a common cause", "共性问题", lambda w: w.firms.common_problems.sum(axis=1).astype(float), _ones),
    Outcome("cases_filed", "cases/month", "Σ cases filed", "", "Cases filed at stations", "新受理服务", _column("cases_filed")),
    Outcome("cases_served", "cases/month", "Σ cases served", "", "Cases served by stations", "完成服务", _column("cases_served")),
    Outcome("cases_solved", "cases/month", "Σ cases whose problem was solved", "higher",
            "Problems solved by stations", "解决质量难题", _column("cases_solved")),
    *(Outcome(f"cases_served_{kind}", "cases/month", f"Σ cases of {kind} served", "", f"Cases of {kind} served", f"完成服务（{zh}）",
              _served(k))
      for k, (kind, zh) in enumerate(zip(KINDS, ("管理", "计量", "标准", "检测"), strict=True))),
    Outcome("waiting_time", "months", "Σ months that the cases served had waited / Σ cases served", "lower",
            "Waiting time of cases served", "服务等待时间", _column("months_waited"), _column("cases_served")),
    Outcome("cases_withdrawn", "cases/month", "Σ cases withdrawn (firms may file again)", "", "Cases withdrawn", "撤回服务", _column("cases_withdrawn")),
    Outcome("cases_waiting", "cases", "Σ cases waiting at the end of the month", "lower", "Backlog of stations", "等待服务",
            lambda w: (w.firms.case_station >= 0).sum(axis=1).astype(float)),
    Outcome("management", "0-1", "mean over firms", "higher", "Management capability", "管理能力", _capability(0), _ones),
    Outcome("metrology", "0-1", "mean over firms", "higher", "Metrology capability", "计量能力", _capability(1), _ones),
    Outcome("standards", "0-1", "mean over firms", "higher", "Standards capability", "标准能力", _capability(2), _ones),
    Outcome("testing", "0-1", "mean over firms", "higher", "Testing capability", "检测能力", _capability(3), _ones),
    Outcome("cqo_share", "share", "firms with a chief quality officer / firms", "", "Firms with a chief quality officer", "首席质量官覆盖率",
            lambda w: (w.firms.cqo & w.firms.alive).astype(float), _ones),
    Outcome("certified_share", "share", "certified firms / firms", "", "Certified firms", "获证企业比例",
            lambda w: (w.firms.certified & w.firms.alive).astype(float), _ones),
    Outcome("targeted_fail_rate", "share", "risk-targeted samples that fail / risk-targeted samples", "lower",
            "Fail rate of risk-targeted samples", "风险抽查不合格率", _column("targeted_failed"), _column("targeted")),
    Outcome("recalls", "recalls/month", "Σ recalls", "lower", "Recalls", "召回次数", _column("recalls")),
    Outcome("recalled", "share of sales to users", "Σ recalled / Σ final sales", "lower",
            "Products recalled", "召回产品占比", _column("recalled"), _to_users),
    Outcome("recalls_traced", "recalls/month", "Σ recalls traced to a firm where the defects began", "", "Recalls traced", "召回溯源次数",
            _column("recalls_traced")),
    Outcome("relation_age", "months", "Σ delivered · age of the relation / Σ delivered", "", "Age of relations", "供需关系持续时间",
            lambda w: w.by_supplier(w.links.delivered * w.links.age), _delivered),
    Outcome("relief", "share", "Σ delivered · relief / Σ delivered, by supplier", "higher",
            "Relation-specific relief", "供需关系带来的缺陷减少", lambda w: w.by_supplier(w.links.delivered * w.links.relief),
            _delivered),
    Outcome("investment", "CNY/month", "Σ spent on raising a capability", "", "Investment in quality", "质量投入", _column("investment")),
    Outcome("credit_bound", "share", "firms that wanted to invest at their last review and could not pay / firms", "lower",
            "Firms bound by credit", "受融资约束企业比例", lambda w: (w.firms.credit_bound & w.firms.alive).astype(float), _ones),
    Outcome("net_margin", "share of sales", "Σ profit / Σ sales", "higher", "Net margin", "净利润率", _column("profit"), _column("sales"), signed=True),
    Outcome("cash", "months of sales", "Σ cash / Σ sales of the month", "", "Cash", "现金", _column("cash"), _column("sales"), signed=True),
    Outcome("debt", "share of yearly sales", "Σ debt / 12 Σ sales of the month", "", "Debt", "负债",
            lambda w: w.firms.bank_debt + w.firms.programme_debt, lambda w: 12.0 * w.firms.sales),
    Outcome("loans", "CNY/month", "Σ loans granted, working capital included", "", "Loans granted", "发放贷款", _column("borrowed")),
    Outcome("strong_chain_debt", "CNY", "Σ strong-chain loans outstanding", "", "Strong-chain loans outstanding", "强链贷余额", _column("programme_debt")),
    Outcome("bad_loans", "share/year", "12 Σ loans written off / Σ debt", "lower", "Loans written off", "不良贷款核销率",
            lambda w: 12.0 * w.firms.written_off, lambda w: w.firms.bank_debt + w.firms.programme_debt + w.firms.written_off),
    Outcome("exits", "firms/month", "Σ firms that give up", "lower", "Firms that give up", "退出企业", _column("exited")),
    Outcome("output", "CNY/month", "Σ output", "", "Output", "产出", _output),
    Outcome("government_cost", "CNY/month", "Σ programme money spent on firms and, evenly, on stations", "lower",
            "Programme cost to government", "财政支出", _column("government_cost")),
    Outcome("field_defects", "CNY/month", "Σ final sales · outgoing DPU: a defect counts with the price of its product", "lower",
            "Sales reaching users with a defect", "带缺陷到达用户的销售额", lambda w: _to_users(w) * outgoing_dpu(w)),
    Outcome("firm_quality_cost", "CNY/month", "Σ prevention + appraisal + cost of poor quality", "lower",
            "Quality cost of firms", "企业质量总成本", _firms_quality_cost, signed=True),
    Outcome("society_quality_cost", "CNY/month", "Σ prevention + appraisal + cost of poor quality + programme money", "lower",
            "Quality cost of firms and government", "社会质量总成本", _society_quality_cost, signed=True),
    Outcome("firm_cost", "CNY/month", "Σ what firms paid for prevention and appraisal", "",
            "Prevention and appraisal paid by firms", "企业预防与鉴定支出", lambda w: w.firms.prevention + w.firms.appraisal),
)  # fmt: skip
