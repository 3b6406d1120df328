"""Medicine: what people are treated with, who comes back, what notes and dialogues say."""

from types import MappingProxyType

from zhuyi.core.record import Said
from zhuyi.recipes.records import Options, Part
from zhuyi.recipes.scene import PartOf, Scene


def _treatment(options: Options) -> Part:
    from zhuyi.recipes.medicine import nhanes_treatment

    return nhanes_treatment.run(options)


def _readmission(options: Options) -> Part:
    from zhuyi.recipes.medicine import readmission

    return readmission.run(options)


def _notes(options: Options) -> Part:
    from zhuyi.recipes.medicine import notes

    return notes.run(options)


def _dialogue(options: Options) -> Part:
    from zhuyi.recipes.medicine import dialogue

    return dialogue.run(options)


RECIPE = Scene(
    name="medicine",
    title=Said(
        en="Medicine: what people are treated with, and what that decision rests on",
        zh="医疗：人们接受怎样的治疗，这一判断依据什么",
    ),
    by_name=MappingProxyType(
        {
            "treatment": PartOf(
                question=Said(
                    en="Which classes of drugs does a person take, given history and measurements?",
                    zh="根据病史和检查结果，一个人在服用哪些类别的药物？",
                ),
                data="NHANES 1999 to 2020 (CDC, public domain)",
                run=_treatment,
            ),
            "readmission": PartOf(
                question=Said(
                    en="Is a patient with diabetes back within 30 days, and what is done with "
                    "insulin?",
                    zh="糖尿病患者会在30天内再次入院吗？胰岛素如何调整？",
                ),
                data="Diabetes 130-US hospitals (UCI 296, CC BY 4.0, 3 MB)",
                run=_readmission,
            ),
            "notes": PartOf(
                question=Said(
                    en="Which illnesses does a note say that the patient has, and for how long?",
                    zh="病历写明患者本人有哪些疾病，病史多久？",
                ),
                data="templated notes of real NHANES rows; nothing is downloaded",
                run=_notes,
            ),
            "dialogue": PartOf(
                question=Said(
                    en="Which drug does a doctor recommend after a conversation in Chinese?",
                    zh="一段中文问诊之后，医生推荐了什么药？",
                ),
                data="DialMed (MIT, 2 MB)",
                run=_dialogue,
            ),
        }
    ),
    forbidden=(
        Said(
            en="As a prescription, or to start, stop or change a drug or a dose. It repeats what "
            "people took and what physicians did, right or wrong: support for a decision that a "
            "physician takes and answers for, never the decision.",
            zh="作为处方，或据此开始、停用、更换药物或调整剂量。它只是重复人们服过的药和医生当时的做法，"
            "无论对错：它可以辅助由医生作出并负责的决定，但绝不是决定本身。",
        ),
        Said(
            en="To check whether a drug is safe for somebody: it knows no allergies, "
            "interactions, doses, side effects, pregnancy risks or limits of kidney and liver.",
            zh="用于判断某种药对某人是否安全：它不了解过敏、相互作用、剂量、副作用、妊娠风险，"
            "也不了解肝肾功能的限制。",
        ),
        Said(
            en="For emergencies, children, or people unlike those it learned from: American adults "
            "of 1999 to 2020, stays of 1999 to 2008, one Chinese website.",
            zh="用于急症、儿童，或与训练人群不同的人：它学习的是1999至2020年的美国成年人、"
            "1999至2008年的住院记录，以及一个中文网站的问诊。",
        ),
        Said(
            en="To ration care, set insurance terms, or send a patient home or keep them: a risk "
            "of readmission that is told this roughly is wrong about most single patients.",
            zh="用于分配医疗资源、确定保险条件，或决定患者出院与否：只能这样粗略估计的再入院风险，"
            "对大多数具体患者并不准确。",
        ),
        Said(
            en="As a cause: a factor with a large contribution is what the model goes by. Nothing "
            "here shows what would happen to a person under another treatment.",
            zh="当作因果关系：贡献大的因素只是模型的依据。这里没有任何内容说明换一种治疗会怎样。",
        ),
        Said(
            en="On records of real patients without the consent, approval and protection that the "
            "law where they live asks for; a clinical use also needs to be approved as a medical "
            "device.",
            zh="在未取得当地法律要求的同意、批准和保护措施的情况下用于真实患者的病历；"
            "用于临床还须按医疗器械审批。",
        ),
    ),
)
"""The scene."""
