"""Which readings of several rows fit together: exact counts under a table's equations.

Lives here: one engine for two questions. Glued digits: the choices of a row are its splits. Lost positions: they
are the placements of the row's surviving numbers. Does not live here: where choices come from (splits, positions)
and what follows from the counts.

Method: bounds first narrow each row's choices. Then dynamic programming over the rows, from both ends of the table,
with the sums that the open equations have reached as state; the halves meet in the middle (Horowitz and Sahni,
Journal of the ACM 21, 1974). Solutions are counted, never listed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from extractor.reconcile.packing import Packing, Vector, bound_row, pack_sums
from extractor.reconcile.system import Amount, System

#: Most steps from one state to a next. Sparse tables take some hundreds.
MOST_STEPS = 1_000_000

#: State -> in how many ways it is reached.
_Layer = dict[int, int]
#: Choice -> what it adds to each equation.
_Row = dict[int, Vector]


class Block(NamedTuple):
    """One row (or the whole of a one-row table), and what it may say.

    Attributes:
        name: of the row; distinct within a table.
        fields: ids of its cells.
        choices: value vectors, distinct, each as long as `fields`.
        counts: for each choice, how many readings of the row give it.
    """

    name: str
    fields: tuple[str, ...]
    choices: tuple[tuple[int, ...], ...]
    counts: tuple[int, ...]


class Joint(NamedTuple):
    """What the equations leave.

    Attributes:
        solutions: how many combinations, one reading for each block, satisfy every equation that took part.
        is_complete: false when the work limit was reached; all counts are then 0 and say nothing.
        through: block name -> for each choice, the number of solutions that use it.
        equations: ids of the equations that took part.
    """

    solutions: int
    is_complete: bool
    through: Mapping[str, tuple[int, ...]]
    equations: tuple[str, ...]


def solve_jointly(
    blocks: Sequence[Block], system: System, constants: Mapping[str, Amount], limit: int = MOST_STEPS
) -> Joint:
    """Count the combinations of choices that satisfy the equations.

    Args:
        blocks: the open rows; they share no field.
        system: the equations. Those without a cell of a block, and those with a cell that is neither in a block nor
            a constant, take no part.
        constants: value by field id.
        limit: most steps of work.
    """
    inside = {field_id for block in blocks for field_id in block.fields}
    known = inside | constants.keys()
    terms = {name: signs for name, signs in system.terms.items() if signs.keys() & inside and signs.keys() <= known}
    nothing = {block.name: (0,) * len(block.choices) for block in blocks}
    rests = {
        name: sum(sign * constants[field_id] for field_id, sign in signs.items() if field_id not in inside)
        for name, signs in terms.items()
    }
    targets = {name: -int(rest) for name, rest in rests.items()}
    rows = _narrow([_add_up(block, terms) for block in blocks], targets)
    # Whole numbers never add up to a fraction.
    if not all(rows) or any(rest != int(rest) for rest in rests.values()):
        return Joint(0, True, nothing, tuple(terms))
    order = _order(rows, targets)
    found = _Search(pack_sums([rows[i] for i in order], targets), [blocks[i].counts for i in order], limit).run()
    if found is None:
        return Joint(0, False, nothing, tuple(terms))
    solutions, flows = found
    through = {
        blocks[i].name: tuple(flow.get(choice, 0) for choice in range(len(blocks[i].choices)))
        for i, flow in zip(order, flows, strict=True)
    }
    return Joint(solutions, True, nothing | through, tuple(terms))


def _add_up(block: Block, terms: Mapping[str, Mapping[str, int]]) -> _Row:
    """What each choice of a block adds to each equation that the block stands in."""
    places = {
        name: [(place, signs[field_id]) for place, field_id in enumerate(block.fields) if field_id in signs]
        for name, signs in terms.items()
    }
    places = {name: found for name, found in places.items() if found}
    return {
        choice: {name: sum(sign * values[place] for place, sign in found) for name, found in places.items()}
        for choice, values in enumerate(block.choices)
    }


def _narrow(rows: Sequence[_Row], targets: Mapping[str, int]) -> list[_Row]:
    """Drop choices that cannot be completed whatever the other rows say, until nothing more can be dropped."""
    kept = list(rows)
    before = -1
    while all(kept) and sum(map(len, kept)) != before:
        before = sum(map(len, kept))
        bounds = [bound_row(row) for row in kept]
        lowest: Counter[str] = Counter()
        highest: Counter[str] = Counter()
        for least, most in bounds:
            lowest.update(least)
            highest.update(most)
        for i, (least, most) in enumerate(bounds):
            # What the row itself may add, given what the others can.
            ceiling = {name: targets[name] - lowest[name] + least[name] for name in least}
            floor = {name: targets[name] - highest[name] + most[name] for name in most}
            kept[i] = {
                choice: vector
                for choice, vector in kept[i].items()
                if all(floor[name] <= amount <= ceiling[name] for name, amount in vector.items())
            }
    return kept


def _order(rows: Sequence[_Row], targets: Mapping[str, int]) -> list[int]:
    """Rows of short equations first, so that these are closed early."""
    members = {name: [i for i, row in enumerate(rows) if name in next(iter(row.values()))] for name in targets}
    by_length = sorted(members.values(), key=len)
    return list(dict.fromkeys([*(i for found in by_length for i in found), *range(len(rows))]))


class _Search:
    """The two halves of the table, each grown from its end until they meet."""

    def __init__(self, packing: Packing, counts: Sequence[Sequence[int]], limit: int) -> None:
        self.packing = packing
        self.counts = counts
        self.left_over = limit
        # Choices that add the same are one step.
        self.steps: list[Counter[int]] = []
        for row, readings in zip(packing.steps, counts, strict=True):
            steps: Counter[int] = Counter()
            for choice, step in row.items():
                steps[step] += readings[choice]
            self.steps.append(steps)

    def run(self) -> tuple[int, list[dict[int, int]]] | None:
        """The number of solutions, and for each row how many go through each choice; None at the limit."""
        ahead: list[_Layer] = [{0: 1}]
        behind: list[_Layer] = [{0: 1}]
        first, last = 0, len(self.steps)
        unused = sum(self.packing.reach)
        behind_unused = unused
        while first < last:
            if len(ahead[-1]) * len(self.steps[first]) <= len(behind[-1]) * len(self.steps[last - 1]):
                unused -= self.packing.reach[first]
                grown = self._extend(ahead[-1], self.steps[first], unused)
                first += 1
                layers = ahead
            else:
                last -= 1
                behind_unused -= self.packing.reach[last]
                grown = self._extend(behind[-1], self.steps[last], behind_unused)
                layers = behind
            if grown is None:
                return None
            layers.append(grown)
        target = self.packing.target
        joined = {state: behind[-1][target - state] for state in ahead[-1] if target - state in behind[-1]}
        solutions = sum(ahead[-1][state] * ways for state, ways in joined.items())
        flows = self._trace(ahead, range(first), joined)
        returned = {target - state: ahead[-1][state] for state in joined}
        flows |= self._trace(behind, range(len(self.steps) - 1, last - 1, -1), returned)
        return solutions, [self._share(row, flows[row]) for row in range(len(self.steps))]

    def _extend(self, layer: _Layer, steps: Mapping[int, int], unused: int) -> _Layer | None:
        """One row further; states that the rows not yet used cannot complete are left out."""
        self.left_over -= len(layer) * len(steps)
        if self.left_over < 0:
            return None
        guards = self.packing.guards
        ceiling = self.packing.target | guards
        floor = unused + guards - self.packing.target
        grown: _Layer = {}
        for state, ways in layer.items():
            for step, count in steps.items():
                reached = state + step
                if (ceiling - reached) & (floor + reached) & guards == guards:
                    grown[reached] = grown.get(reached, 0) + ways * count
        return grown

    def _trace(self, layers: Sequence[_Layer], rows: Sequence[int], ends: _Layer) -> dict[int, dict[int, int]]:
        """Walk back from the states that are part of a solution; for each row, the solutions by step."""
        flows: dict[int, dict[int, int]] = {}
        for row, layer in zip(reversed(rows), reversed(layers[:-1]), strict=True):
            flow = dict.fromkeys(self.steps[row], 0)
            starts: _Layer = {}
            for state, ways in layer.items():
                for step, count in self.steps[row].items():
                    onward = ends.get(state + step)
                    if onward:
                        flow[step] += ways * onward
                        starts[state] = starts.get(state, 0) + count * onward
            flows[row] = flow
            ends = starts
        return flows

    def _share(self, row: int, flow: Mapping[int, int]) -> dict[int, int]:
        """Solutions by step -> solutions by choice."""
        return {choice: self.counts[row][choice] * flow[step] for choice, step in self.packing.steps[row].items()}
