"""The seven labelled reports of the corpus beside the checkout, to be re-set.

Agencies, years, dates, telephones and addresses are made up; what is stated, and where a report contradicts itself, is
as in the source. Numbers of facts come from the source's label, or stand here where the label has no key for them;
`a`, `b`, … are numbers that the source's text prints beside the facts.
"""

from __future__ import annotations

from eval.reset.noise import break_lines, head_page, renumber
from eval.reset.report import NORMATIVE, Report, Statement, set_noisy

COLLECTED = (
    Report(  # a PDF, set as a page and as text, and once as one line
        source="001_huaian_city_2024",
        name="reset_c001",
        agency="某己市人民政府",
        us="我市",
        year=2023,
        title="某己市人民政府\n2023年政府信息公开工作年度报告",
        settings=set_noisy("html_page", "tab_rows", "one_line"),
        says={
            "proactive": (Statement("website_about", {"a": 1, "b": 11, "c": 21}),),
            "applications": (
                Statement("received"),
                Statement("answered_of", {"applications_carried_in": 34, "applications_carried_out": 103}),
                Statement("reviews"),
                Statement("review_results", {"a": 72, "b": 64, "c": 178, "d": 37}),
                Statement("litigations"),
                Statement("review_results", {"a": 25, "b": 5, "c": 9, "d": 7}),
            ),
            "other": (Statement("fee"),),
        },
        phone="0500-83123456",
        address="某己市迎宾南路6号",
        labels={"1.申请人无正当": "1、申请人无正当", "2.申请人逾期": "2、申请人逾期", "3.其他": "3、其他"},
    ),
    Report(  # a PDF, set as Markdown and as text
        source="002_hongze_district_2023",
        name="reset_c002",
        agency="某庚区人民政府",
        us="我区",
        year=2022,
        title="某庚区人民政府\n2022年政府信息公开工作年度报告",
        settings=set_noisy("markdown", "tab_cells", "joined_by_tabs"),
        says={
            "proactive": (Statement("website"),),
            "applications": (Statement("received"),),
            "other": (Statement("fee_none"),),
        },
        phone="0500-87654321",
        address="某己市某庚区湖滨路18号",
        labels={"2.其他法律行政法规禁止公开": "2.其他法律行政止公开"},
        inconsistencies=(
            "E4[review]: 10 + 1 + 0 + 0 = 11, the total is printed as 0",
            "E4[litigation_after_review]: 5 + 0 + 0 + 0 = 5, the total is printed as 0",
        ),
    ),
    Report(
        source="010_pingtan_region_2021",
        name="reset_010",
        agency="某辛新区",
        us="我区",
        year=2022,
        title="某辛新区2022年度政府信息公开工作年度报告",
        settings=set_noisy("half_glued", "html_page"),
        says={
            "proactive": (Statement("proactive"), Statement("batches", {"a": 20680, "b": 29})),
            "applications": (
                Statement("received"),
                Statement("answered"),
                Statement("carried_out", {"applications_carried_out": 1}),
            ),
            "other": (Statement("fee_none"),),
        },
        phone="0500-23123456",
        address="某辛新区管理中心主楼14层",
        website="www.mouxinqu.gov.cn",
        published_on="2023-02-09",
        page_time="2023-02-09 16:21",
        noise=(head_page,),
    ),
    Report(
        source="012_pingtan_region_2023",
        name="reset_012",
        agency="某壬新区",
        us="我区",
        year=2024,
        title="某壬新区2024年度政府信息公开工作年度报告",
        settings=set_noisy("glued", "tab_rows", "spaced_rows"),
        says={
            "proactive": (
                Statement("proactive"),
                Statement("normative_stock", {"normative_documents_in_force": 393, "normative_documents_issued": 77}),
                Statement("interpretations", {"a": 117, "b": 1654}),
            ),
            "applications": (
                Statement("received"),
                Statement("applicants", {"a": 80, "b": 1}),
                Statement("answered"),
                Statement(
                    "result_shares",
                    {
                        "applications_granted_or_partially_granted": 42,
                        "applications_refused": 5,
                        "applications_unable": 31,
                        "applications_not_processed": 1,
                        "applications_other_result": 2,
                        "p": "51.85",
                        "q": "6.17",
                        "r": "38.27",
                        "s": "1.23",
                        "t": "2.47",
                    },
                ),
                Statement("reviews"),
                Statement("litigations"),
            ),
            "other": (Statement("fee_none"),),
        },
        phone="0500-23654321",
        address="某壬新区会展中心7号楼14层",
        website="www.mourenqu.gov.cn",
        published_on="2025-03-07",
        page_time="2025-03-07 15:40",
        inconsistencies=("normative_documents_in_force: the text says 393, the table 470",),
        noise=(head_page,),
    ),
    Report(
        source="015_pingtan_region_2019_excerpt",
        name="reset_015",
        agency="某癸新区",
        us="我区",
        year=2020,
        title="",
        settings=set_noisy("half_glued", "markdown", "full_width"),
        labels=NORMATIVE,
        repeated=("三、本年度办理结果", "（四）无法提供"),
        is_excerpt=True,
    ),
    Report(
        source="018_pingtan_finance_2020",
        name="reset_018",
        agency="某子新区财政金融局",
        us="我局",
        year=2019,
        title="某子新区财政金融局2019年度\n政府信息公开工作年度报告",
        settings=set_noisy("one_line", "html_page"),
        says={
            "proactive": (
                Statement("proactive"),
                Statement("classes", {"a": 425, "b": 148, "c": 182, "d": 95}),
                Statement("kinds", {"a": 3, "b": 4, "c": 4, "d": 129}),
            )
        },
        phone="0500-23987654",
        address="某子新区管理中心主楼6层",
        website="www.mouziqu.gov.cn",
        signed="2020年1月20日",
        published_on="2020-01-20",
        page_time="2020-01-21 09:43",
        labels=NORMATIVE,
        noise=(head_page,),
    ),
    Report(
        source="031_shanghai_kewei_2024_pdftext",
        name="reset_031",
        agency="某丑市科委",
        us="市科委",
        year=2023,
        title="2023年某丑市科委政府信息公开工作\n年度报告",
        settings=set_noisy("pdf_text", "tab_cells", "html_page"),
        says={
            "proactive": (
                Statement("proactive"),
                Statement("normative_issued", {"normative_documents_issued": 13}),
                Statement("website_parts", {"a": 1744, "b": 393, "c": 21, "d": 2}),
                Statement("wechat"),
            ),
            "applications": (
                Statement("received"),
                Statement("carried_in", {"applications_carried_in": 2}),
                Statement("all_done"),
                Statement(
                    "results",
                    {
                        "applications_granted": 9,
                        "applications_partially_granted": 0,
                        "applications_refused": 2,
                        "applications_unable": 10,
                        "applications_not_processed": 0,
                        "applications_other_result": 14,
                    },
                ),
                Statement("carried_out", {"applications_carried_out": 1}),
                Statement("reviews"),
                Statement("litigations_none"),
            ),
            "other": (Statement("fee_none"),),
        },
        website="https://kw.mouchou.gov.cn",
        labels=NORMATIVE,
        inconsistencies=(
            "website_items: the text says 2139, its parts 1744 + 393 + 21 + 2 are 2160",
            "the text says that all applications are finished, and that 1 was carried out, as the table does",
        ),
        noise=(renumber, break_lines),
    ),
)
