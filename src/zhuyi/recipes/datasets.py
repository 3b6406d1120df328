"""The known data sets: what each is, who may use it how, its files, where they come from."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from zhuyi.errors import OptionError

MEGABYTE = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Official:
    """A file as its publisher hands it out.

    Args:
        file: the name it is kept under.
        address: where it is downloaded from; https.
        limit: bytes at which a download is given up.
        sha256: its checksum where it is known; else the one of the first download is recorded.
    """

    file: str
    address: str
    limit: int
    sha256: str | None = None


@dataclass(frozen=True, kw_only=True)
class DataFile:
    """One file of a data set.

    Args:
        name: what `fetch` is asked for.
        file: its name in the folder that ZHUYI_DATA names.
        sha256: checksum of `file`; None where the publisher may renew it.
        rows: records in it; None where the loader does not count them.
        official: how it is downloaded, or None where nobody hands out this form.
    """

    name: str
    file: str
    sha256: str | None
    rows: int | None
    official: Official | None


@dataclass(frozen=True, kw_only=True)
class DataSet:
    """A data set.

    Args:
        name: one word.
        title: what a person calls it.
        license: under what terms it may be used; "unclear: ..." where nobody says so.
        home: the page to read before use, and to get it by hand from.
        citation: whom to cite.
        files: its files.
        note: what else to know before use.
    """

    name: str
    title: str
    license: str
    home: str
    citation: str
    files: tuple[DataFile, ...]
    note: str = ""


def _raw(repository: str, commit: str, path: str) -> str:
    return f"https://raw.githubusercontent.com/{repository}/{commit}/{path}"


def _file(name: str, file: str, sha256: str, rows: int | None, official: Official) -> DataFile:
    return DataFile(name=name, file=file, sha256=sha256, rows=rows, official=official)


AI4I = DataSet(
    name="ai4i",
    title="AI4I 2020 Predictive Maintenance",
    license="CC BY 4.0",
    home="https://archive.ics.uci.edu/dataset/601/ai4i+2020+predictive+maintenance+dataset",
    citation="S. Matzka (2020), Explainable Artificial Intelligence for Predictive Maintenance "
    "Applications, AI4I 2020; UCI Machine Learning Repository, doi:10.24432/C5HS5C",
    note="Synthetic: its rules of failure are published.",
    files=(
        _file(
            "ai4i2020",
            "ai4i2020.csv.gz",
            "857c4f2703a577e57b440381f065565139acef5bb5983548f8db63ddc1093077",
            10_000,
            Official(
                file="ai4i2020.zip",
                address="https://archive.ics.uci.edu/static/public/601/"
                "ai4i+2020+predictive+maintenance+dataset.zip",
                limit=5 * MEGABYTE,
            ),
        ),
    ),
)

_CMAPSS_ZIP = Official(
    file="CMAPSS.zip",
    address="https://phm-datasets.s3.amazonaws.com/NASA/"
    "6.+Turbofan+Engine+Degradation+Simulation+Data+Set.zip",
    limit=50 * MEGABYTE,
)

CMAPSS = DataSet(
    name="cmapss",
    title="NASA C-MAPSS turbofan, FD001",
    license="US government data, public",
    home="https://www.nasa.gov/intelligent-systems-division/discovery-and-systems-health/pcoe/"
    "pcoe-data-set-repository/",
    citation="A. Saxena, K. Goebel, D. Simon, N. Eklund (2008), Damage Propagation Modeling for "
    "Aircraft Engine Run-to-Failure Simulation, PHM 2008",
    note="A simulated engine. Re-split copies with other row counts are in circulation.",
    files=(
        _file(
            "train_FD001",
            "train_FD001.txt.gz",
            "ed1d3b86dac5e5475afd6ac44b1dcbea312f16106b9203f891793278aaf9fe0e",
            20_631,
            _CMAPSS_ZIP,
        ),
        _file(
            "test_FD001",
            "test_FD001.txt.gz",
            "141c382d919a044d1685f8760f1a2d2638e0219ca23ff1bd19324d663e7c4fac",
            13_096,
            _CMAPSS_ZIP,
        ),
        _file(
            "RUL_FD001",
            "RUL_FD001.txt.gz",
            "5a4c5a9b45cb95ae27b3a69a0bbeec4e64310601e52489ee601f96eee4fd9c7b",
            100,
            _CMAPSS_ZIP,
        ),
    ),
)

NHANES = DataSet(
    name="nhanes",
    title="NHANES 1999-2020, compiled by the authors of cardioStatsUSA",
    license="US government data; the compilation is GPL-3: for tests on your own machine only",
    home="https://github.com/jhs-hwg/cardioStatsUSA",
    citation="CDC/NCHS, National Health and Nutrition Examination Survey; variables compiled in "
    "B. Jaeger et al. (2023), cardioStatsUSA",
    note="For a data set without the GPL's terms read the CDC's own files: recipes/nhanes_cdc.py.",
    files=(
        DataFile(
            name="nhanes_1999_2020",
            file="nhanes_1999_2020.csv.gz",
            sha256="5ec5ecd8a618595ad23c88341b42ad5cb642b4f3dc5541efc9d21fcbad0b0a1a",
            rows=59_799,
            official=None,
        ),
    ),
)

DIABETES = DataSet(
    name="diabetes130",
    title="Diabetes 130-US hospitals, 1999-2008",
    license="CC BY 4.0",
    home="https://archive.ics.uci.edu/dataset/296/diabetes+130-us+hospitals+for+years+1999-2008",
    citation="B. Strack et al. (2014), Impact of HbA1c Measurement on Hospital Readmission Rates, "
    "BioMed Research International; UCI Machine Learning Repository, doi:10.24432/C5230J",
    files=(
        _file(
            "diabetes130",
            "diabetes130.zip",
            "2cc570fc34b09ba1169d94b68c27ce3802dce7dc4ab6082bed833a6c195507a5",
            101_766,
            Official(
                file="diabetes130_uci.zip",
                address="https://archive.ics.uci.edu/static/public/296/"
                "diabetes+130-us+hospitals+for+years+1999-2008.zip",
                limit=30 * MEGABYTE,
                # As two projects that load it have written down independently of each other.
                sha256="f82ac129da2ddd2299391ff6fbae3a6a58b3edcf59ac9d7bd480c00fe453112a",
            ),
        ),
    ),
)

_DIALMED = "f0bf22f5582885b08fe37dd05883187e78c8f13d"


def _dialmed(part: str, file: str, sha256: str, rows: int, official: str) -> DataFile:
    address = _raw("f-window/DialMed", _DIALMED, f"data/dataset/{official}")
    kept = Official(file=f"dialmed_{official}", address=address, limit=20 * MEGABYTE)
    return _file(f"dialmed_{part}", file, sha256, rows, kept)


DIALMED = DataSet(
    name="dialmed",
    title="DialMed: Chinese dialogues of patients and doctors, with the drugs recommended",
    license="MIT",
    home="https://github.com/f-window/DialMed",
    citation="Z. He et al. (2022), DialMed: A Dataset for Dialogue-based Medication "
    "Recommendation, COLING 2022",
    files=(
        _dialmed(
            "dev",
            "dialmed_dev.jsonl.gz",
            "6a9a370bfe3a71c6bbc53356278d371a2e690d110c85e727ec6dc98b6969bd4f",
            1_192,
            "dev.txt",
        ),
        _dialmed(
            "test",
            "dialmed_test.jsonl.gz",
            "9ecd0be5300c123cf6660cb5d5cc1c81b8916252a22c2d70fa1b211040d037a1",
            1_199,
            "test.txt",
        ),
        _dialmed(
            "label",
            "dialmed_label.json",
            "207329f4024aecadbfba214b5368f4cb35121e768800c27038e7de3a506fcb68",
            70,
            "label.json",
        ),
    ),
)

_STOCKNET_ZIP = Official(
    file="stocknet.zip",
    address="https://codeload.github.com/yumoxu/stocknet-dataset/zip/330708b5ddc359961078bef469f43f48992fd6e4",
    limit=800 * MEGABYTE,
)

STOCKNET = DataSet(
    name="stocknet",
    title="StockNet: 88 US stocks and tweets, 2012-2017",
    license="MIT; the terms of Twitter and Yahoo bind the content",
    home="https://github.com/yumoxu/stocknet-dataset",
    citation="Y. Xu, S. Cohen (2018), Stock Movement Prediction from Tweets and Historical Prices, "
    "ACL 2018",
    note="88 stocks picked by hand that were still listed: survivors.",
    files=(
        _file(
            "stocknet_prices",
            "stocknet_prices.csv.gz",
            "ab9a139e3745f937f8e5824e28a81bde2e8b361288a98ed71e1a3c24a62b7a11",
            108_592,
            _STOCKNET_ZIP,
        ),
        _file(
            "stocknet_tweets",
            "stocknet_tweets.jsonl.gz",
            "ef8f464ea2b870ac73d294728c9d9f8657f59af72182138b4abecb08b7468fa6",
            25_711,
            _STOCKNET_ZIP,
        ),
    ),
)


def _split(name: str, part: str, sha256: str, rows: int, address: str) -> DataFile:
    kept = Official(file=f"{name}_{part}.tsv", address=address, limit=10 * MEGABYTE)
    return _file(f"{name}_{part}", f"{name}_{part}.tsv.gz", sha256, rows, kept)


def _sst2(part: str, sha256: str, rows: int) -> DataFile:
    repository = "clairett/pytorch-sentiment-classification"
    return _split("sst2", part, sha256, rows, _raw(repository, "master", f"data/SST2/{part}.tsv"))


SST2 = DataSet(
    name="sst2",
    title="Stanford Sentiment Treebank, two classes, whole sentences",
    license="unclear: handed out for research by Stanford",
    home="https://nlp.stanford.edu/sentiment/",
    citation="R. Socher et al. (2013), Recursive Deep Models for Semantic Compositionality Over a "
    "Sentiment Treebank, EMNLP 2013",
    files=(
        _sst2("train", "1bea2386055385be786c788a016676d85a0c9ea3e455cec0d78d889bc23bece6", 6_920),
        _sst2("dev", "a53f0c1a2698191f3d1050ee4a096f1e2b5575314e7f2b703f0a53364cdf20ea", 872),
        _sst2("test", "814695eaa49a63acaf95ceb59d3dbca2f29a329a478685187360a9b99b9bf123", 1_821),
    ),
)


def _chn(part: str, sha256: str, rows: int) -> DataFile:
    address = _raw("autoliuweijie/K-BERT", "master", f"datasets/chnsenticorp/{part}.tsv")
    return _split("chnsenticorp", part, sha256, rows, address)


CHNSENTICORP = DataSet(
    name="chnsenticorp",
    title="ChnSentiCorp: Chinese reviews of hotels, books and notebooks, two classes",
    license="unclear: research use; the split is that of K-BERT",
    home="https://github.com/autoliuweijie/K-BERT",
    citation="S. Tan, J. Zhang (2008), An Empirical Study of Sentiment Analysis for Chinese "
    "Documents; the split: W. Liu et al. (2020), K-BERT, AAAI 2020",
    files=(
        _chn("train", "086463ba4555a1f4d9904092013bd47cb84912ef53668236fd431f9c096fa025", 9_600),
        _chn("dev", "0a73b4e02da6cc0b35ca8f71f36ea01b880734da68c6470dbc351fbe5fffe43e", 1_200),
        _chn("test", "c3838671983313c6ae55454c88a897040a4686ac443c333e6e26d2e42a5787ff", 1_200),
    ),
)

_MOVIELENS_ZIP = Official(
    file="ml-100k.zip",
    address="https://files.grouplens.org/datasets/movielens/ml-100k.zip",
    limit=20 * MEGABYTE,
)

MOVIELENS = DataSet(
    name="movielens",
    title="MovieLens 100k",
    license="research only, no redistribution: for tests on your own machine",
    home="https://grouplens.org/datasets/movielens/100k/",
    citation="F. M. Harper, J. A. Konstan (2015), The MovieLens Datasets: History and Context, "
    "ACM Transactions on Interactive Intelligent Systems 5(4), doi:10.1145/2827872",
    note="Read the publisher's README before use.",
    files=(
        _file(
            "ml-100k.inter",
            "ml-100k.inter.gz",
            "deb10cf94779ca27e39881eb0e0bd0474e6f72463b337cc0dc5ad7e0d7ca0dc4",
            100_000,
            _MOVIELENS_ZIP,
        ),
        _file(
            "ml-100k.item",
            "ml-100k.item.gz",
            "f6985910a39c0d361fc394ea63efdf72fd9158c95ecc0bd50e4acff3a082dcad",
            1_682,
            _MOVIELENS_ZIP,
        ),
    ),
)

DATASETS: tuple[DataSet, ...] = (
    AI4I,
    CMAPSS,
    NHANES,
    DIABETES,
    DIALMED,
    STOCKNET,
    SST2,
    CHNSENTICORP,
    MOVIELENS,
)

FILES: Mapping[str, DataFile] = MappingProxyType(
    {file.name: file for dataset in DATASETS for file in dataset.files}
)
"""Every file by its name."""


def dataset_of(file: DataFile) -> DataSet | None:
    """The data set that a file belongs to, or None for a file that is in no table."""
    return next((dataset for dataset in DATASETS if file in dataset.files), None)


def file_named(name: str) -> DataFile:
    """The file of this name.

    Raises: OptionError: if no data set has it.

    Example:
        >>> file_named("ai4i2020").rows
        10000
    """
    if name not in FILES:
        raise OptionError(f"no data set has a file {name!r}; there are {', '.join(sorted(FILES))}")
    return FILES[name]
