"""The named chains of configs/chain, as people read them: what their tiers make, who leads them, and what makes each different."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import yaml  # type: ignore[import-untyped]

from experiments.configuration.files import each_file
from experiments.formatting import value
from experiments.languages.wording import label, say, spoken
from experiments.terminal import paragraphs, table

if TYPE_CHECKING:
    from sim.build.chain import NamedChain

__all__ = ["about_chain", "chain_files", "goods_of"]


def chain_files() -> Iterator[NamedChain]:
    """Every chain of configs/chain."""
    yield from each_file("chain", _chain)


def _chain(path: Path) -> NamedChain:
    from experiments.configuration.schema import restore
    from sim.build.chain import NamedChain

    values = yaml.safe_load(path.read_text(encoding="utf-8"))
    if not isinstance(values, dict):
        raise ValueError(say("explain.no_settings"))
    chain: NamedChain = restore(NamedChain, values)
    return chain


def goods_of(chain: NamedChain) -> tuple[str, ...]:
    """Return what each tier makes, leaders first, in the language that is spoken."""
    return chain.makes_zh if spoken().code == "zh" and chain.makes_zh else chain.makes


def about_chain(chain: NamedChain) -> list[str]:
    """Explain a chain: its tiers, its figures with their sources, and what they mean for where loss begins."""
    from agents.firm import KINDS

    shares = [say("chain.share", share / sum(chain.tier_shares)) for share in chain.tier_shares]
    goods = goods_of(chain) or ("",) * (len(shares) + 1)
    tiers = [(say("figures.group", "tier", str(k)), good, share) for k, (good, share) in enumerate(zip(goods, ["", *shares], strict=True))]
    figures = [
        (name, value(getattr(chain, name)), label(chain.sources.get(name, "assumption")))
        for name in ("leaders", "firms", "problem_mix", "clustering")
    ]
    widest = max(range(len(chain.tier_shares)), key=lambda k: chain.tier_shares[k])
    most = [kind for kind, mix in zip(KINDS, chain.problem_mix, strict=True) if mix == max(chain.problem_mix) > min(chain.problem_mix)]
    return [
        *paragraphs(say("chain.title", chain)),
        "",
        *table([say(f"heads.{name}") for name in ("tier", "makes", "members")], tiers),
        "",
        *table([say(f"heads.{name}") for name in ("figure", "value", "source")], figures),
        "",
        *paragraphs(say("chain.loss", widest + 1, len(chain.tier_shares), goods[widest + 1], most)),
        "",
        *paragraphs(say("chain.choose", chain)),
    ]
