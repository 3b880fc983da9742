"""The model against published figures and closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import sparse

from sim import quality_engineering as sigma
from sim.attribution.quality_map import Block
from sim.month.inspection import kp_rule
from sim.month.own_defects import make_own_defects
from sim.month.problems import solving_hazard
from sim.month.propagation import propagate
from sim.month.services import first_come_first_served
from sim.network.network import SupplyNetwork
from tests.support.worlds import hold, line, parameters, plain, world

HARRY = "Harry, Quality Progress May 1998, table 1"
RTY = "M. Harry, isixsigma.com, 'How can I determine if my RTY is acceptable'"
COOKBOOK = "M. Harry, isixsigma.com, corporate-sigma cookbook, case A"
LITTLE = "J. Little, Holy Cross MATH 244 (2007)"
NOTES = "coursehero 37729019 (student notes)"
SAMR = "State Administration for Market Regulation, announcement of"

CONSUMPTION = np.array([[0.3, 0.4, 0.3], [0.3, 0.1, 0.2], [0.2, 0.2, 0.1]])


def leontief(row, column):
    """Entry of the Leontief inverse: orders of firm `row` when users want 1 of firm `column` alone."""
    supplier, customer = np.indices((3, 3)).reshape(2, -1)
    demand = np.eye(3)[column]
    economy = SupplyNetwork.build(list("abc"), supplier, customer, CONSUMPTION.ravel(), demand > 0, demand)
    return economy.steady_orders()[row]


def defects_of_a_leontief_economy(row, column):
    """The same entry as defects that leave firm `row` when firm `column` makes 1 and nothing is inspected."""
    return Block(np.eye(3)[column], sparse.csr_array(CONSUMPTION), np.ones(3)).steady_state()[row]


def escape_after(inspectors):
    """Defects that leave one firm of the model per own defect, final inspection finding 77 %."""
    assert inspectors == 1
    model = world(line(1), parameters(latent_share=0.0), burn_in=0)
    plain(model, own=1.0, inspection=1.0, detection=0.77)
    propagate(model)
    return model.firms.out_detectable[0]


# what, computed by, its arguments, published, tolerance, source
PUBLISHED = [
    ("DPMO at 2 sigma", sigma.dpmo, (2,), 308_537, 1, HARRY),
    ("DPMO at 3 sigma", sigma.dpmo, (3,), 66_807, 1, HARRY),
    ("DPMO at 4 sigma", sigma.dpmo, (4,), 6_210, 1, HARRY),
    ("DPMO at 5 sigma", sigma.dpmo, (5,), 233, 1, HARRY),
    ("DPMO at 6 sigma", sigma.dpmo, (6,), 3.4, 0.05, HARRY),
    ("yield at 0.05 DPU", sigma.first_pass_yield, (0.05,), 0.951229, 5e-7, RTY),
    ("yield at 0.008 DPU", sigma.first_pass_yield, (0.008,), 0.992032, 5e-7, RTY),
    ("RTY of 0.10, 0.05, 0.008 DPU", sigma.rolled_throughput_yield, ([0.10, 0.05, 0.008],), 0.85385, 5e-7, RTY),
    ("yield of an opportunity at Z.st 3.5", sigma.yield_of_z, (3.5, 1.5), 0.97725, 5e-7, COOKBOOK),
    ("acceptance with n 125, c 2, p 0.10", sigma.acceptance_probability, (125, 2, 0.10), 0.000210835, 5e-10, "CRAN Planesmuestra, f_DR.CO"),
    ("Leontief inverse 1,1", leontief, (0, 0), 2.244897959, 1e-9, LITTLE),
    ("Leontief inverse 1,2", leontief, (0, 1), 1.224489796, 1e-9, LITTLE),
    ("Leontief inverse 1,3", leontief, (0, 2), 1.020408163, 1e-9, LITTLE),
    ("Leontief inverse 2,1", leontief, (1, 0), 0.9037900875, 1e-9, LITTLE),
    ("Leontief inverse 2,2", leontief, (1, 1), 1.66180758, 1e-9, LITTLE),
    ("Leontief inverse 2,3", leontief, (1, 2), 0.6705539359, 1e-9, LITTLE),
    ("Leontief inverse 3,1", leontief, (2, 0), 0.6997084548, 1e-9, LITTLE),
    ("Leontief inverse 3,2", leontief, (2, 1), 0.6413994169, 1e-9, LITTLE),
    ("defects in Leontief's economy 1,1", defects_of_a_leontief_economy, (0, 0), 2.244897959, 1e-9, LITTLE),
    ("defects in Leontief's economy 2,3", defects_of_a_leontief_economy, (1, 2), 0.6705539359, 1e-9, LITTLE),
    ("fail rate 2021, %", lambda failed, of: 100 * failed / of, (3120, 25636), 12.2, 0.051, f"{SAMR} 2021"),
    ("fail rate 2022, %", lambda failed, of: 100 * failed / of, (1827, 19440), 9.4, 0.051, f"{SAMR} 2022"),
    ("fail rate 2024, %", lambda failed, of: 100 * failed / of, (3601, 25250), 14.3, 0.051, f"{SAMR} 2024"),
    ("escape of one inspector", sigma.inspection_escape, (0.77,), 0.23, 1e-9, "IC inspection study: a human inspector misses 23 %"),
    ("escape of one inspection in the model", escape_after, (1,), 0.23, 1e-9, "IC inspection study: a human inspector misses 23 %"),
]


@pytest.mark.parametrize(("what", "compute", "arguments", "published", "tolerance", "source"), PUBLISHED, ids=[row[0] for row in PUBLISHED])
def test_published_figure(what, compute, arguments, published, tolerance, source):
    assert abs(float(compute(*arguments)) - published) <= tolerance, f"{what}: {source}"


# -- the formulas agree with each other ------------------------------------------------------------


def test_sigma_level_inverts_dpmo():
    levels = np.linspace(0.5, 6.5, 25)
    assert sigma.sigma_level(sigma.dpmo(levels)) == pytest.approx(levels, abs=1e-8)


def test_z_inverts_yield():
    shares = np.linspace(0.01, 0.999, 25)
    assert sigma.yield_of_z(sigma.z_of_yield(shares, 1.5), 1.5) == pytest.approx(shares, abs=1e-12)


def test_dpmo_is_what_the_shifted_yield_leaves():
    assert sigma.dpmo(4.2) == pytest.approx(1e6 * (1 - sigma.yield_of_z(4.2, 1.5)), rel=1e-9)


def test_rolled_throughput_is_the_product_of_first_pass_yields():
    dpus = [0.3, 0.02, 0.11]
    assert sigma.rolled_throughput_yield(dpus) == pytest.approx(np.prod(sigma.first_pass_yield(dpus)), rel=1e-14)


def test_acceptance_sums_the_binomial_terms():
    n, c, p = 20, 3, 0.13
    terms = [math.comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(c + 1)]
    assert sigma.acceptance_probability(n, c, p) == pytest.approx(sum(terms), rel=1e-12)
    assert sigma.acceptance_probability(n, n, p) == 1.0


def test_acceptance_number_above_the_sample_is_refused():
    with pytest.raises(ValueError, match="acceptance number must lie in 0 … n"):
        sigma.acceptance_probability(5, 6, 0.1)


# -- queues ----------------------------------------------------------------------------------------


@pytest.mark.study
def test_station_queue_becomes_mm1():
    """M/M/1 with 15 arrivals and 17.5 services: L 6.0, W 0.4, Wq 0.3429 (coursehero 37729019, student notes).

    Time steps of 1 / (15 + 17.5) in which either a case arrives or one may be served: the
    uniformised chain, whose long run is that of M/M/1 at any step. Stations start in the
    stationary distribution; cases filed in the first part are followed to their end.
    """
    arrive, serve, n, steps, followed = 15.0, 17.5, 2_000, 1_000, 600
    dt = 1.0 / (arrive + serve)
    rng = np.random.default_rng(20260101)
    waiting = rng.geometric(1 - arrive / serve, n) - 1
    station = np.repeat(np.arange(n), waiting)
    filed = -1 - (np.arange(station.size) - np.searchsorted(station, station))
    queue_sum = line_sum = sojourn = cases = 0.0
    for step in range(steps):
        arrives = rng.random(n) < arrive * dt
        new = np.flatnonzero(arrives)
        station, filed = np.concatenate([station, new]), np.concatenate([filed, np.full(new.size, step)])
        cases += new.size * (step < followed)
        served = first_come_first_served(station, filed, np.zeros(station.size), station, (~arrives).astype(np.int64))
        month_filed = filed[served]
        sojourn += (step - month_filed)[(month_filed >= 0) & (month_filed < followed)].sum()
        station, filed = station[~served], filed[~served]
        queue = np.bincount(station, minlength=n)
        queue_sum += queue.mean()
        line_sum += np.maximum(queue - 1, 0).mean()
    left = (filed >= 0) & (filed < followed)
    assert left.mean() < 1e-3
    assert queue_sum / steps == pytest.approx(6.0, rel=0.03)
    assert sojourn * dt / cases == pytest.approx(0.4, rel=0.03)
    assert line_sum / steps / arrive == pytest.approx(0.3429, rel=0.03)


# -- propagation in closed form --------------------------------------------------------------------


@pytest.mark.parametrize("latent", [0.0, 0.1, 0.5])
def test_serial_line_follows_its_closed_form(latent):
    """What leaves a serial line sums own defects times escape and share for every stage passed."""
    n, share, own, inspection, detection, inspected = 6, 0.6, 0.2, 0.9, 0.77, 0.5
    model = world(line(n, share), parameters(latent_share=latent), burn_in=0)
    plain(model, own, inspection, detection, inspected)
    hold(model, n)
    escape, let_in = 1 - inspection * detection, 1 - inspected * detection
    stages = np.arange(n - 1, -1, -1) + 1  # the last firm has no supplier
    detectable = (1 - latent) * own * escape * (1 - (escape * let_in * share) ** stages) / (1 - escape * let_in * share)
    hidden = latent * own * (1 - share**stages) / (1 - share)
    assert model.firms.out_detectable == pytest.approx(detectable, rel=1e-12)
    assert model.firms.out_latent == pytest.approx(hidden, rel=1e-12)


def test_uninspected_line_adds_up_defects_so_that_yields_multiply():
    model = world(line(4, 1.0 - 1e-9), parameters(latent_share=0.0), burn_in=0)
    plain(model, own=[0.10, 0.05, 0.008, 0.0])
    hold(model, 4)
    assert np.exp(-model.firms.out_detectable[0]) == pytest.approx(sigma.rolled_throughput_yield([0.10, 0.05, 0.008]), abs=1e-8)


# -- rules -----------------------------------------------------------------------------------------


RULE = {
    "it pays": (0.02, 0.008, 0.5, 1.0),
    "it does not pay": (0.01, 0.008, 0.5, 0.0),
    "costs are equal": (0.25, 0.125, 0.5, 0.0),
    "inspection for nothing": (0.1, 0.0, 0.5, 1.0),
    "no defect, for nothing": (0.0, 0.0, 0.5, 0.0),
    "no defect": (0.0, 0.1, 0.5, 0.0),
    "harmless": (0.3, 0.1, 0.0, 0.0),
    "harmless, for nothing": (0.3, 0.0, 0.0, 0.0),
}


@pytest.mark.parametrize(("defects", "cost", "failure", "share"), RULE.values(), ids=RULE.keys())
def test_deming_inspects_all_or_none_at_width_0(defects, cost, failure, share):
    assert kp_rule(np.array([defects]), cost, failure, 0.0).tolist() == [share]


@pytest.mark.parametrize("width", [0.5, 1e-3, 1e-9, 5e-324])
def test_softened_rule_stays_within_0_and_1_where_defects_or_costs_are_none(width):
    shares = kp_rule(np.array([0.0, 0.0, 0.2, 0.2, 1e-300]), np.array([0.0, 0.1, 0.0, 0.1, 0.1]), 0.5, width)
    assert shares[:3].tolist() == [0.0, 0.0, 1.0]
    assert ((shares >= 0.0) & (shares <= 1.0)).all()


def test_softened_rule_becomes_demings_as_its_width_goes_to_0():
    defects = np.geomspace(1e-4, 1.0, 60)
    published = kp_rule(defects, 0.008, 0.5, 0.0)
    gaps = [np.abs(kp_rule(defects, 0.008, 0.5, width) - published).max() for width in (0.5, 0.05, 0.005, 0.0005)]
    assert gaps == sorted(gaps, reverse=True)
    assert gaps[-1] < 1e-12


@pytest.mark.parametrize("width", [0.0, 0.5])
def test_more_is_inspected_where_more_defects_are_expected(width):
    shares = kp_rule(np.linspace(0.0, 1.0, 200), 0.008, 0.5, width)
    assert (np.diff(shares) >= 0).all()


def learning_after(months, scale=2.0, exponent=0.301):
    """Learning multiplier, relative to that right after a renewal, once `months` of output have been made."""
    model = world(line(1), parameters(renewal_hazard=0.0, renewal_peak=10.0, learning_scale=scale, learning_exponent=exponent), burn_in=0)
    model.firms.output_since_renewal = months - 1.0
    model.firms.output = model.firms.steady_orders
    make_own_defects(model)
    return model.firms.learning[0] / 10.0


def test_experience_doubled_leaves_81_percent_of_defects():
    assert learning_after(1 * 2.0) == pytest.approx(0.81, abs=0.005)  # experience starts at one scale, here 2 months


def test_experience_tenfold_halves_defects():
    assert learning_after(9 * 2.0) == pytest.approx(0.5, abs=5e-4)


def test_nothing_is_learnt_beyond_the_learnt_process():
    assert learning_after(1e9) == pytest.approx(0.1)


@pytest.mark.parametrize(("management", "half_life", "tolerance"), [(0.0, 22.0, 0.05), (1.0, 1.0, 1e-12)])
def test_problems_halve_in_schneidermans_half_lives(management, half_life, tolerance):
    model = world(line(2), burn_in=0)
    model.firms.cqo = False
    model.firms.capability[:, 0] = management
    months = math.log(0.5) / np.log1p(-solving_hazard(model))
    assert months == pytest.approx([half_life] * 2, abs=tolerance)
