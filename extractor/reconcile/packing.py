"""Many small sums in one integer, so that a whole vector is added and compared at once.

Lives here: laying out one bit field for each equation, and the bounds that a partial sum must keep. Called by joint.

Each field has one guard bit above it: a subtraction of two packed vectors leaves the guard set exactly where the
difference is not negative (Lamport, Communications of the ACM 18, 1975).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

#: What one choice of a row adds to each equation that the row stands in.
Vector = Mapping[str, int]


class Packing(NamedTuple):
    """Rows of choices as packed integers, each shifted so that the least of a row is 0.

    Attributes:
        steps: row -> choice -> packed vector.
        reach: row -> packed vector of the greatest that its choices add.
        target: packed vector of what all rows together must add.
        guards: the guard bits.
    """

    steps: tuple[dict[int, int], ...]
    reach: tuple[int, ...]
    target: int
    guards: int


def pack_sums(rows: Sequence[Mapping[int, Vector]], targets: Mapping[str, int]) -> Packing:
    """Pack the choices of all rows.

    Args:
        rows: row -> choice -> vector; every row has a choice.
        targets: what each equation's terms must add up to; within what the rows can add.
    """
    bounds = [bound_row(row) for row in rows]
    shifts: dict[str, int] = {}
    target = guards = position = 0
    for name, amount in targets.items():
        needed = amount - sum(least.get(name, 0) for least, _ in bounds)
        reach = sum(most.get(name, 0) - least.get(name, 0) for least, most in bounds)
        if not reach:
            continue  # nothing is open in it
        shifts[name] = position
        target |= needed << position
        position += max(needed, reach).bit_length() + 1
        guards |= 1 << (position - 1)

    def pack(vector: Vector, least: Vector) -> int:
        return sum((amount - least[name]) << shifts[name] for name, amount in vector.items() if name in shifts)

    return Packing(
        tuple(
            {choice: pack(vector, least) for choice, vector in row.items()}
            for row, (least, _) in zip(rows, bounds, strict=True)
        ),
        tuple(pack(most, least) for least, most in bounds),
        target,
        guards,
    )


def bound_row(row: Mapping[int, Vector]) -> tuple[Vector, Vector]:
    """The least and the most that any choice of a row adds to each equation."""
    names = next(iter(row.values()))
    return (
        {name: min(vector[name] for vector in row.values()) for name in names},
        {name: max(vector[name] for vector in row.values()) for name in names},
    )
