"""One page by its text layer: words, cells, what is unread, and when the layer is not believed."""

from __future__ import annotations

import flatten
import paper
import pymupdf
import pytest

from extractor.model import UNREAD
from extractor.sources.pages.characters import mend_character
from extractor.sources.pages.shapes import PageContent
from extractor.sources.pages.text_layer import Unfit

ROWS = [["信息内容", "本年处理决定数量"], ["行政许可", ""], ["行政处罚", "7"]]
OPEN, FULL = 3, 5


def draw() -> tuple[paper.Sheet, list[pymupdf.Rect]]:
    sheet = paper.Sheet()
    return sheet, sheet.grid(ROWS)


def paint(page: pymupdf.Page, operators: str) -> None:
    """Append PDF operators, whose origin is the lower left corner."""
    xref = page.parent.get_new_xref()
    page.parent.update_object(xref, "<<>>")
    page.parent.update_stream(xref, f"q {operators} Q".encode())
    contents = " ".join(f"{each} 0 R" for each in [*page.get_contents(), xref])
    page.parent.xref_set_key(page.xref, "Contents", f"[{contents}]")


# ---------------------------------------------------------------- words


@pytest.mark.parametrize(
    ("painting", "words"),
    [
        ("[(3) -60 (0) 80 (01)] TJ", ["3001"]),  # kerning
        ("[(30) -280 (01)] TJ", ["30", "01"]),  # a space made by kerning
        ("-1.5 Tw (30 01) Tj", ["30", "01"]),  # a space made narrow
    ],
)
def test_words_come_from_the_gaps_between_boxes(painting: str, words: list[str]) -> None:
    sheet = paper.Sheet()
    sheet.put((300, 300), "1")  # brings the font
    name = sheet.page.get_fonts()[0][4]
    paint(sheet.page, f"BT /{name} 9 Tf 100 700 Td {painting} ET")
    lines = paper.read_one(sheet.finish()).lines
    assert [word.text for word in lines[0].words] == words


def test_digits_as_wide_as_han_are_one_number() -> None:
    """A Chinese font without a table of widths sets each digit in a square of its own."""
    sheet, places = draw()
    sheet.page.insert_text((places[OPEN].x0 + 4, places[OPEN].y1 - 5), "138", fontsize=8, fontname="china-s")
    assert paper.cell_texts(paper.read_one(sheet.finish()).tables[0])[1] == ["行政许可", "138"]


def test_spread_han_are_one_word_and_spread_digits_are_not() -> None:
    sheet = paper.Sheet()
    for number, (han, digit) in enumerate(zip("商业企业", "1288", strict=True)):
        sheet.put((100 + 12 * number, 100), han)
        sheet.put((100 + 12 * number, 120), digit)
    assert paper.line_texts(paper.read_one(sheet.finish()).lines) == ["商业企业", "1 2 8 8"]


def test_the_mark_of_a_note_is_no_digit_of_the_number() -> None:
    sheet, places = draw()
    sheet.put((places[OPEN].x0 + 4, places[OPEN].y1 - 5), "15")
    sheet.put((places[OPEN].x0 + 13, places[OPEN].y1 - 8), "2", 5)
    assert paper.cell_texts(paper.read_one(sheet.finish()).tables[0])[1] == ["行政许可", "15 2"]


def test_digits_of_two_cells_are_never_one_number() -> None:
    sheet = paper.Sheet()
    places = sheet.grid([["甲", "", ""], ["乙", "5", "6"]])
    border = places[1].x1
    sheet.put((border - 4.45, places[1].y1 - 5), "12")  # one stroke of the pen across the rule
    (table,) = paper.read_one(sheet.finish()).tables
    assert paper.cell_texts(table) == [["甲", "1", "2"], ["乙", "5", "6"]]
    assert [cell.doubt for cell in table.cells] == [None, "structure", "structure", None, None, None]


def test_a_label_of_one_character_a_line_is_one_word() -> None:
    table = [[flatten.Box("三、本年度办理结果", rows=9), flatten.Box("1")], *([flatten.Box(str(n))] for n in range(8))]
    sheet = paper.Sheet()
    sheet.draw_table(table, (14, 60))
    (found,) = paper.read_one(sheet.finish()).tables
    (line,) = found.cells[0].lines
    assert [word.text for word in line.words] == ["三、本年度办理结果"]
    assert line.box[3] - line.box[1] > 8 * 8


def test_a_label_turned_by_ninety_degrees_is_read_along_its_line() -> None:
    sheet = paper.Sheet()
    places = sheet.draw_table([[flatten.Box("", rows=8), flatten.Box("1")], *([flatten.Box("2")] for _ in range(7))])
    place = places[0][2]
    sheet.page.insert_text((place.x0 + 30, place.y1 - 10), "本年办理2023", fontsize=9, fontname="china-s", rotate=90)
    content = paper.read_one(sheet.finish())
    assert content.page.turn == 0
    assert paper.cell_texts(content.tables[0])[0][0] == "本年办理2023"


def test_a_watermark_across_the_table_is_in_no_cell() -> None:
    sheet, _ = draw()
    sheet.page.insert_text(
        (120, 110), "12345678", fontsize=30, color=(0.8, 0.8, 0.8),
        morph=(pymupdf.Point(120, 110), pymupdf.Matrix(30)), overlay=False,
    )  # fmt: skip
    content = paper.read_one(sheet.finish())
    assert paper.cell_texts(content.tables[0]) == ROWS
    assert paper.line_texts(content.lines) == ["12345678"]


@pytest.mark.parametrize(
    ("printed", "meant"),
    [("⽬", "目"), ("⺠", "民"), ("⻚", "页"), ("豈", "豈"), ("２", "２"), ("②", "②"), ("（", "（")],
)
def test_compatibility_characters_are_mended_and_digits_stay(printed: str, meant: str) -> None:
    assert mend_character(ord(printed)) == meant


# ---------------------------------------------------------------- empty and unread cells


def test_an_empty_cell_holds_nothing() -> None:
    sheet, _ = draw()
    assert paper.cell_texts(paper.read_one(sheet.finish()).tables[0]) == ROWS


def test_a_shaded_empty_cell_holds_nothing() -> None:
    sheet, places = draw()
    sheet.page.draw_rect(places[OPEN], color=None, fill=(0.78, 0.85, 0.94), overlay=False)
    assert paper.cell_texts(paper.read_one(sheet.finish()).tables[0]) == ROWS


def test_a_digit_drawn_as_a_path_is_unread_not_blank() -> None:
    sheet, places = draw()
    place = places[OPEN]
    x, y = place.x0 + 6, place.y0 + 4
    sheet.page.draw_line((x, y), (x, y + 7), width=0.9)  # a 1
    assert paper.cell_texts(paper.read_one(sheet.finish()).tables[0])[1] == ["行政许可", UNREAD]


def test_a_digit_drawn_beside_a_printed_one_makes_the_number_unread() -> None:
    sheet, places = draw()
    place = places[FULL]
    sheet.page.draw_oval((place.x0 + 9, place.y0 + 4, place.x0 + 13, place.y0 + 11), width=0.9)
    assert paper.cell_texts(paper.read_one(sheet.finish()).tables[0])[2] == ["行政处罚", f"7 {UNREAD}"]


def test_form_fields_and_free_text_that_show_are_text() -> None:
    sheet, places = draw()
    field = pymupdf.Widget()
    field.field_type, field.field_name, field.field_value = pymupdf.PDF_WIDGET_TYPE_TEXT, "a", "77"
    field.rect = pymupdf.Rect(places[OPEN].x0 + 2, places[OPEN].y0 + 2, places[OPEN].x1 - 2, places[OPEN].y1 - 2)
    field.text_fontsize = 8
    sheet.page.add_widget(field)
    sheet.page.add_freetext_annot((100, 300, 200, 320), "3940", fontsize=10)
    content = paper.read_one(sheet.finish())
    assert paper.cell_texts(content.tables[0])[1] == ["行政许可", "77"]
    assert paper.line_texts(content.lines) == ["3940"]
    left, top, right, bottom = content.lines[0].box
    assert 98 < left < right < 202
    assert 298 < top < bottom < 322


def test_a_stamp_in_an_empty_cell_is_unread() -> None:
    sheet, places = draw()
    sheet.page.add_ink_annot(
        [[(places[OPEN].x0 + 5, places[OPEN].y0 + 4), (places[OPEN].x0 + 20, places[OPEN].y0 + 9)]]
    )
    assert paper.cell_texts(paper.read_one(sheet.finish()).tables[0])[1] == ["行政许可", UNREAD]


# ---------------------------------------------------------------- layers that are not believed


def picture_of_a_table() -> pymupdf.Pixmap:
    sheet = paper.Sheet(width=300, height=120)
    sheet.draw_table([[flatten.Box("行政强制"), flatten.Box("12")]] * 3, (100, 100))
    return sheet.page.get_pixmap(dpi=100)


def draw_digit(sheet: paper.Sheet, place: pymupdf.Rect) -> None:
    """A 0 as a path."""
    sheet.page.draw_oval((place.x0 + 6, place.y0 + 4, place.x0 + 10, place.y0 + 11), width=0.9)


def test_a_table_whose_digits_are_paths_is_read_as_a_picture() -> None:
    sheet = paper.Sheet()
    sheet.write("政府信息公开工作年度报告，主动公开政府信息情况，收到和处理政府信息公开申请情况。" * 12)
    for place in sheet.grid([["行政许可", "", ""]] * 4):
        draw_digit(sheet, place)
    assert paper.read(sheet.finish()) == [Unfit("ink in tables without text")]


def test_a_page_drawn_in_paths_is_read_as_a_picture() -> None:
    sheet = paper.Sheet()
    sheet.put((290, 820), "- 1 -")
    for y in range(100, 300, 20):
        for x in range(100, 300, 10):
            draw_digit(sheet, pymupdf.Rect(x, y, x + 10, y + 20))
    assert paper.read(sheet.finish()) == [Unfit("ink without text")]


def test_a_page_of_thousands_of_rules_is_read_as_a_picture() -> None:
    sheet = paper.Sheet()
    sheet.put((290, 820), "- 1 -")
    lines = "".join(f"{x} {y} m {x} {y + 8} l S " for x in range(20, 580, 5) for y in range(40, 800, 16))
    paint(sheet.page, "0.3 w " + lines)
    assert paper.read(sheet.finish()) == [Unfit("too many drawings")]


def test_a_pasted_picture_of_a_table_sends_the_page_to_ocr() -> None:
    sheet, _ = draw()
    sheet.page.insert_image((50, 300, 350, 420), pixmap=picture_of_a_table())
    assert paper.read(sheet.finish()) == [Unfit("a picture beside the text")]


def test_a_faint_scan_behind_a_printed_page_number_sends_the_page_to_ocr() -> None:
    sheet, _ = draw()
    faint = sheet.page.get_pixmap(dpi=100)
    faint.tint_with(0xA0A0A0, 0xFFFFFF)  # black becomes light grey
    scan = pymupdf.open()
    page = scan.new_page(width=paper.WIDTH, height=paper.HEIGHT)
    page.insert_image(page.rect, pixmap=faint)
    page.insert_text((290, 820), "- 1 -", fontsize=9)
    assert paper.read(scan.tobytes()) == [Unfit("a picture beside the text")]


def test_a_red_seal_over_the_date_does_not() -> None:
    sheet, _ = draw()
    sheet.put((400, 340), "2024年1月16日", 10)
    seal = pymupdf.open()
    page = seal.new_page(width=120, height=120)
    page.draw_circle((60, 60), 55, color=(0.85, 0.1, 0.1), width=4)
    page.draw_circle((60, 85), 15, color=None, fill=(0.85, 0.1, 0.1))
    sheet.page.insert_image((380, 280, 500, 400), pixmap=page.get_pixmap(alpha=True))
    content = paper.read_one(sheet.finish())
    assert paper.line_texts(content.lines) == ["2024年1月16日"]


def test_characters_without_a_meaning_are_unread_and_many_make_the_page_unfit() -> None:
    sheet, _ = draw()
    sheet.put((60, 300), "政府信息公开工作年度报告" * 3, 10)
    digits = next(font[0] for font in sheet.page.get_fonts() if font[3] == "Helvetica")
    give_codes(sheet, digits, {"7": "\ue007"})
    content = paper.read_one(sheet.finish())
    assert paper.cell_texts(content.tables[0])[2] == ["行政处罚", UNREAD]
    sheet.put((60, 330), "7" * 40)
    assert paper.read(sheet.finish()) == [Unfit("garbled text layer")]


def give_codes(sheet: paper.Sheet, font: int, codes: dict[str, str]) -> None:
    """Give a simple font a table from its characters to other code points (a ToUnicode map)."""
    pairs = "\n".join(f"<{ord(char):02x}> <{ord(code):04x}>" for char, code in codes.items())
    stream = (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /X def /CMapType 2 def "
        f"1 begincodespacerange <00> <ff> endcodespacerange {len(codes)} beginbfchar\n{pairs}\nendbfchar "
        "endcmap CMapName currentdict /CMap defineresource pop end end"
    )
    xref = sheet.file.get_new_xref()
    sheet.file.update_object(xref, "<<>>")
    sheet.file.update_stream(xref, stream.encode())
    sheet.file.xref_set_key(font, "ToUnicode", f"{xref} 0 R")


def test_text_of_characters_that_no_report_is_made_of_is_garbled() -> None:
    sheet = paper.Sheet()
    sheet.put((60, 300), "鑿锛屾槸涓€鍙ヨ瘽鐨勬剰鎬濇妸瀹冨啓鎴愯繖鏍风殑瀛楃鏃犳硶璇诲嚭", 10)
    sheet.put((60, 330), "鏀垮簻淇℃伅鍏紑宸ヤ綔骞村害鎶ュ憡鐢ㄤ簬琛ㄧず鏁板瓧", 10)
    assert paper.read(sheet.finish()) == [Unfit("garbled text layer")]


@pytest.mark.parametrize(("one", "other"), [("3", "8"), ("2", "5"), ("6", "9")])
def test_digits_with_the_code_points_of_other_digits_make_the_page_unfit(one: str, other: str) -> None:
    sheet, places = draw()
    number = one + one + other
    sheet.put((places[OPEN].x0 + 4, places[OPEN].y1 - 5), number)
    font = next(font[0] for font in sheet.page.get_fonts() if font[3] == "Helvetica")
    honest = sheet.finish()
    assert paper.cell_texts(paper.read_one(honest, 200).tables[0])[1] == ["行政许可", number]
    give_codes(sheet, font, {one: other, other: one, "7": "7"})
    assert paper.read(sheet.finish(), 200) == [Unfit("digits that look unlike their codes")]


# ---------------------------------------------------------------- turned pages


def show(content: PageContent) -> list[str]:
    return paper.line_texts(content.lines)


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_page_with_a_rotation_is_read_as_a_viewer_shows_it(degrees: int) -> None:
    """Text drawn sideways on a page that says it is to be turned: upright for a viewer."""
    sheet, _ = draw()
    upright = paper.read_one(sheet.finish())
    turned = pymupdf.open()
    size = (paper.WIDTH, paper.HEIGHT) if degrees == 180 else (paper.HEIGHT, paper.WIDTH)
    page = turned.new_page(width=size[0], height=size[1])
    page.show_pdf_page(page.rect, sheet.file, 0, rotate=degrees)
    page.set_rotation(degrees)
    content = paper.read_one(turned.tobytes())
    assert (content.page.width, content.page.height, content.page.turn) == (paper.WIDTH, paper.HEIGHT, 0)
    assert paper.cell_texts(content.tables[0]) == ROWS
    assert content.tables[0].box == pytest.approx(upright.tables[0].box, abs=0.5)
    assert content.tables[0].cells[1].lines[0].box == pytest.approx(upright.tables[0].cells[1].lines[0].box, abs=0.5)


@pytest.mark.parametrize(("rotate", "turn"), [(90, 90), (180, 180), (270, 270)])
def test_text_that_runs_sideways_is_read_upright_with_boxes_as_shown(rotate: int, turn: int) -> None:
    sheet, places = draw()
    sideways = pymupdf.open()
    size = (paper.WIDTH, paper.HEIGHT) if rotate == 180 else (paper.HEIGHT, paper.WIDTH)
    page = sideways.new_page(width=size[0], height=size[1])
    page.show_pdf_page(page.rect, sheet.file, 0, rotate=rotate)
    content = paper.read_one(sideways.tobytes())
    assert content.page.turn == turn
    (table,) = content.tables
    assert paper.cell_texts(table) == ROWS
    assert table.columns == pytest.approx((places[0].x0, places[1].x0, places[1].x1), abs=0.5)
    cell = table.cells[FULL]
    (word,) = cell.lines[0].words
    inked = page.get_text("words", clip=cell.box)
    assert [each[4] for each in inked] == ["7"]
    assert cell.box[0] <= word.box[0] < word.box[2] <= cell.box[2]
    assert cell.box[1] <= word.box[1] < word.box[3] <= cell.box[3]
