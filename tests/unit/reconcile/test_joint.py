"""The engine: exact counts, the same as by trying everything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import product
from math import prod

from hypothesis import given
from hypothesis import strategies as st

from extractor.forms import Section, load_forms
from extractor.reconcile.joint import Block, solve_jointly
from extractor.reconcile.system import Amount, System, load_system


def section() -> Section:
    found = load_forms().section("applications", "2021")
    assert found is not None
    return found


def system(**terms: Mapping[str, int]) -> System:
    return System(section(), terms, {})


def try_everything(
    blocks: Sequence[Block], terms: Mapping[str, Mapping[str, int]], constants: Mapping[str, Amount]
) -> tuple[int, dict[str, tuple[int, ...]]]:
    inside = {name for block in blocks for name in block.fields}
    used = [signs for signs in terms.values() if signs.keys() & inside and signs.keys() <= inside | constants.keys()]
    total = 0
    through = {block.name: [0] * len(block.choices) for block in blocks}
    for choices in product(*(range(len(block.choices)) for block in blocks)):
        values = dict(constants)
        for block, choice in zip(blocks, choices, strict=True):
            values |= zip(block.fields, block.choices[choice], strict=True)
        if any(sum(sign * values[name] for name, sign in signs.items()) for signs in used):
            continue
        ways = prod(block.counts[choice] for block, choice in zip(blocks, choices, strict=True))
        total += ways
        for block, choice in zip(blocks, choices, strict=True):
            through[block.name][choice] += ways
    return total, {name: tuple(counts) for name, counts in through.items()}


@st.composite
def problems(draw: st.DrawFn) -> tuple[list[Block], dict[str, dict[str, int]], dict[str, int]]:
    blocks = []
    for number in range(draw(st.integers(1, 4))):
        width = draw(st.integers(1, 3))
        vector = st.tuples(*[st.integers(-2, 3)] * width)
        choices = draw(st.lists(vector, max_size=5, unique=True))
        counts = draw(st.lists(st.integers(1, 3), min_size=len(choices), max_size=len(choices)))
        fields = tuple(f"{number}.{place}" for place in range(width))
        blocks.append(Block(str(number), fields, tuple(choices), tuple(counts)))
    constants = {f"c{number}": draw(st.integers(-2, 3)) for number in range(2)}
    cells = [*(name for block in blocks for name in block.fields), *constants, "unknown"]
    signs = st.dictionaries(st.sampled_from(cells), st.sampled_from((1, -1)), min_size=1, max_size=5)
    terms = {f"e{number}": found for number, found in enumerate(draw(st.lists(signs, max_size=4)))}
    return blocks, terms, constants


@given(problems())
def test_counts_are_those_of_trying_everything(
    problem: tuple[list[Block], dict[str, dict[str, int]], dict[str, int]],
) -> None:
    blocks, terms, constants = problem
    joint = solve_jointly(blocks, system(**terms), constants)
    assert joint.is_complete
    assert (joint.solutions, dict(joint.through)) == try_everything(blocks, terms, constants)


def test_an_equation_with_an_unknown_cell_takes_no_part() -> None:
    block = Block("row", ("a",), ((1,), (2,)), (1, 1))
    joint = solve_jointly([block], system(open={"a": 1, "b": -1}, known={"a": 1, "c": -1}), {"c": 2})
    assert (joint.solutions, joint.equations, joint.through["row"]) == (1, ("known",), (0, 1))


def test_whole_numbers_never_add_up_to_a_fraction() -> None:
    block = Block("row", ("a",), ((1,), (2,)), (1, 1))
    terms = system(e={"a": 1, "c": -1})
    assert solve_jointly([block], terms, {"c": Decimal("1.5")}).solutions == 0
    assert solve_jointly([block], terms, {"c": Decimal("2.0")}).solutions == 1


def test_counts_may_be_huge() -> None:
    """A lone 0 in each of 25 rows of seven cells: nothing excludes anything."""
    form = section()
    rows = [tuple(form.field_id(row.id, column.id) for column in row.columns) for row in form.rows]
    blocks = [Block(str(number), fields, ((0,) * 7,), (7,)) for number, fields in enumerate(rows)]
    whole = load_system("applications", "2021")
    assert whole is not None
    joint = solve_jointly(blocks, whole, {})
    assert joint.solutions == 7**25
    assert len(joint.equations) == 39


def test_the_work_limit_is_said_and_nothing_is_counted() -> None:
    amounts = (3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41)
    blocks = [Block(f"x{n}", (f"x{n}",), ((0,), (n,)), (1, 1)) for n in amounts]
    terms = system(e={f"x{n}": 1 for n in amounts} | {"c": -1})
    joint = solve_jointly(blocks, terms, {"c": 100}, limit=50)
    assert (joint.is_complete, joint.solutions) == (False, 0)
    assert not any(any(counts) for counts in joint.through.values())
    whole = solve_jointly(blocks, terms, {"c": 100})
    assert (whole.solutions, dict(whole.through)) == try_everything(blocks, terms.terms, {"c": 100})
