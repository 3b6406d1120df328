"""Names and ATC codes of drugs -> the classes of NHANES. Combinations belong to several."""

import re
from collections.abc import Mapping
from types import MappingProxyType

INGREDIENTS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "bp_med_ace": (
            *("benazepril", "captopril", "enalapril", "fosinopril", "lisinopril", "moexipril"),
            *("perindopril", "quinapril", "ramipril", "trandolapril"),
        ),
        "bp_med_aldo": ("spironolactone", "eplerenone"),
        "bp_med_alpha": ("doxazosin", "prazosin", "terazosin"),
        "bp_med_angioten": (
            *("azilsartan", "candesartan", "eprosartan", "irbesartan", "losartan", "olmesartan"),
            *("telmisartan", "valsartan"),
        ),
        "bp_med_beta": (
            *("acebutolol", "atenolol", "betaxolol", "bisoprolol", "carvedilol", "labetalol"),
            *("metoprolol", "nadolol", "nebivolol", "penbutolol", "pindolol", "propranolol"),
            "timolol",
        ),
        "bp_med_central": ("clonidine", "guanfacine", "methyldopa", "reserpine"),
        "bp_med_ccb": (
            *("amlodipine", "diltiazem", "felodipine", "isradipine", "nicardipine", "nifedipine"),
            *("nisoldipine", "verapamil"),
        ),
        "bp_med_diur_Ksparing": ("amiloride", "triamterene"),
        "bp_med_diur_loop": ("bumetanide", "ethacrynic acid", "furosemide", "torsemide"),
        "bp_med_diur_thz": (
            *("bendroflumethiazide", "chlorothiazide", "chlorthalidone", "hydrochlorothiazide"),
            *("indapamide", "methyclothiazide", "metolazone", "polythiazide"),
        ),
        "bp_med_renin_inhibitors": ("aliskiren",),
        "bp_med_vasod": ("hydralazine", "minoxidil"),
        "chol_med_statin": (
            *("atorvastatin", "cerivastatin", "fluvastatin", "lovastatin", "pitavastatin"),
            *("pravastatin", "rosuvastatin", "simvastatin"),
        ),
        "chol_med_ezetimibe": ("ezetimibe",),
        "chol_med_pcsk9i": ("alirocumab", "evolocumab"),
        "chol_med_bile": ("cholestyramine", "colesevelam", "colestipol"),
        "chol_med_fibric_acid": ("fenofibrate", "fenofibric acid", "gemfibrozil", "clofibrate"),
    }
)
"""Class -> generic names, lower case, as used in the United States."""

ATC: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "bp_med_ace": ("C09A", "C09B"),
        "bp_med_aldo": ("C03DA",),
        "bp_med_alpha": ("C02CA",),
        "bp_med_angioten": ("C09C", "C09D"),
        "bp_med_beta": ("C07",),
        "bp_med_central": ("C02A",),
        "bp_med_ccb": ("C08", "C09BB", "C09DB", "C07FB"),
        "bp_med_diur_Ksparing": ("C03DB", "C03EA"),
        "bp_med_diur_loop": ("C03C",),
        "bp_med_diur_thz": ("C03A", "C03B", "C03EA", "C07B", "C09BA", "C09DA"),
        "bp_med_renin_inhibitors": ("C09XA",),
        "bp_med_vasod": ("C02D",),
        "chol_med_statin": ("C10AA", "C10BA", "C10BX"),
        "chol_med_ezetimibe": ("C10AX09", "C10BA02", "C10BA05", "C10BA06"),
        "chol_med_pcsk9i": ("C10AX13", "C10AX14", "C10AX16"),
        "chol_med_bile": ("C10AC",),
        "chol_med_fibric_acid": ("C10AB",),
    }
)
"""Class -> prefixes of ATC codes."""


def classes_of_name(text: str) -> frozenset[str]:
    """The classes of all ingredients that a text names as words.

    Example:
        >>> sorted(classes_of_name("HYDROCHLOROTHIAZIDE; LISINOPRIL"))
        ['bp_med_ace', 'bp_med_diur_thz']
        >>> classes_of_name("metformin 500 mg")
        frozenset()
    """
    lower = text.lower()
    return frozenset(
        drug
        for drug, names in INGREDIENTS.items()
        if any(re.search(rf"\b{re.escape(name)}\b", lower) for name in names)
    )


def classes_of_atc(code: str) -> frozenset[str]:
    """The classes of an ATC code.

    Example:
        >>> classes_of_atc("C03CA01")
        frozenset({'bp_med_diur_loop'})
    """
    return frozenset(
        drug for drug, prefixes in ATC.items() if code.upper().startswith(tuple(prefixes))
    )
