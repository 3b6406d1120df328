"""Names, cues and sentence patterns of English notes."""

from typing import Final

from zhuyi.recipes.medicine.notes.phrases import Patterns, Phrases


def _lines(text: str) -> Patterns:
    return tuple(line.strip() for line in text.split("|"))


ENGLISH: Final = Phrases(
    names=(
        _lines(
            "hypertension|hypertension|high blood pressure|HTN|essential hypertension|"
            "elevated blood pressure|stage 2 hypertension|arterial hypertension|"
            "primary hypertension|stage 1 hypertension|resistant hypertension|"
            "raised blood pressure"
        ),
        _lines(
            "hyperlipidemia|high cholesterol|dyslipidemia|hypercholesterolemia|HLD|"
            "hypertriglyceridemia|hyperlipidaemia|elevated cholesterol|mixed hyperlipidemia|"
            "high lipids|raised cholesterol|familial hypercholesterolemia|dyslipidaemia|"
            "elevated lipids|high triglycerides"
        ),
        _lines(
            "diabetes|type 2 diabetes|diabetes mellitus|T2DM|DM|type 2 diabetes mellitus|"
            "type 1 diabetes|DM2|type II diabetes|T1DM|diabetic nephropathy|diabetic retinopathy|"
            "high blood sugar|NIDDM|IDDM|insulin-dependent diabetes|adult-onset diabetes|"
            "elevated blood glucose"
        ),
    ),
    states=(
        ("high blood pressure", "elevated blood pressure", "hypertensive", "raised BP", "high BP"),
        ("high cholesterol", "elevated lipids", "hyperlipidemic", "raised lipids"),
        ("high blood sugar", "elevated blood glucose", "diabetic", "diabetic", "sugar diabetes"),
    ),
    all_three=(),
    others=_lines(
        "asthma|COPD|coronary artery disease|CAD|stroke|gout|hepatitis B|tuberculosis|migraine|"
        "epilepsy|hypothyroidism|hyperthyroidism|atrial fibrillation|heart failure|CKD|"
        "chronic kidney disease|osteoarthritis|rheumatoid arthritis|depression|anxiety|GERD|"
        "peptic ulcer|anemia|osteoporosis|breast cancer|lung cancer|colon cancer|psoriasis|"
        "eczema|gallstones|kidney stones|BPH|glaucoma|cataract|pneumonia|sleep apnea|obesity|"
        "Parkinson disease|dementia|myocardial infarction|angina|thyroid nodules|fatty liver|"
        "cirrhosis|lupus|heart disease|liver disease|cancer|seizures|bleeding"
    ),
    traps=_lines(
        "hypotension|hypoglycemia|pulmonary hypertension|portal hypertension|diabetes insipidus|"
        "orthostatic hypotension|ocular hypertension|hyperkalemia|hypokalemia|low blood pressure|"
        "hyperuricemia|hyperthyroidism|lipoma|intracranial hypertension|low blood sugar"
    ),
    family=_lines(
        "father|mother|parents|brother|sister|grandmother|grandfather|uncle|aunt|son|daughter|"
        "wife|husband|spouse|sibling|siblings|maternal grandmother|paternal grandfather|"
        "both parents|older brother|cousin|dad|mom|twin brother|neighbor|first-degree relatives|"
        "his father|her mother|his wife|the patient's father|the patient's mother|his brother|"
        "her sister|mother and father|a sister"
    ),
    own=_lines(
        "I have {c}|I have {c} myself|I was told I have {c}|the doctor says I have {c}|is {c}|"
        "known to have {c}|{c} is known|does have {c}|patient is being followed for {c}|"
        "{s} with {c}|{s} with known {c}|{s} with a history of {c}|diagnosed with {c} last year|"
        "{c} on record|PMH of {c}|PMH significant for {c}|PMH includes {c}|Dx: {c}|Hx: {c}|"
        "past history: {c}|medical history: {c}|medical history includes {c}|has long had {c}|"
        "{c} is stable|{c} confirmed|{n}M with {c}|{n}F with {c}|{n}-year-old {s} with {c}|"
        "{n}yo {s} with {c}|only has {c}|like his {r}, has {c}|both the patient and {r} have {c}|"
        "treated for {c}|reports having {c}|{c}|{c} noted|history of {c}|has {c}|"
        "diagnosed with {c}|known {c}|PMH: {c}|past medical history of {c}|"
        "past medical history significant for {c}|patient has {c}|patient has a history of {c}|"
        "suffers from {c}|with {c}|he has {c}|she has {c}|PMHx: {c}|known case of {c}|h/o {c}|"
        "hx of {c}|{c} since 2015|{c} for many years|long-standing {c}|{c}, well controlled|"
        "{c}, poorly controlled|positive for {c}|newly diagnosed {c}|presents with {c}|"
        "admits to {c}|reports {c}|{c}: yes|{c} (+)|personal history of {c}|"
        "the patient himself has {c}|chronic {c}|longstanding history of {c}|background of {c}|"
        "comorbidities include {c}|diagnosis: {c}|assessment: {c}|uncontrolled {c}|"
        "being treated for {c}|on treatment for {c}|follow-up for {c}|lives with {c}|"
        "patient with {c}|{c} diagnosed in 2018|also has {c}|reports a history of {c}|"
        "significant for {c}|seen for {c}"
    ),
    own_bare=("{c}",),
    after=_lines(
        "I have had {c} for {d}|I've had {c} for {d}|I was diagnosed with {c} {d} ago|{c} x{d}|"
        "{c}, {d} duration|has been treated for {c} for {d}|has been {c} for {d}|"
        "{s} with {c} for {d}|{s} with {c} x {d}|PMH of {c} x {d}|PMH: {c} ({d})|"
        "medical history: {c} for {d}|{c} found {d} ago|{c} over {d}|"
        "was found to have {c} {d} ago|was diagnosed with {c} {d} ago|told of {c} {d} ago|"
        "{c} for nearly {d}|{c} for almost {d}|has lived with {c} for {d}|history of {c} for {d}|"
        "{c} for {d}|{c} x {d}|{c} × {d}|has had {c} for {d}|known {c} for {d}|"
        "diagnosed with {c} {d} ago|{c} ({d})|{c} diagnosed {d} ago|"
        "history of {c} of {d} duration|patient has had {c} for {d}|has {c} for {d}|"
        "{c}, duration {d}|{c}: {d}|{c} since {d} ago|suffering from {c} for {d}|h/o {c} x {d}|"
        "PMH: {c} x {d}|PMH: {c} for {d}|{c} for the past {d}|{c} for the last {d}|"
        "{c} for about {d}|he has had {c} for {d}|she has had {c} for {d}|{c} {d}|"
        "found to have {c} {d} ago|{c} of {d} duration|{c} for over {d}|living with {c} for {d}|"
        "{c} was diagnosed {d} ago|{c} for more than {d}|{c} for approximately {d}|{c}, {d}"
    ),
    before=_lines(
        "{d} history of {c}|a {d} history of {c}|{d} of {c}|{d} ago diagnosed with {c}|"
        "diagnosed {d} ago with {c}|with a {d} history of {c}|{d} ago was found to have {c}|"
        "{d} h/o {c}|patient has a {d} history of {c}|has a {d} history of {c}"
    ),
    brief=_lines("{c} for {d}|{c} x {d}|{c} {d}|{c} ({d})|{c} for {d}"),
    shared=_lines(
        "history of {L}|has {L}|diagnosed with {L}|PMH: {L}|past medical history of {L}|"
        "known {L}|past medical history significant for {L}|patient has {L}|suffers from {L}|"
        "PMHx: {L}|{L}|{n}M with {L}|{n}F with {L}|{n}-year-old {s} with {L}|{n}yo {s} with {L}|"
        "{n}yo {s} w/ {L}|woman with {L}|man with {L}|only {L}|he has {L}|she has {L}|"
        "patient with {L}|comorbidities include {L}|both {L}|h/o {L}"
    ),
    shared_for=_lines(
        "history of {L} for {d}|has had {L} for {d}|{L} for {d}|{d} history of {L}|"
        "known {L} for {d}|{L} x {d}|diagnosed with {L} {d} ago|{L}, both for {d}"
    ),
    apart=_lines(
        "{L} for {D}, respectively|{L} for {D} respectively|history of {L} for {D} respectively"
    ),
    trailing=_lines(
        ", well controlled|, not on medication|, untreated|, on medication|, no complications|"
        ", poorly controlled|, without complications|, never treated|, denies symptoms|"
        ", diet controlled|, not compliant with medication|, no follow-up|, stable|"
        ", has not taken medication|, without end-organ damage|, no chest pain|, asymptomatic"
    ),
    negated=_lines(
        "I do not have {L}|I don't have {L}|I never had {L}|doesn't have {L}|is not {L}|"
        "does not suffer from {L}|not {L}|there is no {L}|there is no history of {L}|"
        "no evidence for {L}|not diagnosed with {L}|PMH: no {L}|no PMH of {L}|no reported {L}|"
        "denied {L}|reports no {L}|no documented {L}|denies ever having {L}|no current {L}|"
        "denies {L}|denies history of {L}|denies a history of {L}|no history of {L}|no {L}|"
        "negative for {L}|without {L}|no known {L}|does not have {L}|patient denies {L}|"
        "no h/o {L}|no past history of {L}|never had {L}|has never had {L}|denies any {L}|"
        "no evidence of {L}|has no {L}|{L} denied|he denies {L}|she denies {L}|"
        "denies any history of {L}|free of {L}|never diagnosed with {L}|not known to have {L}|"
        "{L} ruled out|ruled out {L}|{L} absent|denies having {L}|no prior {L}|"
        "no personal history of {L}|has no history of {L}|neither {L}|patient does not have {L}|"
        "no significant history of {L}|PMH negative for {L}|no diagnosis of {L}"
    ),
    negated_one=_lines(
        "{c}: no|{c}: none|{c} (-)|{c}: denies|{c}: negative|{c} excluded|not {c}|"
        "{c} was ruled out|screening for {c} negative|no sign of {c}|{c} not present|"
        "is not known for {c}"
    ),
    relatives=_lines(
        "my {r} has {L}|my {r} had {L}|maternal history of {L}|paternal history of {L}|"
        "family history includes {L}|his {r} has {L}|her {r} has {L}|{r} also has {L}|"
        "{r} was diagnosed with {L}|{r} on treatment for {L}|family history: {L}|"
        "family hx of {L}|{r} and {r} have {L}|{r} is {L}|{r} has long had {L}|"
        "family members have {L}|several relatives have {L}|{r} positive for {L}|"
        "family history of {L} ({r})|FHx: {L} ({r})|FH: {r} with {L}|FH significant for {L}|"
        "only the {r} has {L}|{r} has {L}|{r} had {L}|{r} with {L}|family history: {r} {L}|"
        "family history of {L}|FH: {L}|family history of {L} in {r}|"
        "family history positive for {L}|{r} diagnosed with {L}|FHx: {r} {L}|"
        "{r} suffers from {L}|{r} died of {L}|{L} in {r}|{r}: {L}|{r} has a history of {L}|"
        "FHx of {L}|family history significant for {L}|strong family history of {L}|"
        "{r} is treated for {L}|{L} runs in the family|{r} known to have {L}|family hx: {L}|"
        "{r} both have {L}|{r} takes pills for {L}"
    ),
    relatives_for=_lines(
        "{r} has had {c} for {d}|{r} {c} for {d}|{r} diagnosed with {c} {d} ago|"
        "{r} has {c} x {d}|{r} with {c} for {d}|{r} has a {d} history of {c}|"
        "family history: {r} {c} {d}"
    ),
    no_relatives=_lines(
        "no family history of {L}|denies family history of {L}|family history negative for {L}|"
        "{r} does not have {L}|{r} has no {L}|no FH of {L}"
    ),
    controlled=_lines(
        ", {q} now normal|, {q} well controlled|, {q} under control|, {q} poorly controlled|"
        ", {q} at goal"
    ),
    not_me=_lines(
        ", patient does not|, but I do not|, I don't|, patient himself does not|, she does not|"
        ", he does not|, the patient has none|, patient denies|, patient is healthy|"
        ", not the patient|, but the patient does not|; the patient has no such history"
    ),
    row_there=_lines("{c}: yes|{c} (+)|{c}: present|{c}: positive"),
    row_absent=_lines("{c}: no|{c} (-)|{c}: absent|{c}: none|{c}: denied"),
    again=(", no ", " and no ", ", nor ", " or any ", ", denies ", " nor "),
    normal=(
        _lines(
            "blood pressure normal|BP {bp}|BP {bp} mmHg|normal blood pressure|"
            "blood pressure within normal limits|blood pressure {bp} mmHg|normotensive|BP normal|"
            "blood pressure is normal|BP unremarkable"
        ),
        _lines(
            "lipids normal|normal lipid panel|cholesterol normal|"
            "lipid panel within normal limits|cholesterol is normal|normal cholesterol|"
            "lipid profile unremarkable|LDL normal"
        ),
        _lines(
            "glucose normal|blood glucose normal|fasting glucose {fg} mmol/L|HbA1c {hb}%|"
            "normal blood sugar|blood sugar within normal limits|HbA1c normal|"
            "glucose unremarkable|blood sugar is normal"
        ),
    ),
    normal_all=_lines(
        "{Q} normal|{Q} all normal|{Q} within normal limits|{Q} unremarkable|normal {Q}|"
        "{Q} are normal"
    ),
    quantities=("blood pressure", "lipids", "blood glucose"),
    maybe=_lines(
        "worried about {c}|screening for {c}|at risk of {c}|advised on prevention of {c}|"
        "rule out {c}|asks about {c}|counseled on {c} prevention|possible {c}, to be ruled out|"
        "to be screened for {c}|risk factors for {c} discussed|{c} to be excluded"
    ),
    fillers=_lines(
        "smoker for {n} years|smoked for {n} years|no known drug allergies|"
        "drinks alcohol occasionally|non-smoker|appendectomy {n} years ago|cough for {n} days|"
        "chest pain for {n} hours|ECG normal|no abnormality|unremarkable|"
        "physical exam unremarkable|allergic to penicillin|retired|married|"
        "knee pain for {n} months|headache for {n} weeks|afebrile|lungs clear|"
        "follow up in {n} weeks|denies smoking|denies alcohol use|"
        "works as a teacher for {n} years|quit smoking {n} years ago|accompanied by {r}|"
        "{r} is healthy|family history unremarkable|presents with fatigue|"
        "back pain for {n} years|no surgical history|weight stable|takes aspirin daily|"
        "sleeps well|no significant past medical history|otherwise healthy|heart rate 72|"
        "no acute distress"
    ),
    lead=_lines(
        "{n}-year-old {s}|{n} year old {s}|{n}yo {s}|{s}, {n} years old|{s} aged {n}|"
        "a {n}-year-old {s}|{n} y/o {s}|the patient is a {n}-year-old {s}"
    ),
    me=_lines(
        "the patient|patient|he himself|she herself|the patient himself|patient herself|he|she|"
        "the patient also"
    ),
    drugs=(
        _lines(
            "amlodipine|lisinopril|losartan|metoprolol|hydrochlorothiazide|valsartan|"
            "blood pressure pills"
        ),
        _lines("atorvastatin|simvastatin|rosuvastatin|a statin|ezetimibe|fenofibrate|pravastatin"),
        _lines("metformin|insulin|glipizide|glyburide|sitagliptin|empagliflozin|insulin glargine"),
    ),
    treated=(
        *(
            " on {o}",
            ", on {o}",
            ", taking {o}",
            " treated with {o}",
            ", takes {o} daily",
            " (on {o})",
        ),
        *(", on {o} for {n} years", ", started {o}", ", managed with {o}", ", not taking {o}"),
        *(", stopped {o}", ", taking {o} for {n} years", " controlled on {o}", " and takes {o}"),
        *(", for which she takes {o}", " without {o}", ", prescribed {o}", ", no {o} yet"),
    ),
    but=_lines("but|, but has|, however|but|, only"),
    marks=(", ", ", ", ", ", "/", ", ", "; "),
    last=(" and ", " and ", " and ", " or ", ", and ", " & "),
    stop=". ",
    comma=", ",
)
