"""Follow a bad batch: the same world with it and without it, month by month on the same random numbers."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from agents.streams import replicate_keys
from experiments.configuration.settings import Arm, Settings, SettingsError, of_kind, read_arm
from experiments.configuration.study import FollowStudy
from experiments.languages.wording import say
from experiments.runs.progress import Progress
from experiments.runs.provenance import manifest, now, study_id
from experiments.runs.runner import expected_seconds, fan_out, workers_of
from experiments.studies.compare import notes_of
from experiments.terminal import write
from experiments.waiting import slow
from sim.attribution.excess import DefectFlows, defect_flows
from sim.model import StrongchainModel
from sim.shocks import AtWork, BadBatch

__all__ = ["BATCH", "CALM", "Following", "follow_arms", "run_follow"]

#: Names of the two arms.
CALM, BATCH = "calm", "batch"
#: A firm or a link is kept for the map if it once carries more than this share of the batch's defects.
CARRIES = 1e-4
#: A firm counts as reached if more than this share of the batch's defects leaves it in a month.
REACHED = 1e-3


@dataclass(frozen=True)
class Following:
    """Results: the excess of the world with the batch over the same world without it.

    Attributes
    ----------
    way : DataFrame
        A row per replicate and month from that of the batch on: where the excess defects are, whom it costs what,
        firms that pass it on in this month and (`reached`) in any.
    tiers : DataFrame
        A row per replicate, month and tier: excess defects that leave the firms of the tier.
    firms, links : DataFrame
        Of the first replicate, by month: excess defects that leave a firm, and that arrive over a link.
    manifest : dict
    failures : str
        What could not be simulated: nothing, as an error ends the study.
    """

    way: pd.DataFrame
    tiers: pd.DataFrame
    firms: pd.DataFrame
    links: pd.DataFrame
    manifest: dict[str, Any]
    failures: str = ""

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """All tables by name, in the order in which they are written."""
        return {"way": self.way, "tiers": self.tiers, "way_firms": self.firms, "way_links": self.links}


def follow_arms(settings: Settings) -> tuple[Arm, Arm]:
    """Return the world without the batch and with it; all else, other shocks too, is the same in both.

    Raises
    ------
    SettingsError
        If no bad batch is chosen, or it would change nothing in these months.
    """
    batch = next((shock for shock in settings.shocks if isinstance(shock, BadBatch)), None)
    if batch is None:
        raise SettingsError('study=follow follows a bad batch, and none is chosen; type "shocks=[bad_batch]"')
    if batch.size == 0.0:
        raise SettingsError("shocks.bad_batch.size is 0, so there is nothing to follow; type a size above 0")
    if batch.month > settings.task.months:
        raise SettingsError(
            f"shocks.bad_batch.month is {batch.month}, after the last month; type a month up to {settings.task.months}, or more months"
        )
    without = copy.deepcopy(settings.resolved)
    without["shocks"]["bad_batch"]["active"] = False
    return read_arm(CALM, without), read_arm(BATCH, settings.resolved)


def run_follow(
    settings: Settings,
    overrides: Sequence[str] = (),
    progress: bool = True,
    keep: Path | None = None,
    begin: Callable[[str], None] = lambda study: None,
) -> Following:
    """Follow the bad batch of the settings through every replicate. Its runs are not kept: only their differences are.

    `begin` is called with the id of the study, before anything is simulated.
    """
    of_kind(settings, FollowStudy)
    with slow("waiting.arms"):
        arms = follow_arms(settings)
    keys = replicate_keys(settings.seed, settings.replicates)
    begin(study_id(settings.resolved, keys, arms))
    about = manifest(settings.resolved, overrides, keys, arms, notes=notes_of(settings, arms))
    months = settings.task.months
    if progress:
        workers = workers_of(settings.parallel, len(keys))
        seconds = expected_seconds(arms, len(keys), months, workers)
        write(say("progress.runs", 2 * len(keys), [arm.name for arm in arms], len(keys), months, seconds, settings.drawn, 0))
    jobs = [(arms, key, months, settings.task.check, replicate) for replicate, key in enumerate(keys, start=1)]
    parts: list[dict[str, pd.DataFrame]] = []
    with Progress(len(jobs), 0, shown=progress) as shown:
        for part in fan_out(_follow, jobs, settings.parallel, ordered=True):
            parts.append(part)
            shown.add(1)
    tables = {name: pd.concat([part[name] for part in parts if name in part], ignore_index=True) for name in parts[0]}
    about |= {"finished": now(), "reference": CALM}
    return Following(**tables, manifest=about)


def _follow(arms: tuple[Arm, Arm], key: tuple[int, int], months: int, check: bool, replicate: int) -> dict[str, pd.DataFrame]:
    """Follow the batch through one replicate: tables of its way, and for the first replicate of its firms and links."""
    calm = arms[0].world.build(key, (), check)
    struck = copy.deepcopy(calm)
    for arm, model in zip(arms, (calm, struck), strict=True):
        arm.begin(model)
    batch, at = next((one.shock, int(one.rows[0])) for one in struck.shocks if isinstance(one, AtWork) and isinstance(one.shock, BadBatch))
    excess: list[tuple[int, DefectFlows]] = []
    for month in range(1, months + 1):
        calm.step()
        struck.step()
        if month >= batch.month:
            excess.append((month, defect_flows(struck) - defect_flows(calm)))
    made = sum(float(flows.batch.sum()) for _, flows in excess)
    about: dict[str, Any] = {"replicate": replicate, "firm": str(struck.network.names[at]), "tier": int(struck.firms.tier[at])}
    reached = int((np.max([flows.leaving for _, flows in excess], axis=0) > REACHED * made).sum())
    about["reached"] = reached
    before = 0.0
    way, tiers = [], []
    for month, flows in excess:
        row = _row(struck, flows, at, before, made)
        before = row["on_way"]
        way.append({**about, "month": month, **row})
        tiers += [{"replicate": replicate, "month": month, **one} for one in _by_tier(struck, flows)]
    tables = {"way": pd.DataFrame(way), "tiers": pd.DataFrame(tiers)}
    return tables | (_map(struck, excess, made) if replicate == 1 else {})


def _row(world: StrongchainModel, flows: DefectFlows, at: int, before: float, made: float) -> dict[str, float]:
    """One month of the way: where the excess defects are, and what they cost; `before` were on their way at the end of the last month."""
    others = np.arange(world.firms.n) != at
    leads = world.firms.is_leader
    return {
        "made": float(flows.batch.sum()),
        "reaction": float(flows.begun.sum()),
        "own_final": float(flows.final[at]),
        "goods_in": float(flows.goods_in.sum()),
        "final": float(flows.final[others].sum()),
        "prevented": before - float(flows.arriving.sum()),
        "users": float(flows.users.sum()),
        "elsewhere": float(flows.elsewhere.sum()),
        "on_way": float((flows.leaving - flows.users - flows.elsewhere).sum()),
        "cost_firm": float(flows.cost[at]),
        "cost_members": float(flows.cost[others & ~leads].sum()),
        "cost_leaders": float(flows.cost[others & leads].sum()),
        "passing_on": int((flows.leaving > REACHED * made).sum()),
    }


def _by_tier(world: StrongchainModel, flows: DefectFlows) -> list[dict[str, float]]:
    """Excess defects that leave the firms of each tier."""
    tier = world.firms.tier
    return [{"tier": int(one), "leaving": float(flows.leaving[tier == one].sum())} for one in np.unique(tier)]


def _map(world: StrongchainModel, excess: Sequence[tuple[int, DefectFlows]], made: float) -> dict[str, pd.DataFrame]:
    """Return the firms and the links that carry a part of the excess, by month: what the map is drawn from."""
    network, firms, links = world.network, world.firms, world.links
    names, chains = network.names, np.asarray(network.chains)
    kept = _carrying([flows.leaving for _, flows in excess], made)
    ways = _carrying([flows.arriving for _, flows in excess], made)
    kept = np.union1d(kept, np.concatenate([links.supplier[ways], links.customer[ways]]))
    of_firms = [
        pd.DataFrame({
            "month": month, "firm": names[kept], "chain": chains[firms.chain[kept]], "tier": firms.tier[kept],
            "leaving": flows.leaving[kept], "users": flows.users[kept],
        })
        for month, flows in excess
    ]  # fmt: skip
    of_links = [
        pd.DataFrame({
            "month": month, "supplier": names[links.supplier[ways]], "customer": names[links.customer[ways]],
            "arriving": flows.arriving[ways],
        })
        for month, flows in excess
    ]  # fmt: skip
    return {"firms": pd.concat(of_firms, ignore_index=True), "links": pd.concat(of_links, ignore_index=True)}


def _carrying(of: Sequence[NDArray[np.float64]], made: float) -> NDArray[np.int64]:
    """Rows that carry more than a small part of the batch in some month."""
    return cast(NDArray[np.int64], np.flatnonzero(np.max(of, axis=0) > CARRIES * made))
