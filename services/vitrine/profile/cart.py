"""What lies in a basket, told by additions, removals and purchases that may arrive in any order."""

# Additions and removals of one item that are remembered one by one; older ones are folded into one.
MAX_MOVES = 32

# (time, pieces): added when positive, removed when negative.
Move = tuple[float, float]


def add_move(moves: list[Move], time: float, pieces: float) -> None:
    """Remembers an addition or removal."""
    moves.append((time, pieces))
    moves.sort(key=_order)
    if len(moves) > MAX_MOVES:
        half = MAX_MOVES // 2
        moves[:half] = [(moves[half - 1][0], pieces_in(moves[:half]))]


def pieces_in(moves: list[Move]) -> float:
    """How many are left after the moves in the order of their times; a basket never holds fewer than none."""
    pieces = 0.0
    for _, change in moves:
        pieces = max(pieces + change, 0.0)
    return pieces


def after_purchase(moves: list[Move], time: float) -> list[Move]:
    """The moves that a purchase at ``time`` leaves: it empties the basket of what was put there before."""
    return [move for move in moves if move[0] > time]


def _order(move: Move) -> tuple[float, float]:
    """By time; additions before removals of the same moment."""
    return move[0], -move[1]
