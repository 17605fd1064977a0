"""The configuration file: every field documented, every unknown key refused with the nearest known name."""

import hashlib
import tomllib
from collections.abc import Mapping
from functools import cached_property
from importlib import resources
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from vitrine.domain.profile import DAY
from vitrine.errors import ConfigError
from vitrine.validation import Mistake, Where, read_table

Positive = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(ge=0, le=1)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """As pydantic's, but what was derived from the old values (`cached_property`) is derived anew."""
        copy = super().model_copy(update=update, deep=deep)
        for name in set(vars(copy)) - set(type(self).model_fields):
            del vars(copy)[name]
        return copy


class ProfileConfig(_Section):
    """How shoppers are remembered."""

    long_half_life_days: Positive = Field(30, description="Half-life of the long-term interest.")
    short_half_life_days: Positive = Field(1, description="Half-life of the short-term interest.")
    max_items: int = Field(
        4096, ge=1, description="Items remembered a shopper; the least interesting go first."
    )
    max_recent: int = Field(200, ge=1, description="Latest events kept in order.")
    visit_gap_minutes: Positive = Field(30, description="A longer pause between two events ends a visit.")
    max_keys: int = Field(256, ge=1, description="Categories, brands and price bands remembered a shopper.")
    max_event_age_days: Positive = Field(
        7, description="Older events are refused, unless they are a backfill."
    )
    max_clock_skew_seconds: Positive = Field(300, description="How far in the future an event may be.")
    cache_profiles: int = Field(50_000, ge=0, description="Profiles kept decoded in memory.")

    @property
    def visit_gap(self) -> float:
        """In seconds."""
        return self.visit_gap_minutes * 60

    @property
    def long_half_life(self) -> float:
        """In seconds."""
        return self.long_half_life_days * DAY

    @property
    def short_half_life(self) -> float:
        """In seconds."""
        return self.short_half_life_days * DAY


class RetrievalConfig(_Section):
    """How candidates are found."""

    popular_half_life_days: Positive = Field(
        30, description="Half-life of the weight of an event in 'popular'."
    )
    trending_half_life_days: Positive = Field(
        2, description="The same for 'trending', set against 'popular'."
    )
    new_arrival_days: Positive = Field(30, description="How long an item is new.")
    max_seeds: int = Field(50, ge=1, description="Items of a shopper's history that sources start from.")


class PluginConfig(_Section):
    """What the host does with one plugin."""

    enabled: bool = Field(True, description="Off: its column is missing, and every answer says so.")
    isolation: Literal["thread", "process"] = Field(
        "thread",
        description="Where it runs: 'thread', in the server, where errors, wrong answers and sleeping are contained; "
        "'process', in one of its own, where spinning, crashing and leaking are, too.",
    )
    processes: int = Field(
        1,
        ge=1,
        le=16,
        description="With isolation 'process': how many of them; each works on one call at a time.",
    )
    memory_mb: int = Field(
        1024, ge=64, description="With isolation 'process': memory that each may take, its models included."
    )
    budget_ms: Positive | None = Field(
        None, description="Time for a call with up to 1,000 candidates, instead of what the plugin declares."
    )
    settings: dict[str, Any] = Field(
        default_factory=dict, description="The plugin's own; its model says which (`vitrine config check`)."
    )


_USUAL = PluginConfig()


class RankingConfig(_Section):
    """What becomes of a plugin that fails again and again."""

    failures: int = Field(
        5,
        ge=1,
        le=20,
        description="So many failures among its last 20 calls, and it is not called for a while.",
    )
    retry_seconds: Positive = Field(
        10, description="How long; twice as long after each try that fails, up to 16 times as long."
    )


class RecommendationConfig(_Section):
    """How the front spends its time."""

    default_deadline_ms: Positive = Field(500, description="Time for a call whose caller set no deadline.")
    margin_ms: Positive = Field(5, description="Kept back to send the answer.")
    profile_share: Share = Field(0.25, description="Share of the time that reading the profile may take.")
    retrieval_share: Share = Field(0.5, description="Share of what is then left that retrieval may take.")


class InferenceConfig(_Section):
    """What models run on, and for how long."""

    provider: Literal["auto", "cuda", "cpu"] = Field(
        "auto", description="'auto': the GPU where there is one; 'cuda': refuse to start without; 'cpu'."
    )
    threads: int = Field(
        1, ge=1, le=256, description="Threads of one run on the CPU; requests run side by side already."
    )
    # Where one model hangs, the stage that waits for it must still have time to answer without it.
    budget_ms: Positive = Field(
        100,
        description="Time for one run of a model; what takes longer is stopped. A call with more rows than "
        "max_batch_rows has longer in proportion.",
    )
    max_batch_rows: int = Field(
        8192,
        ge=1,
        description="Rows that requests which come together may fill in one run; on the CPU at most 64, since larger "
        "runs cost more together than apart.",
    )
    batch_wait_us: int | None = Field(
        None,
        ge=0,
        le=100_000,
        description="Microseconds that a run waits for others to share it; unless set none on the CPU and 200 on a GPU.",
    )
    max_waiting: int = Field(
        256,
        ge=1,
        description="Requests that may wait for a model; answers to more of them do without it at once, and say so.",
    )

    @property
    def budget(self) -> float:
        """Time for one run, in seconds."""
        return self.budget_ms / 1000


class RulesConfig(_Section):
    """Business rules of a scene. Hidden and unsellable items are never shown, whatever stands here."""

    exclude_purchased: bool = Field(False, description="Leave out what the shopper bought.")
    purchased_within_days: Positive = Field(36500, description="…if that was at most so long ago.")
    exclude_seen: bool = Field(False, description="Leave out whatever the shopper has had to do with.")
    exclude_in_cart: bool = Field(True, description="Leave out what lies in the basket.")
    in_cart_within_days: Positive = Field(14, description="…if it was touched at most so long ago.")
    exclude_seeds: bool = Field(True, description="Leave out the items that the window is about.")
    max_per_brand: int = Field(0, ge=0, description="At most so many items of a brand; 0 means no limit.")
    max_per_category: int = Field(
        0, ge=0, description="At most so many items of a leaf category; 0: no limit."
    )
    newcomer_every: int = Field(
        0,
        ge=0,
        description="One place in each so many goes to what came in lately and nobody has turned to yet, where there is "
        "such; 0: none.",
    )


class SceneConfig(_Section):
    """One kind of window."""

    description: str = Field("", description="What the window is for.")
    sources: dict[str, Annotated[int, Field(ge=0, le=5000)]] = Field(
        description="Sources to ask and how many candidates to take from each; 0 switches one off."
    )
    candidates: int = Field(500, ge=1, le=5000, description="Candidates that go to ranking.")
    weights: dict[str, float] = Field(
        description="Weight of each ranker, and of each source as 'source:NAME', in the final score; 0 is off."
    )
    reranker: str = Field(
        "",
        description="A ranker that runs last, sees the scores of all others, and decides the order alone; where it "
        "cannot answer, the weights decide.",
    )
    diversity: Share = Field(0.0, description="0: by score alone; towards 1: the more different the better.")
    rules: RulesConfig = Field(default_factory=RulesConfig)

    @property
    def active_sources(self) -> dict[str, int]:
        """The sources that are on."""
        return {name: limit for name, limit in self.sources.items() if limit > 0}

    @cached_property
    def rankers(self) -> tuple[str, ...]:
        """The rankers that are on."""
        return tuple(
            n
            for n, w in self.weights.items()
            if w != 0 and not n.startswith("source:") and n != self.reranker
        )


class Config(_Section):
    """Everything that a server can be told."""

    shop: str = Field(
        "default", pattern=r"^[a-z0-9_-]{1,32}$", description="Prefix of every key in the stores."
    )
    seed: int = Field(0, description="Decides between equal scores.")
    profile: ProfileConfig = Field(default_factory=ProfileConfig)
    retrieval: RetrievalConfig = Field(default_factory=RetrievalConfig)
    recommendation: RecommendationConfig = Field(default_factory=RecommendationConfig)
    inference: InferenceConfig = Field(default_factory=InferenceConfig)
    ranking: RankingConfig = Field(default_factory=RankingConfig)
    features: tuple[str, ...] = Field(
        (), description="Plugins whose feature columns the rerankers learn from; training reads this."
    )
    plugins: dict[str, PluginConfig] = Field(
        default_factory=dict,
        description="What is done with each plugin, by name; nothing special unless told.",
    )
    scenes: dict[str, SceneConfig] = Field(description="The windows, by name.")

    def plugin(self, name: str) -> PluginConfig:
        """What is done with a plugin."""
        return self.plugins.get(name, _USUAL)

    def runs_apart(self, plugin: str) -> bool:
        """Whether a plugin runs in processes of its own."""
        return self.plugin(plugin).isolation == "process"

    @cached_property
    def fingerprint(self) -> str:
        """Twelve hexadecimal digits that change with any setting."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:12]


def load_config(path: Path | None = None) -> Config:
    """Reads the defaults and, over them, a TOML file.

    Args:
        path: The file; ``None`` for the defaults alone. A table in it is merged into the default one key by key.

    Raises:
        ConfigError: The file is missing, is not TOML, or has a key or value that is not allowed; names all of them.
    """
    config, wrong = read_config(path)
    if wrong:
        raise ConfigError(f"{path or 'default configuration'}: " + "; ".join(wrong))
    return config


def overlaid(given: Mapping[str, Any], path: Path | None, name: str) -> Config:
    """The defaults, over them a table, over that a TOML file.

    Args:
        given: The table.
        path: The file, if any.
        name: What messages call the table.

    Raises:
        ConfigError: As `load_config`.
    """
    table, mistakes = read_table(Config, _merge(_defaults(), given))
    if table is None:
        raise ConfigError(f"{name}: " + "; ".join(_said(mistake) for mistake in mistakes))
    if path is None:
        return table
    config, mistakes = read_table(Config, _merge(_merge(_defaults(), given), _given(path)))
    if config is None:
        raise ConfigError(f"{path}: " + "; ".join(_said(mistake) for mistake in mistakes))
    return config


def _defaults() -> dict[str, Any]:
    return tomllib.loads((resources.files("vitrine") / "default.toml").read_text("utf-8"))


def _given(path: Path) -> dict[str, Any]:
    """The tables of a file."""
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such configuration file") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read as a configuration file: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not a valid TOML file: {error}") from None


def read_config(path: Path | None = None) -> tuple[Config, list[str]]:
    """As `load_config`, but answers what is wrong, and what the file says without that, for further checks.

    Raises:
        ConfigError: The file is missing or is not TOML.
    """
    defaults = _defaults()
    given = {} if path is None else _given(path)
    config, mistakes = read_table(Config, _merge(defaults, given))
    wrong = [_said(mistake) for mistake in mistakes]
    while config is None:
        # All at once: each out of the way of what it would hide. Deepest first, each place once: with its table gone, a
        # second mistake would take the table above.
        wheres = sorted({mistake.where for mistake in mistakes}, key=len, reverse=True)
        if not sum(_removed(given, where) for where in wheres):
            raise ConfigError(f"{path or 'default configuration'}: " + "; ".join(wrong))
        config, mistakes = read_table(Config, _merge(defaults, given))
    return config, wrong


def _merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        merged[key] = _merge(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged


def _said(mistake: Mistake) -> str:
    match mistake.where:
        case ("plugins", name, str()) if mistake.text.startswith("unknown key"):
            return f"{mistake.text} (settings of its own stand under [plugins.{name}.settings])"
    return mistake.text


def _removed(table: dict[str, Any], where: Where) -> bool:
    """Takes out the key at a path, or the last on the way to it that is there; whether there was any."""
    holder: Any = table
    for part, after in pairwise(map(str, where)):
        if not isinstance(holder.get(part), dict) or after not in holder[part]:
            return holder.pop(part, None) is not None
        holder = holder[part]
    return bool(where) and holder.pop(str(where[-1]), None) is not None
