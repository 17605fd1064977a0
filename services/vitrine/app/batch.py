"""Windows for many shoppers at once, as a table."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from vitrine.app.offline import Answer, OfflineShop
from vitrine.domain.ids import check_id
from vitrine.domain.subject import Subject
from vitrine.errors import InvalidInput
from vitrine.progress import Progress, quiet
from vitrine.recommendation.query import WindowQuery

USER_ID = "user_id"
# Shoppers ranked together: beyond that, nothing gets faster.
BATCH = 64

SCHEMA: dict[str, type[pl.DataType]] = {
    "query": pl.String,
    "rank": pl.Int32,
    "item": pl.String,
    "score": pl.Float32,
    "reason": pl.String,
}


def read_users(file: Path) -> list[str]:
    """The user ids of a file, each once, in their order.

    Args:
        file: Parquet or CSV (by its suffix) with a column ``user_id``; anything else is text with one id a line.

    Raises:
        InvalidInput: The file cannot be read, lacks the column, holds an id that is none, or is empty.
    """
    try:
        if file.suffix == ".parquet":
            table = pl.read_parquet(file)
        elif file.suffix == ".csv":
            table = pl.read_csv(file, infer_schema=False)
        else:
            table = pl.DataFrame(
                {USER_ID: [line.strip() for line in file.read_text("utf-8-sig").splitlines()]}
            )
    except FileNotFoundError:
        raise InvalidInput("users", f"{file}: no such file") from None
    except (OSError, UnicodeDecodeError, pl.exceptions.PolarsError) as error:
        raise InvalidInput("users", f"{file} cannot be read: {error}") from None
    if USER_ID not in table.columns:
        raise InvalidInput("users", f"{file} has no column '{USER_ID}'; it has {', '.join(table.columns)}")
    ids = table.select(pl.col(USER_ID).cast(pl.String)).to_series()
    ids = ids.filter(ids.is_not_null() & (ids != "")).unique(maintain_order=True)
    if ids.is_empty():
        raise InvalidInput("users", f"{file} names nobody; write one user id a line")
    return [check_id(user, "users") for user in ids.to_list()]


def recommend_batch(
    shop: OfflineShop, users: Sequence[str], scene: str, limit: int, progress: Progress = quiet
) -> pl.DataFrame:
    """The windows of a scene for many customers, with the columns of `SCHEMA`.

    Args:
        shop: The shop.
        users: User ids; for one that the shop does not know, the window is that of somebody unknown.
        scene: Which window.
        limit: How many items each.
        progress: Told how far it is.

    Raises:
        InvalidInput: The scene is not configured.
    """
    if scene not in shop.config.scenes:
        raise InvalidInput("scene", f"unknown scene '{scene}'; configured: {', '.join(shop.config.scenes)}")
    parts = [pl.DataFrame(schema=SCHEMA)]
    for start in range(0, len(users), BATCH):
        some = users[start : start + BATCH]
        parts.append(_rows(shop.answers([WindowQuery(Subject(user), scene, limit) for user in some])))
        progress(f"windows of '{scene}'", (start + len(some)) / len(users))
    return pl.concat(parts)


def _rows(answers: Sequence[Answer]) -> pl.DataFrame:
    lengths = [len(a.ordered.positions) for a in answers]
    subjects = [a.query.subject.id if a.query.subject else "" for a in answers]
    return pl.DataFrame(
        {
            "query": np.repeat(np.array(subjects, object), lengths).tolist(),
            "rank": np.concatenate([np.arange(1, n + 1, dtype=np.int32) for n in lengths]),
            "item": [item_id for a in answers for item_id in a.item_ids],
            "score": np.concatenate([a.ordered.scores for a in answers]),
            "reason": [reason.text for a in answers for reason in a.ordered.reasons],
        },
        schema=SCHEMA,
    )
