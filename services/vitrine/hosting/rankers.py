"""What was made of the plugins for one bundle."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from vitrine.hosting.facts import BlockFacts, RankerFacts
from vitrine.hosting.hosted import Hosted

if TYPE_CHECKING:
    from vitrine.hosting.process import IsolatedPlugin


# The rankers of a scene, and its reranker or "".
Pipeline: TypeAlias = tuple[tuple[str, ...], str]
# Batches mix scenes in few ways.
_REMEMBERED = 256


class Steps(NamedTuple):
    """Plugins whose columns rankers read, and the rankers, in the order in which they run."""

    blocks: tuple[str, ...]
    rankers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rankers:
    """What was made of the plugins for one bundle, and why others are off.

    Attributes:
        ready: Rankers by name: what each says of itself.
        off: Reasons by name: not found, failed to load, switched off, missing data.
        hosted: Each of `ready` as the host calls it.
        blocks: Blocks of feature columns by plugin.
        blocks_off: Reasons, for blocks.
        hosted_blocks: Each of `blocks` as the host calls it.
        elsewhere: Plugins that run in processes of their own.
    """

    ready: Mapping[str, RankerFacts]
    off: Mapping[str, str]
    hosted: Mapping[str, Hosted] = field(default_factory=dict)
    blocks: Mapping[str, BlockFacts] = field(default_factory=dict)
    blocks_off: Mapping[str, str] = field(default_factory=dict)
    hosted_blocks: Mapping[str, Hosted] = field(default_factory=dict)
    elsewhere: "Mapping[str, IsolatedPlugin]" = field(default_factory=dict)
    _steps: dict[tuple[Pipeline, ...], Steps] = field(default_factory=dict, repr=False)

    def steps(self, pipelines: tuple[Pipeline, ...]) -> Steps:
        """What runs for a batch of queries with some pipelines: rankers in their order, rerankers last."""
        known = self._steps.get(pipelines)
        if known is None:
            last = dict.fromkeys(reranker for _, reranker in pipelines if reranker)
            first = dict.fromkeys(name for rankers, _ in pipelines for name in rankers if name not in last)
            ordered = (*self.in_order(first), *self.in_order(last))
            read = (other for name in ordered for other in self.after(name) if self.contributes(other))
            known = Steps(tuple(dict.fromkeys(read)), ordered)
            if len(self._steps) >= _REMEMBERED:
                self._steps.clear()
            self._steps[pipelines] = known
        return known

    def in_order(self, names: Iterable[str]) -> list[str]:
        """Names of rankers as they run: as given, but each after those of them whose scores it reads.

        Where rankers read each other's scores, the first of them goes without.
        """
        left = dict.fromkeys(names)
        placed: list[str] = []
        while left:
            self._place(next(iter(left)), left, placed)
        return placed

    def after(self, name: str) -> tuple[str, ...]:
        """What a ranker reads of others; nothing for one that is off."""
        facts = self.ready.get(name)
        return () if facts is None else facts.after

    def contributes(self, plugin: str) -> bool:
        """Whether columns of a plugin are wanted here, had or not."""
        return plugin in self.blocks or plugin in self.blocks_off

    def close(self) -> None:
        """Ends the processes."""
        for plugin in self.elsewhere.values():
            plugin.close()

    # No function within a function: one that calls itself would hold this object, and so a bundle that was replaced, until
    # the collector comes.
    def _place(self, name: str, left: dict[str, None], placed: list[str]) -> None:
        """Moves a name from those that are left to those that have their place, behind those that it comes after."""
        del left[name]
        for other in self.after(name):
            if other in left:
                self._place(other, left, placed)
        placed.append(name)
