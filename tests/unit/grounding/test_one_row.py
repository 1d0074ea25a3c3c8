"""Groups of a reply against the one line of cells of section 四."""

from __future__ import annotations

import pytest

from tests.unit.grounding.tables import END, FOUR, TITLE, align, outcomes, read

LEAD = TITLE + "四、政府信息公开行政复议、行政诉讼情况\n"
NAMES = "结果维持\t结果纠正\t其他结果\t尚未审结\t总计\n"
HEAD = "行政复议\t行政诉讼\n" + NAMES + "未经复议直接起诉\t复议后起诉\n" + NAMES + NAMES
GROUPS = ("review", "litigation_direct", "litigation_after_review")
NUMBERS = [str(number) for number in range(1, 16)]
REPLY = {group: tuple(NUMBERS[5 * place : 5 * place + 5]) for place, group in enumerate(GROUPS)}


def table(cells: list[str] = NUMBERS, head: str = HEAD) -> str:
    return LEAD + head + "\t".join(cells) + "\n" + END


def spaced(text: str) -> str:
    return text.replace("\t", " ")


@pytest.mark.parametrize("flatten", [lambda text: text, spaced, lambda text: spaced(text).replace("\n", " ")])
def test_each_group_has_its_part_of_the_line(flatten: object) -> None:
    document = read(flatten(table()))  # type: ignore[operator]
    found = align(document, FOUR, REPLY)
    assert outcomes(found) == dict.fromkeys(GROUPS, "placed")
    assert [cell.raw for cell in found["litigation_direct"].cells] == ["6", "7", "8", "9", "10"]
    anchor = found["litigation_after_review"].anchor
    assert anchor
    assert document.text[anchor.start : anchor.end] == "复议后起诉"
    assert len({row.region for row in found.values()}) == 1


def test_a_group_alone_has_its_part_too() -> None:
    assert align(read(table()), FOUR, {GROUPS[1]: REPLY[GROUPS[1]]})[GROUPS[1]].outcome == "placed"
    assert align(read(table()), FOUR, {GROUPS[1]: REPLY[GROUPS[0]]})[GROUPS[1]].outcome == "mismatch"


def test_a_wrong_group_does_not_spoil_the_others() -> None:
    found = align(read(table()), FOUR, {**REPLY, GROUPS[0]: ("1", "2", "3", "5", "4"), GROUPS[2]: ("11", "12")})
    assert outcomes(found) == dict(zip(GROUPS, ["mismatch", "placed", "mismatch"], strict=True))


def test_exchanged_groups_are_no_match() -> None:
    found = align(
        read(table()), FOUR, dict(zip(GROUPS, [REPLY[GROUPS[1]], REPLY[GROUPS[0]], REPLY[GROUPS[2]]], strict=True))
    )
    assert outcomes(found) == dict(zip(GROUPS, ["mismatch", "mismatch", "placed"], strict=True))


def test_empty_cells_that_are_to_be_seen() -> None:
    cells = ["", "2", *[""] * 5, "8", "", "", *[""] * 5]
    reply = {GROUPS[0]: (None, "2", None, None, None), GROUPS[1]: (None, None, "8", None, None), GROUPS[2]: (None,) * 5}
    found = align(read(table(cells)), FOUR, reply)
    assert outcomes(found) == dict(zip(GROUPS, ["placed", "placed", "blank"], strict=True))
    for wrong in [("2", None, None, None, None), ("0", "2", "0", "0", "0"), (None,) * 5]:
        assert align(read(table(cells)), FOUR, {GROUPS[0]: wrong})[GROUPS[0]].outcome == "mismatch"


def test_where_cells_were_lost_only_the_tokens_of_the_whole_line_agree() -> None:
    text = spaced(table(["0", "0", "3"]))
    reply = {group: (None, None, None, None, said) for group, said in zip(GROUPS, ["0", "0", "3"], strict=True)}
    assert outcomes(align(read(text), FOUR, reply)) == dict.fromkeys(GROUPS, "tokens")
    assert outcomes(align(read(text), FOUR, {**reply, GROUPS[2]: (None,) * 4 + ("0",)})) == dict.fromkeys(
        GROUPS, "mismatch"
    )
    assert align(read(text), FOUR, {GROUPS[2]: reply[GROUPS[2]]})[GROUPS[2]].outcome == "mismatch"


@pytest.mark.parametrize(
    "head",
    [
        HEAD.replace("未经复议直接起诉\t复议后起诉", "复议后起诉\t未经复议直接起诉"),
        HEAD.replace("结果维持\t结果纠正", "结果纠正\t结果维持"),
        HEAD.replace(NAMES, "", 1),
        HEAD + "复议后起诉\n" + NAMES,
    ],
)
def test_without_the_forms_header_no_column_is_certain(head: str) -> None:
    assert outcomes(align(read(table(head=head)), FOUR, REPLY)) == dict.fromkeys(GROUPS, "tokens")
    assert align(read(table(head=head)), FOUR, {GROUPS[0]: ("1", "2", "3", "5", "4")})[GROUPS[0]].outcome == "mismatch"


def test_a_second_line_of_numbers_makes_both_doubtful() -> None:
    text = table([*NUMBERS, "\n7", "8"])
    assert outcomes(align(read(text), FOUR, REPLY)) == dict.fromkeys(GROUPS, "mismatch")
    text = table([*NUMBERS[:10], "\n" + NUMBERS[10], *NUMBERS[11:]])
    assert outcomes(align(read(text), FOUR, REPLY)) == dict.fromkeys(GROUPS, "tokens")


def test_digits_that_run_together() -> None:
    text = table(["".join(NUMBERS)]).replace("\t", "").replace("\n", "")
    found = align(read(text), FOUR, REPLY)
    assert outcomes(found) == dict.fromkeys(GROUPS, "glued")
    assert [cell.raw for cell in found[GROUPS[1]].cells] == ["6", "7", "8", "9", "10"]
    assert set(outcomes(align(read(text), FOUR, {**REPLY, GROUPS[0]: ("1", "2", "3", "4", "6")})).values()) == {
        "mismatch"
    }


def test_without_a_line_of_cells_nothing_is_anchored() -> None:
    found = align(read(LEAD + HEAD.replace("\t", " ") + END), FOUR, REPLY)
    assert outcomes(found) == dict.fromkeys(GROUPS, "not_anchored")
    wide = HEAD.rstrip("\n") + "\t" * 15 + "\n"  # empty cells beside labels are no line of cells
    assert outcomes(align(read(LEAD + wide + END), FOUR, REPLY)) == dict.fromkeys(GROUPS, "not_anchored")


def test_without_its_label_a_group_is_known_by_the_line_only() -> None:
    found = align(read(table(head=NAMES * 3)), FOUR, REPLY)
    assert outcomes(found) == dict.fromkeys(GROUPS, "tokens")
    assert all(row.is_anchored_by_order and row.anchor is None for row in found.values())


def test_a_label_in_front_of_the_cells_is_none_of_them() -> None:
    assert outcomes(align(read(table(["件数", *NUMBERS])), FOUR, REPLY)) == dict.fromkeys(GROUPS, "placed")


def test_a_number_over_two_columns_has_no_column() -> None:
    rows = "".join("<tr><td>" + line.replace("\t", "<td>") + "</tr>" for line in HEAD.strip().split("\n"))
    cells = "<td colspan=2>1" + "".join(f"<td>{number}" for number in NUMBERS[1:])
    lead = "<p>2023年政府信息公开工作年度报告</p><p>四、政府信息公开行政复议、行政诉讼情况</p>"
    document = read(
        f"<html><body>{lead}<table>{rows}<tr>{cells}</tr></table><p>五、存在的主要问题及改进情况</p></body></html>"
    )
    assert outcomes(align(document, FOUR, REPLY)) == dict.fromkeys(GROUPS, "tokens")


def test_what_stands_at_the_very_end_may_be_cut_off() -> None:
    assert outcomes(align(read(LEAD + HEAD + "\t".join(NUMBERS)), FOUR, REPLY)) == dict.fromkeys(GROUPS, "tokens")


def test_a_cell_that_looks_like_several_makes_the_line_doubtful() -> None:
    found = align(read(table(["00", *NUMBERS[1:]])), FOUR, {**REPLY, GROUPS[0]: ("00", "2", "3", "4", "5")})
    assert outcomes(found) == dict(zip(GROUPS, ["glued", "tokens", "tokens"], strict=True))


def test_a_line_of_nothing_is_blank_with_a_cell_to_spare() -> None:
    blank = dict.fromkeys(GROUPS, (None,) * 5)
    assert outcomes(align(read(table([""] * 16)), FOUR, blank)) == dict.fromkeys(GROUPS, "blank")
    assert outcomes(align(read(table([""] * 14)), FOUR, blank)) == dict.fromkeys(GROUPS, "tokens")
    assert outcomes(align(read(table([""] * 16)), FOUR, REPLY)) == dict.fromkeys(GROUPS, "mismatch")
