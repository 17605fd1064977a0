"""Files with a list of items on each line."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from vitrine.domain.ids import MAX_ID_BYTES
from vitrine.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Lines:
    """l lists of items.

    Attributes:
        names: Whose each is: the user, or the number of the line from 0.
        items: The items of each, oldest first where the file has an order.
    """

    names: list[str]
    items: list[list[str]]

    def __len__(self) -> int:
        return len(self.names)


def read_users(path: Path, option: str) -> Lines:
    """Lines of ``user item item …``, separated by blanks or tabs. Lines of one user are one list; users without items stay.

    Args:
        path: The file, UTF-8.
        option: What the command line calls it.

    Raises:
        InvalidInput: It cannot be read, or holds nothing.
    """
    found: dict[str, list[str]] = {}
    for _, line in _lines(path, option):
        user, *items = line.split()
        found.setdefault(user, []).extend(items)
    _refuse_empty(found.values(), path, option)
    return Lines(list(found), list(found.values()))


def read_sessions(path: Path, option: str) -> Lines:
    """Lines of ``item item …``; arguments and errors as for `read_users`."""
    names, sessions = [], []
    for number, line in _lines(path, option):
        names.append(str(number))
        sessions.append(line.split())
    _refuse_empty(sessions, path, option)
    return Lines(names, sessions)


@dataclass(frozen=True, slots=True)
class Prefixes:
    """l beginnings of visits, and what came next.

    Attributes:
        lines: What is shown, named by the numbers of the lines from 0.
        targets: What came next.
        owners: Whose visit each is of.
    """

    lines: Lines
    targets: list[str]
    owners: list[str]


def read_prefixes(path: Path, option: str) -> Prefixes:
    """Lines of ``item item … TAB target``, ``… TAB target TAB visitor``, or without any tab ``item item … target``.

    Tabs separate columns, blanks the items of a prefix. The third column says whose visit it is; where it is empty or not
    there each line is somebody's own. Further columns are left alone. All lines have the same number of columns: in a file
    with tabs between the items, too, nobody could tell an item from a visitor.

    Raises:
        InvalidInput: It cannot be read, holds nothing, or a line has another number of columns than the first one, no prefix,
            or not one target; names the line.
    """
    names, prefixes, targets, owners = [], [], [], []
    columns, first = 0, 0
    for number, line in _lines(path, option):
        cells = line.split("\t")
        if not columns:
            columns, first = len(cells), number
        elif len(cells) != columns:
            raise InvalidInput(
                option,
                f"{path}, line {number + 1}: has {_columns(len(cells))}, but line {first + 1} has {columns}; tabs separate "
                "the columns prefix, target, visitor, the same in every line, and blanks the items of a prefix",
            )
        shown, after = (cells[0].split(), cells[1].split()) if len(cells) > 1 else _last(line.split())
        if not shown or len(after) != 1:
            raise InvalidInput(
                option,
                f"{path}, line {number + 1}: is not 'item item … TAB target'; each line shows at least one item "
                "and asks for one",
            )
        names.append(str(number))
        prefixes.append(shown)
        targets.append(after[0])
        owners.append(
            f"visitor {cells[2].strip()}" if len(cells) > 2 and cells[2].strip() else f"line {number}"
        )
    _refuse_empty(prefixes, path, option)
    return Prefixes(Lines(names, prefixes), targets, owners)


def _columns(count: int) -> str:
    return "1 column" if count == 1 else f"{count} columns"


def _last(items: list[str]) -> tuple[list[str], list[str]]:
    return items[:-1], items[-1:]


def _lines(path: Path, option: str) -> Iterator[tuple[int, str]]:
    """Lines that are not blank, with their numbers from 0."""
    try:
        with path.open(encoding="utf-8-sig") as file:
            for number, line in enumerate(file):
                text = line.strip("\r\n")
                if not text.strip():
                    continue
                if any(
                    len(token.encode()) > MAX_ID_BYTES
                    for token in text.split()
                    if len(token) > MAX_ID_BYTES // 4
                ):
                    raise InvalidInput(
                        option, f"{path}, line {number + 1}: an identifier has more than {MAX_ID_BYTES} bytes"
                    )
                yield number, text
    except UnicodeDecodeError:
        raise InvalidInput(
            option, f"{path} is not UTF-8 text; one list of items a line is expected"
        ) from None
    except OSError as error:
        raise InvalidInput(option, f"cannot read {path}: {error.strerror or error}") from None


def _refuse_empty(lists: Iterable[list[str]], path: Path, option: str) -> None:
    if not any(lists):
        raise InvalidInput(option, f"{path} names no item; nothing can be learned or measured")
