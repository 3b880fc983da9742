"""Every parameter of the model, declared once: default, range, unit, source, confidence, meaning.

From a declaration come its validation, its row in the docs and the ranges of
sensitivity studies. Confidence: **S** read in the source, **D** arithmetic from such figures,
**R** recalled and to be verified, **N** looked for and not found: an assumption.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import Field, dataclass, field, fields
from typing import Any

from sim.data.plausible import calibrated

__all__ = ["ParameterError", "Parameters", "check_ranges", "declared", "names", "parameter", "wrong_value"]


#: Source of calibrated parameters: sim/data/plausible_sets.csv has their values, docs/evidence/calibration.md the part of the range that is left.
CALIBRATED = "assumption, calibrated (docs/evidence/calibration.md)"


class ParameterError(ValueError):
    """A value outside its legal range: the message gives the name, the value and the range."""


def parameter(default: Any, low: float, high: float, unit: str, source: str, confidence: str, meaning: str) -> Any:
    """Declare a number of a settings dataclass.

    Parameters
    ----------
    default : number or tuple of numbers
    low, high : float
        Legal range, both ends included; every entry of a tuple must lie in it.
    unit : str
    source : str
        Where the default comes from; "assumption" without a source.
    confidence : {"S", "D", "R", "N"}
    meaning : str
        One line.
    """
    if confidence not in {"S", "D", "R", "N"}:
        raise ValueError(f"confidence is one of S, D, R, N, not {confidence!r}")
    about = {"range": (low, high), "unit": unit, "source": source, "confidence": confidence, "meaning": meaning}
    return field(default=default, metadata=about)


def names(default: Any, meaning: str) -> Any:
    """Declare names of firms, chains or places in a settings dataclass: one name, or a tuple of names."""
    return field(default=default, metadata={"unit": "1", "source": "assumption", "confidence": "N", "meaning": meaning})


def declared(settings: Any) -> Iterator[Field[Any]]:
    """Yield the fields of a settings dataclass (or its class) that are declared with a range."""
    return (f for f in fields(settings) if "range" in f.metadata)


def wrong_value(f: Field[Any], value: Any, name: str) -> str:
    """Return what is wrong with a value of a declared field, as a message with its name; empty if nothing is.

    It must be a number within its range, and a whole number for an integer field; or a tuple of as many numbers as the default has.
    """
    low, high = f.metadata["range"]
    if value is None and "None" in str(f.type):
        return ""
    length = len(f.default) if isinstance(f.default, tuple) and "..." not in str(f.type) else None
    if length is not None and (not isinstance(value, tuple | list) or len(value) != length):
        return f"{name} is {value!r}; it must be {length} numbers in {low:g} … {high:g}"
    whole = str(f.type).startswith(("int", "tuple[int", "<class 'int'"))
    for number in value if isinstance(value, tuple | list) and isinstance(f.default, tuple) else (value,):
        is_number = isinstance(number, int | float) and not isinstance(number, bool)
        if not is_number or not low <= number <= high or (whole and number != int(number)):
            unit = "" if f.metadata["unit"] == "1" else f" ({f.metadata['unit']})"
            kind = "be a whole number" if whole else "lie"
            return f"{name} is {number!r}; it must {kind} in {low:g} … {high:g}{unit}"
    return ""


def check_ranges(settings: Any, where: str = "") -> None:
    """Raise an error if a declared value of a settings dataclass is not a number, not whole for an integer field, or outside its range.

    Raises
    ------
    ParameterError
        Names every wrong value, each with its legal range and unit.
    """
    wrong = [message for f in declared(settings) if (message := wrong_value(f, getattr(settings, f.name), where + f.name))]
    if wrong:
        raise ParameterError("; ".join(wrong))


@dataclass(frozen=True)
class Parameters:
    """Parameters of the world. Defaults marked N are assumptions: show their sensitivity."""

    # -- own defects (3.3) -----------------------------------------------------------------
    base_dpu: float = parameter(calibrated("base_dpu"), 0.0, 2.0, "defects/unit", CALIBRATED, "N",
                                "median own defects of a medium firm without any management capability")  # fmt: skip
    base_dpu_spread: float = parameter(
        calibrated("base_dpu_spread"),
        0.0,
        2.0,
        "ln",
        CALIBRATED,
        "N",
        "spread of own defects between firms (standard deviation of the logarithm)",
    )
    base_dpu_size: tuple[float, float, float] = parameter((calibrated("base_dpu_size[0]"), 1.0, calibrated("base_dpu_size[2]")), 0.05, 10.0, "1", CALIBRATED, "N",
                                                          "multiple of own defects by size class: small, medium, large")  # fmt: skip
    management_effect: float = parameter(calibrated("management_effect"), 0.0, 6.0, "ln", CALIBRATED, "N",
                                         "κ: own common-cause defects fall as exp(-κ · management)")  # fmt: skip
    severity: float = parameter(calibrated("severity"), 0.0, 0.5, "defects/unit", CALIBRATED, "N", "own defects that one open problem adds")
    latent_share: float = parameter(calibrated("latent_share"), 0.0, 0.9, "share", CALIBRATED + "; the most influential parameter", "N",
                                    "λ: share of own defects that no inspection finds, only the user")  # fmt: skip
    renewal_hazard: float = parameter(
        1 / 48, 0.0, 0.5, "1/month", "assumption: a product renewed every four years", "N", "hazard of a product renewal"
    )
    renewal_peak: float = parameter(2.0, 1.0, 10.0, "1", "assumption", "N", "learning multiplier of own defects right after a renewal")
    learning_exponent: float = parameter(
        0.301, 0.0, 1.0, "1", "tenfold output halves defects, 81 % per doubling", "D", "exponent of the learning curve"
    )
    learning_scale: float = parameter(
        1.0, 0.01, 100.0, "months", "assumption", "N", "output since renewal that counts as one unit of experience"
    )

    # -- capabilities at the start -----------------------------------------------------------
    capability_mean: tuple[float, float, float] = parameter(
        (0.35, 0.45, 0.6), 0.01, 0.99, "0-1", "assumption", "N", "median capability by size class"
    )
    capability_spread: float = parameter(0.7, 0.0, 3.0, "logit", "assumption", "N", "spread of capabilities between firms")
    capability_common: float = parameter(
        0.5, 0.0, 1.0, "share", "assumption", "N", "share of that spread common to the four capabilities of one firm"
    )
    absorptive_mean: float = parameter(0.5, 0.0, 1.0, "0-1", "assumption", "N", "mean absorptive capacity; uniform within 0.3 of it")

    # -- what arrives, inspection (3.5) ------------------------------------------------------
    interface_dpu: float = parameter(calibrated("interface_dpu"), 0.0, 0.5, "defects/unit", CALIBRATED, "N",
                                     "ι: interface defects on a link where neither side keeps a standard")  # fmt: skip
    detection_low: float = parameter(0.70, 0.0, 1.0, "share", "with the next two: 0.77 at capabilities of 0.4; human inspection misses 23 %", "D",
                                     "detection without any testing capability, metrology perfect")  # fmt: skip
    detection_high: float = parameter(1.0, 0.0, 1.0, "share", "assumption", "N", "detection at full testing capability, metrology perfect")
    metrology_loss: float = parameter(0.10, 0.0, 1.0, "share", "assumption; gauge studies call 10-30 % conditional", "N",
                                      "γ: share of detection lost without metrology")  # fmt: skip
    false_alarm: float = parameter(0.02, 0.0, 0.5, "share", "human inspection rejects 2 % of good units", "S",
                                   "false alarms at a metrology of 0.4, falling to 0 at 1")  # fmt: skip
    incoming_cost: float = parameter(
        0.006, 0.0, 1.0, "price", "assumption", "N", "k1 of Deming's kp rule at goods-in: cost of inspecting one unit"
    )
    incoming_failure: float = parameter(calibrated("incoming_failure"), 0.0, 10.0, "price", CALIBRATED, "N",
                                        "k2 at incoming inspection: cost of one missed defect")  # fmt: skip
    final_cost: float = parameter(0.008, 0.0, 1.0, "price", "assumption", "N", "k1 at final inspection")
    final_failure: float = parameter(
        calibrated("final_failure"),
        0.0,
        10.0,
        "price",
        CALIBRATED,
        "N",
        "k2 at final inspection of a member firm; a leader's is the field cost",
    )
    kp_width: float = parameter(
        0.5, 0.0, 5.0, "ln", "assumption; 0 is the published all-or-none rule", "N", "softness of the kp rule between firms and lots"
    )
    rating_weight: float = parameter(
        0.2, 0.0, 1.0, "1/month", "assumption", "N", "weight of this month in a customer's rating of a supplier"
    )
    line_visibility: float = parameter(
        0.5, 0.05, 1.0, "share", "assumption", "N", "share of uninspected incoming defects that show on the customer's line"
    )

    # -- cost of quality (3.6, 3.7) ----------------------------------------------------------
    scrap_share: float = parameter(
        0.3, 0.0, 1.0, "share", "assumption", "N", "share of rejected units that is scrapped; the rest is reworked"
    )
    rework_cost: float = parameter(0.3, 0.0, 5.0, "price", "assumption", "N", "cost of reworking one rejected unit")
    return_cost: float = parameter(0.6, 0.0, 5.0, "price", "assumption", "N", "supplier's cost of one defect returned by a customer")
    copq_scale: float = parameter(1.0, 0.0, 8.0, "1", "1: surveys, 2.5-5 % of sales; about 4: Harry (1998), four times as much", "S",
                                  "multiple of the cost of rework and returns: the published scales of the cost of poor quality differ")  # fmt: skip
    field_cost: float = parameter(
        calibrated("field_cost"), 0.0, 50.0, "price", CALIBRATED, "N", "seller's cost of one defect that reaches a user"
    )
    traceability: float = parameter(0.2, 0.0, 1.0, "share", "set so that suppliers bear about 14 % of leaders' warranty", "D",
                                    "share of failure cost that is charged back to where it can be traced")  # fmt: skip
    prevention_rate: float = parameter(0.005, 0.0, 0.1, "revenue", "assumption", "N", "prevention cost of full management capability")
    cqo_pay: float = parameter(
        12_000.0, 0.0, 200_000.0, "CNY/month", "assumption", "N", "pay of a full-time chief quality officer, with overheads"
    )
    cqo_pay_most: float = parameter(0.01, 0.0, 1.0, "share of sales", "assumption: very small firms share an officer by the hour", "N",
                                    "upper limit of an officer's cost")  # fmt: skip
    cqo_part_time: tuple[float, float, float] = parameter((0.3, 1.0, 1.0), 0.0, 1.0, "share", "assumption: small firms share an officer", "N",
                                                          "working time of the officer by size class")  # fmt: skip

    # -- problems and services (3.8) ---------------------------------------------------------
    problem_rate: tuple[float, float, float, float] = parameter((0.08, 0.08, 0.08, 0.08), 0.0, 5.0, "1/month", "assumption, from a reduced prototype", "N",
                                                                "new problems of each kind at zero capability")  # fmt: skip
    problem_size: tuple[float, float, float] = parameter((calibrated("problem_size[0]"), 1.0, calibrated("problem_size[2]")), 0.0, 10.0, "1", CALIBRATED, "N",
                                                         "multiple of new problems by size class")  # fmt: skip
    solving_low: float = parameter(0.031, 0.001, 0.99, "1/month", "Schneiderman: half-life of 22 months for complex problems", "D",
                                   "hazard of solving a problem without management capability")  # fmt: skip
    solving_high: float = parameter(0.5, 0.001, 0.99, "1/month", "Schneiderman: half-life of 1 month for simple problems", "D",
                                    "hazard of solving a problem at full management capability")  # fmt: skip
    cqo_solving: float = parameter(calibrated("cqo_solving"), 0.0, 3.0, "share", CALIBRATED + "; no causal estimate was found", "N",
                                   "how much faster a firm with a chief quality officer solves problems")  # fmt: skip
    common_cause_hazard: float = parameter(
        0.01, 0.0, 1.0, "1/month", "assumption", "N", "hazard of a new common problem, per chain and kind"
    )
    common_cause_exposure: float = parameter(
        0.2, 0.0, 1.0, "share", "assumption", "N", "share of a chain's firms that get a common problem"
    )
    common_cause_end: float = parameter(
        1 / 60, 0.0, 1.0, "1/month", "assumption", "N", "hazard that the cause of a common problem ends by itself"
    )
    visibility: float = parameter(calibrated("visibility"), 0.0, 1.0, "share", "the hidden factory: 0.3-0.4 of the cost of poor quality is seen; calibrated within that", "R",
                                  "share of its cost of poor quality that a firm sees")  # fmt: skip
    cqo_visibility: float = parameter(
        0.9, 0.0, 1.0, "share", "assumption", "N", "share of its cost of poor quality that a firm with a chief quality officer sees"
    )
    patience: float = parameter(
        6, 0, 120, "months", "assumption; no waiting time was found", "N", "months after which a waiting case is withdrawn"
    )
    service_learning: float = parameter(
        calibrated("service_learning"),
        0.0,
        1.0,
        "share",
        CALIBRATED,
        "N",
        "share of the missing capability that a firm gains from a solved case",
    )

    # -- decisions (3.9) -----------------------------------------------------------------------
    review_hazard: float = parameter(
        1 / 12, 0.0, 1.0, "1/month", "assumption: a yearly review", "N", "hazard that a firm reviews its investment in quality"
    )
    horizon: float = parameter(39.0, 0.0, 240.0, "months", "assumption, from a reduced prototype", "N",
                               "months within which an investment must pay for itself")  # fmt: skip
    invest_fixed: float = parameter(
        17_000.0, 0.0, 1e7, "CNY", "assumption, from a reduced prototype", "N", "fixed part of the cost of one step of a capability"
    )
    invest_share: float = parameter(0.001, 0.0, 0.1, "share of yearly revenue", "assumption, from a reduced prototype", "N",
                                    "part of the cost of one step of a capability that grows with the size of the firm")  # fmt: skip
    invest_step: float = parameter(
        calibrated("invest_step"),
        0.0,
        1.0,
        "share",
        CALIBRATED,
        "N",
        "share of the missing capability that a firm of full absorptive capacity gains from one step",
    )
    judgement: float = parameter(0.6, 0.0, 5.0, "ln", "assumption", "N",
                                 "error of a firm when it estimates what each of the four capabilities would save")  # fmt: skip
    reserve: float = parameter(
        1.2, 0.0, 24.0, "months of sales", "assumption, from a reduced prototype", "N", "cash that a firm does not touch for an investment"
    )
    approval: tuple[float, float, float] = parameter((0.2, 0.5, 0.9), 0.0, 1.0, "share", "assumption: credit is rationed by size", "N",
                                                     "probability that a bank grants a loan for quality, by size class")  # fmt: skip
    approval_signal: float = parameter(
        0.15, 0.0, 1.0, "share", "assumption", "N", "addition to that probability for a firm with a certificate"
    )
    credit_ceiling: float = parameter(
        0.35, 0.0, 5.0, "share of yearly revenue", "assumption", "N", "largest debt for which a firm has collateral"
    )
    loan_term: float = parameter(36.0, 1.0, 360.0, "months", "assumption", "N", "N: each month a firm repays 1/N of what is left of a loan")
    certificate_cost: float = parameter(30_000.0, 0.0, 1e7, "CNY", "assumption", "N", "cost of a certificate and its preparation, per term")
    certificate_months: int = parameter(
        36, 1, 240, "months", "certificates of management systems are valid for three years (ISO/IEC 17021-1)", "R", "term of a certificate"
    )
    certificate_worth: float = parameter(
        calibrated("certificate_worth"), 0.0, 0.2, "share of revenue", CALIBRATED, "N", "what firms expect a certificate to bring in sales"
    )
    certificate_substance: float = parameter(0.02, 0.0, 1.0, "share", "assumption: signal apart from substance", "N",
                                             "share of the missing management capability that a firm gains with its first certificate")  # fmt: skip
    certificate_start: float = parameter(0.3, 0.0, 1.0, "share", "assumption", "N", "share of firms that hold a certificate at the start")
    officer_saving: float = parameter(calibrated("officer_saving"), 0.0, 1.0, "share", CALIBRATED, "N",
        "share of the cost of poor quality that firms see and expect a chief quality officer to save")  # fmt: skip
    adoption_alone: float = parameter(
        0.0005,
        0.0,
        1.0,
        "1/month",
        "assumption",
        "N",
        "hazard of adopting an officer or certificate that pays, if no other firm of the chain has one",
    )
    adoption_imitation: float = parameter(calibrated("adoption_imitation"), 0.0, 1.0, "1/month", CALIBRATED + "; gives the logistic curve of adoption", "N",
                                          "additional hazard, times the share of the chain's firms that have adopted")  # fmt: skip
    officer_loss: float = parameter(
        0.004, 0.0, 1.0, "1/month", "assumption: once in twenty years", "N", "hazard that the officer leaves and is not replaced"
    )
    dropping: float = parameter(0.02, 0.0, 1.0, "1/month", "assumption", "N",
                                "additional hazard of dropping an officer that does not pay")  # fmt: skip
    certificate_loss: float = parameter(
        0.2, 0.0, 1.0, "share", "assumption", "N", "share of certificates that pay and are not renewed at the end of their term"
    )

    # -- learning and loss (3.10) --------------------------------------------------------------
    problem_learning: float = parameter(0.02, 0.0, 1.0, "share", "assumption", "N",
        "ℓ: share of the missing capability that a firm of full absorptive capacity gains from a solved problem")  # fmt: skip
    spillover: float = parameter(calibrated("spillover"), 0.0, 1.0, "1/month", CALIBRATED, "N",
                                 "pace at which a supplier closes the gap to a customer's practice, if all its sales go to this customer")  # fmt: skip
    relation_share: float = parameter(0.5, 0.0, 1.0, "share",
                                      "Dyer & Hatch 2006: defects -50 % for the customer that taught, -26 % for another; read as shares, 0.57 in logarithms", "D",
                                      "part of a lesson that serves only the customer who taught it")  # fmt: skip
    practice_decay: float = parameter(calibrated("practice_decay"), 0.0, 1.0, "1/month",
        CALIBRATED + ": half of a gap of practice is left after 102 months, learning and exits included (Bloom et al. 2020)", "N",
        "pace at which practice falls back to its natural level")  # fmt: skip
    officer_keeps: float = parameter(
        0.5, 0.0, 1.0, "share", "assumption", "N", "part of the decay of practice that a chief quality officer prevents"
    )
    diffusion: float = parameter(0.0002, 0.0, 1.0, "1/month", "Bloom et al. 2020: practice hardly spreads between firms; the figure is an assumption", "N",
                                 "pace at which a firm closes the gap to its sector's mean without a link")  # fmt: skip

    # -- money (3.11) ----------------------------------------------------------------------------
    margin: float = parameter(calibrated("margin"), 0.0, 0.5, "share", "net margin of industry 5-6 %, before interest; calibrated (docs/evidence/calibration.md)", "R",
                              "profit per unit of output in the price, in prices of the start")  # fmt: skip
    outside_materials: float = parameter(
        0.35, 0.0, 1.0, "share", "assumption", "N", "part of a firm's own cost that goes to suppliers outside the network"
    )
    least_cost: float = parameter(
        0.05, 0.0, 1.0, "CNY/CNY", "assumption", "N", "wages, overheads and outside materials that every firm has, per unit of output"
    )
    stock_most: float = parameter(
        1.0, 0.0, 12.0, "months of use", "assumption", "N", "materials that a firm keeps at most; it starts with half of them"
    )
    working_capital: float = parameter(
        0.2, 0.0, 1.0, "share of yearly revenue", "assumption, from a reduced prototype (15-25 %)", "N", "working capital that is borrowed"
    )
    cash_start: float = parameter(1.4, 0.0, 24.0, "months of sales", "assumption", "N", "cash of a firm at the start, and of an entrant")
    cash_least: float = parameter(0.6, 0.0, 24.0, "months of sales", "assumption", "N", "cash below which a firm borrows working capital")
    cash_most: float = parameter(1.7, 0.0, 120.0, "months of sales", "assumption", "N", "cash above which everything is paid to owners")
    payout: float = parameter(
        0.25, 0.0, 1.0, "share", "assumption, from a reduced prototype", "N", "part of a month's profit that owners take out"
    )
    fortune_spread: tuple[float, float, float] = parameter((calibrated("fortune_spread[0]"), 0.055, 0.03), 0.0, 1.0, "share of sales", CALIBRATED, "N",
                                                           "standard deviation of a firm's random gains and losses, by size class")  # fmt: skip
    fortune_memory: float = parameter(
        0.93, 0.0, 0.999, "1", "assumption", "N", "part of these gains and losses that remains in the next month"
    )
    cash_limit: float = parameter(0.25, 0.0, 24.0, "months of sales", "assumption", "N", "overdraft beyond which a firm is in distress")
    distress_months: int = parameter(
        3, 1, 120, "months", "assumption, from a reduced prototype", "N", "months of distress after which a firm gives up"
    )
    entrant_shift: float = parameter(
        -0.2, -3.0, 3.0, "logit", "assumption", "N", "capability of entrants against that of firms at the start"
    )

    # -- relations (3.12) ------------------------------------------------------------------------
    qualification_bar: float = parameter(2.0, 1.0, 100.0, "1", "assumption", "N",
        "rating, as a multiple of its sector's mean, above which a supplier is put on the development list")  # fmt: skip
    development_months: int = parameter(6, 0, 120, "months", "assumption", "N", "months on the list after which a supplier may be replaced")
    development_attention: float = parameter(
        3.0, 1.0, 20.0, "1", "assumption", "N", "how much faster a supplier on the list learns from its customer"
    )
    development_cost: float = parameter(
        0.01, 0.0, 1.0, "CNY/CNY", "assumption", "N", "what a supplier on the list costs its customer, per CNY that it delivers"
    )
    relation_end: float = parameter(
        0.005, 0.0, 1.0, "1/quarter", "assumption", "N", "share of relations that end for reasons other than quality"
    )
    candidates: int = parameter(3, 0, 50, "firms", "assumption", "N", "candidates of the same sector that a customer looks at")
    view_noise: float = parameter(0.8, 0.0, 5.0, "ln", "assumption", "N", "error in a customer's view of a candidate's defects")
    certified_noise: float = parameter(0.5, 0.0, 1.0, "1", "assumption", "N", "multiple of that noise for a candidate with a certificate")
    caution: float = parameter(
        0.5, 0.0, 5.0, "1", "assumption", "N", "caution of customers: what they add to a candidate's rating per unit of noise"
    )
    switching: float = parameter(0.2, 0.0, 1.0, "share", "assumption", "N", "how much better a candidate must look to replace a supplier")
    orphan_demand: float = parameter(0.2, 0.0, 1.0, "share", "assumption", "N",
        "part of its orders at the start that a member can sell elsewhere after it has lost its customers")  # fmt: skip
    spare_capacity: float = parameter(
        0.3, 0.0, 10.0, "share", "assumption", "N", "what a firm can make beyond its usual output, or that of the start if it was more"
    )

    # -- the market (3.13) -----------------------------------------------------------------------
    quality_elasticity: float = parameter(0.3, 0.0, 5.0, "1", "assumption", "N",
        "elasticity of demand between the leaders of a product: d ln demand / d ln conformity as users remember it")  # fmt: skip
    whole_elasticity: float = parameter(
        0.3, 0.0, 1.0, "1", "assumption", "N", "elasticity for the product as a whole, as a part of that between leaders"
    )
    brand_memory: float = parameter(
        0.95, 0.0, 0.9999, "1/month", "assumption", "N", "weight of the past in what users remember of a product"
    )
    unnoticed_dpu: float = parameter(0.002, 1e-6, 1.0, "defects/unit", "assumption", "N", "defects below which users see little difference")
    demand_speed: float = parameter(0.1, 0.0, 1.0, "1/month", "assumption", "N", "pace at which demand follows")
    recall_rate: float = parameter(
        0.3, 0.0, 100.0, "1/month per DPU", "assumption", "N", "hazard of a recall per unit of field DPU of a leader"
    )
    recall_size: float = parameter(0.02, 1e-6, 1.0, "share of yearly sales", "assumption", "N", "smallest recall")
    recall_tail: float = parameter(1.1, 0.2, 10.0, "1", "assumption: heavy-tailed", "N", "tail exponent of the size of recalls")
    recall_cost: float = parameter(0.1, 0.0, 5.0, "price", "assumption", "N", "cost of recalling a unit")
    recall_liability: float = parameter(2.0, 0.0, 120.0, "months of sales", "assumption", "N",
                                        "largest cost of a traced recall that the supplier bears; the leader bears the rest")  # fmt: skip
    recall_shock: float = parameter(0.3, 0.0, 5.0, "ln", "assumption", "N", "fall of a leader's appeal after a recall")
    collective_share: float = parameter(0.64, 0.0, 1.0, "share", "dairy scandal of 2008: spill-over 64 % of the direct loss", "S",
                                        "part of the fall of appeal that the other leaders of the chain share")  # fmt: skip
    reputation_memory: float = parameter(0.94, 0.0, 0.9999, "1/month", "assumption: half of it forgotten in a year", "N",
                                         "part of a lost reputation that is still lost in the next month")  # fmt: skip

    # -- oversight (3.13) ------------------------------------------------------------------------
    random_samples: float = parameter(
        20.0,
        0.0,
        1e6,
        "samples per 1,000 firms and month",
        "assumption",
        "N",
        "random samples that the regulator takes; every firm is equally likely",
    )
    targeted_samples: float = parameter(
        20.0, 0.0, 1e6, "samples per 1,000 firms and month", "assumption", "N", "samples that the regulator takes by risk"
    )
    risk_size: tuple[float, float, float] = parameter((calibrated("risk_size[0]"), 1.0, 0.5), 0.0, 100.0, "1", CALIBRATED, "N",
                                                      "weight of a firm in risk-targeted sampling, by size class")  # fmt: skip
    risk_failed: float = parameter(calibrated("risk_failed"), 1.0, 100.0, "1", CALIBRATED, "N",
                                   "multiple of that weight for a firm that failed recently")  # fmt: skip
    map_noise: float = parameter(0.7, 0.0, 5.0, "ln", "assumption: two thirds of firms within a factor of two", "N",
                                 "error of the quality map, as chain heads see it, about a firm that has not been visited")  # fmt: skip
    jury_noise: float = parameter(0.5, 0.0, 5.0, "ln", "assumption: a jury sees more than a chain head", "N",
                                  "error of the jury of an award about a firm's defects")  # fmt: skip
    risk_signal: float = parameter(0.7, 0.0, 1.0, "1", "assumption", "N", "multiple of that weight for a firm with a certificate")
    risk_months: int = parameter(24, 0, 240, "months", "assumption", "N", "months for which a failed sample counts")
    fine: float = parameter(0.02, 0.0, 3.0, "months of sales", "assumption; the Product Quality Law sets multiples of the goods' value",
                            "N", "fine for a sample that fails")  # fmt: skip
    rectification_cost: float = parameter(
        0.01, 0.0, 3.0, "months of sales", "assumption", "N", "cost of correcting what a failed sample showed"
    )

    # -- size classes ------------------------------------------------------------------------
    medium_from: float = parameter(20e6, 0.0, 1e12, "CNY/year", "official size classes of industry (2017), revenue criterion", "R",
                                   "revenue from which a firm is medium")  # fmt: skip
    large_from: float = parameter(400e6, 0.0, 1e13, "CNY/year", "official size classes of industry (2017), revenue criterion", "R",
                                  "revenue from which a firm is large")  # fmt: skip

    def __post_init__(self) -> None:
        """Refuse values outside their ranges."""
        check_ranges(self, "parameters.")
