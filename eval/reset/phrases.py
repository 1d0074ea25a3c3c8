"""Sentences for the running text, several ways for each matter. All of them are our own.

Lives here: words. `{name}` prints the number of a fact or of something that only looks like one (`a`, `b`, …);
`{name:words}` prints the words, for a 0 that is told without a number. Does not live here: which report says what
(seeds, collected), and putting a text together (prose).

They were written before anyone looked what the program makes of them, and are not changed because it reads one badly.
"""

from __future__ import annotations

from collections.abc import Mapping

#: One or more sentences for each matter; the numbers of one matter stand together.
PHRASES: Mapping[str, tuple[str, ...]] = {
    "proactive": (
        "{year}年，{us}主动公开政府信息{proactive_items_total}条。",
        "全年累计向社会主动公开各类信息{proactive_items_total}条，涉及民生、财政、规划等方面。",
        "本着应公开尽公开的原则，{us}对外主动公开的政府信息总量为{proactive_items_total}件。",
        "经统计，主动公开的政府信息共计{proactive_items_total}条，基本满足了群众查询的需要。",
    ),
    "website": (
        "依托政府网站发布政府信息{website_items}条，更新较为及时。",
        "{us}在门户网站上传各类信息共{website_items}条。",
        "网站仍是公开的主渠道，一年中发布信息{website_items}条，没有出现空白栏目。",
        "通过网站向公众提供的政府信息有{website_items}件，其中多数为业务动态。",
    ),
    "website_about": (
        "政府网站全年公开各类政府信息{website_items}余条，新出台规章{a}件、其他政策文件{b}件，配发解读材料{c}个。",
        "在网站上公开的政府信息有{website_items}余条；当年公布规章{a}件，公布政策文件{b}件，同步解读{c}个。",
        "{year}年通过政府网站公开信息{website_items}余条，其中规章{a}件、政策性文件{b}件，另有解读{c}个。",
    ),
    "website_parts": (
        "门户网站全年发布信息{website_items}条，其中工作动态{a}条、政务信息{b}条、政策解读{c}条、热点回应{d}条。",
        "网站累计更新信息{website_items}条，分为动态类{a}条、政务类{b}条、解读类{c}条、回应关切类{d}条。",
    ),
    "new_media": (
        "政务新媒体账号另外发布信息{a}条。",
        "同期，政务新媒体转发各类信息{a}条，与网站互为补充。",
    ),
    "messages": (
        "办理网上留言{a}条，其中领导信箱{b}条、问政平台{c}条、服务热线{d}条，均已回复。",
        "全年回复群众留言{a}条，包括信箱来信{b}条、平台问政{c}条、热线转办{d}条。",
    ),
    "wechat": (
        "微信公众号推送信息{wechat_items}条。",
        "借助微信公众号编发图文{wechat_items}篇，阅读量稳步上升。",
        "微信公众号全年推出消息{wechat_items}条，内容以办事提醒为主。",
    ),
    "survey": (
        "线上问卷收回意见{a}条，可延时办理的事项由{b}项增加到{c}项。",
        "面向办事群众征集建议{a}条；延时服务从{b}项扩展为{c}项。",
    ),
    "batches": (
        "借助微信公众号公布产品抽检结果{a}批次，对{b}项重要文件作了解读。",
        "全年在微信公众号公示抽检情况{a}批次；配套解读文件{b}项。",
    ),
    "classes": (
        "当年形成和获取的政府信息共{a}条，属于主动公开的{b}条，属于依申请公开的{c}条，不予公开的{d}条。",
        "{us}全年产生政府信息{a}条：主动公开类{b}条，依申请公开类{c}条，不公开类{d}条。",
    ),
    "kinds": (
        "主动公开的信息按内容分，政策及解读{a}条，预决算{b}条，法规规章和规范性文件{c}条，资金管理{d}条，其余为应急预案和动态。",
        "从类别看，资金管理类{d}条最多，预决算类{b}条，规范性文件等{c}条，政策解读类{a}条。",
    ),
    "normative_stock": (
        "{us}集中公布现行有效的行政规范性文件{normative_documents_in_force}件，新制发的{normative_documents_issued}件全部入库。",
        "经过清理，继续有效的行政规范性文件为{normative_documents_in_force}件，全年新制发行政规范性文件{normative_documents_issued}件。",
    ),
    "normative_issued": (
        "当年制发行政规范性文件{normative_documents_issued}件，均在印发后公开。",
        "{us}全年新出台行政规范性文件{normative_documents_issued}件。",
    ),
    "interpretations": (
        "发布政策解读{a}篇，基层政务公开重点领域发布信息{b}条。",
        "配合重要政策推出解读{a}篇；就业、环保等领域公开信息{b}条。",
    ),
    "documents": (
        "公开部门文件{a}件，转发政策解读{b}篇，社会救助等重点领域信息{c}条。",
        "重点领域方面，发布救助、养老信息{c}条，部门文件{a}件，解读{b}篇。",
    ),
    "received": (
        "{year}年共收到政府信息公开申请{applications_received}件。",
        "{us}全年受理政府信息公开申请{applications_received}件，均有专人登记。",
        "各类申请人提交的政府信息公开申请，经登记共有{applications_received}件。",
        "年内新收政府信息公开申请{applications_received}件，以邮寄和网上提交为主。",
    ),
    "received_none": (
        "{year}年，{us}收到政府信息公开申请{applications_received}件。",
        "全年{applications_received:未收到}政府信息公开申请。",
        "{applications_received:没有}公民、法人或者其他组织向{us}提出政府信息公开申请。",
        "本年度受理的政府信息公开申请为{applications_received}件。",
    ),
    "answered": (
        "按期办结申请{applications_answered}件，没有超期。",
        "对上述申请，已作出答复{applications_answered}件。",
        "经各承办单位研究，年内答复申请{applications_answered}件。",
    ),
    "answered_of": (
        "答复{applications_answered}件（含上年结转的{applications_carried_in}件），另有{applications_carried_out}件转入下一年度办理。",
        "连同上年结转{applications_carried_in}件，全年办结申请{applications_answered}件，结转下年度继续办理{applications_carried_out}件。",
    ),
    "carried_out": (
        "尚有{applications_carried_out}件在办理期限之内，结转下一年度。",
        "其余{applications_carried_out}件结转下年度继续办理。",
    ),
    "carried_in": (
        "上年结转政府信息公开申请{applications_carried_in}件。",
        "此外，上一年度转入的申请有{applications_carried_in}件。",
    ),
    "applicants": (
        "从申请人看，自然人{a}件，商业企业{b}件。",
        "申请以自然人为主，共{a}件，企业提出的有{b}件。",
    ),
    "result_shares": (
        "办理结果中，予以公开及部分公开{applications_granted_or_partially_granted}件，占{p}%；"
        "不予公开{applications_refused}件，占{q}%；无法提供{applications_unable}件，占{r}%；"
        "不予处理{applications_not_processed}件，占{s}%；其他处理{applications_other_result}件，占{t}%。",
        "按结果统计：予以公开和部分公开的{applications_granted_or_partially_granted}件（{p}%），"
        "不予公开的{applications_refused}件（{q}%），无法提供的{applications_unable}件（{r}%），"
        "不予处理的{applications_not_processed}件（{s}%），作其他处理的{applications_other_result}件（{t}%）。",
    ),
    "results": (
        "已办结的申请中，予以公开{applications_granted}件，部分公开{applications_partially_granted}件，"
        "不予公开{applications_refused}件，无法提供{applications_unable}件，"
        "不予处理{applications_not_processed}件，其他处理{applications_other_result}件。",
        "答复情况如下：予以公开的{applications_granted}件，部分公开的{applications_partially_granted}件，"
        "不予公开的{applications_refused}件，无法提供的{applications_unable}件，"
        "不予处理的{applications_not_processed}件，其他处理的{applications_other_result}件。",
    ),
    "all_done": ("全部申请都已在当年办理完毕。", "所收申请均已办结。"),
    "reviews": (
        "因政府信息公开引发的行政复议案件{reviews}件。",
        "涉及政府信息公开的行政复议有{reviews}件。",
        "申请人就信息公开事项提起行政复议{reviews}件。",
    ),
    "review_results": (
        "其中维持{a}件、纠正{b}件、其他结果{c}件、未审结{d}件。",
        "审理结果为维持{a}件，纠正{b}件，其他{c}件，尚未审结{d}件。",
    ),
    "litigations": (
        "政府信息公开行政诉讼案件{litigations}件。",
        "涉及信息公开的行政诉讼共{litigations}件。",
        "因政府信息公开被提起行政诉讼{litigations}件。",
    ),
    "litigations_none": (
        "行政诉讼{litigations}件。",
        "全年{litigations:未发生}政府信息公开行政诉讼。",
        "涉及信息公开的行政诉讼案件数为{litigations}件。",
    ),
    "fee": (
        "全年收取政府信息公开信息处理费{information_processing_fee_yuan}元。",
        "依规定收取信息处理费共计{information_processing_fee_yuan}元。",
        "{year}年的信息处理费收入为{information_processing_fee_yuan}元。",
    ),
    "fee_none": (
        "{year}年{information_processing_fee_yuan:没有收取}信息处理费。",
        "信息处理费收取总额为{information_processing_fee_yuan}元。",
        "本年度{information_processing_fee_yuan:未}向申请人收取过信息处理费。",
        "全年{information_processing_fee_yuan:未发生}信息处理费收费事项。",
    ),
}

#: Sentences without a number of the report.
FILLERS: Mapping[str, tuple[str, ...]] = {
    "overview": (
        "{us}把政务公开列入年度重点任务，由分管负责人按季调度，各科室分头落实。",
        "一年来，{us}围绕企业和群众关心的事项，稳步推进信息公开各项任务。",
        "{year}年，{us}对照条例要求查漏补缺，公开工作总体平稳有序。",
    ),
    "proactive": (
        "对涉及面广的文件，坚持文件与解读一并报批。",
        "新设的专栏按主题归集信息，方便公众按需查找。",
        "预算、决算、补贴发放等内容做到按月更新。",
    ),
    "applications": (
        "修订了办理流程，明确登记、会商、审核、送达各环节的时限。",
        "办理中注重与申请人沟通，弄清真实诉求后再作答复。",
        "对疑难事项邀请法律顾问共同研究。",
    ),
    "management": (
        "信息上网前须经科室初核、办公室复核、分管领导签发，做到有据可查。",
        "每半年对历史信息清理一遍，失效内容及时标注。",
        "指定两名工作人员负责日常维护，互为备份。",
    ),
    "platform": (
        "网站检索功能作了改进，常用栏目移至首页显著位置。",
        "在办事窗口设置查阅点，供不便上网的群众使用。",
        "停用长期不更新的账号，集中力量办好主要平台。",
    ),
    "supervision": (
        "把公开情况纳入年终考评，对更新滞后的单位发函提醒。",
        "设立监督电话，由专人受理并限时反馈。",
        "组织业务培训，讲解条例要点和常见差错。",
    ),
}

PROBLEMS = (
    "部分栏目更新不够及时",
    "解读形式还比较单一",
    "基层经办人员变动频繁，业务不够熟练",
    "群众对公开渠道的知晓度有待提高",
)
MEASURES = (
    "下一步将细化公开事项清单，逐项明确责任人",
    "今后将多用图表和短片开展解读",
    "将定期组织业务培训，帮助新手尽快上岗",
    "将借助社区宣传栏扩大公开渠道的知晓面",
)
LACKS = "回顾{year}年，{us}的信息公开工作还有一些不足："
NEXT = "针对上述情况："
NOTHING_ELSE = ("没有其他需要报告的事项。", "无其他事项。")
