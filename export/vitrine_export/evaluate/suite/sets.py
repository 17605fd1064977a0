"""Which data sets are measured, and how."""

from collections.abc import Sequence
from dataclasses import dataclass

# Three months of Online Retail, each trained on what came before.
MONTHS = (("2011-07-01", "2011-08-01"), ("2011-08-01", "2011-09-01"), ("2011-09-01", "2011-10-01"))


@dataclass(frozen=True, slots=True)
class Run:
    """One run of `vitrine evaluate`.

    Attributes:
        key: Its folder.
        data: The data set, for people.
        needs: The files that it reads, below the folder of the data.
        options: Of the command; ``{data}`` is the folder of the data, ``{work}`` the one for what is made.
        before: A `vitrine` command to run first, where there is one.
    """

    key: str
    data: str
    needs: tuple[str, ...]
    options: tuple[str, ...]
    before: tuple[str, ...] = ()

    def command(self, data: str, work: str) -> list[str]:
        """The arguments of `vitrine`, without where the report goes."""
        return ["evaluate", *filled(self.options, data, work)]


RUNS = (
    Run(
        "retailrocket",
        "RetailRocket",
        ("retailrocket/train_sessions.txt", "retailrocket/test_prefix_target.tsv"),
        (
            *("--protocol", "sessions", "--train", "{data}/retailrocket/train_sessions.txt"),
            *("--test", "{data}/retailrocket/test_prefix_target.tsv"),
        ),
    ),
    Run(
        "gowalla",
        "Gowalla",
        ("gowalla/train.txt", "gowalla/test.txt"),
        (
            *("--protocol", "fixed-split", "--train", "{data}/gowalla/train.txt"),
            *("--test", "{data}/gowalla/test.txt"),
        ),
    ),
    Run(
        "amazon-beauty",
        "Amazon Beauty",
        ("amazon-beauty/sequences.txt", "amazon-beauty/items.parquet"),
        (
            *("--protocol", "leave-one-out", "--sequences", "{data}/amazon-beauty/sequences.txt"),
            *("--items", "{data}/amazon-beauty/items.parquet"),
        ),
    ),
    *(
        Run(
            f"online-retail-{start[:7]}",
            f"Online Retail, {start[:7]}",
            ("online-retail/transactions.parquet",),
            ("--protocol", "temporal", "--data", "{work}/retail", "--from", start, "--to", end),
            (
                "import",
                "online-retail",
                "{data}/online-retail/transactions.parquet",
                "--out",
                "{work}/retail",
            ),
        )
        for start, end in MONTHS
    ),
)


def filled(options: Sequence[str], data: str, work: str) -> list[str]:
    """Options with the folders put in."""
    return [option.format(data=data, work=work) for option in options]
