"""The page and its drawings: what they say is what was recorded."""

from xml.etree import ElementTree

import pytest

from scripts.steering_truth_curves import Curve, drawing
from scripts.steering_truth_page import PAGE, Form, forms, mean, page


def test_the_page_is_what_the_records_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == page()


def test_means_have_student_s_interval() -> None:
    found = mean([1.0, 2.0, 3.0])
    assert found.value == 2.0
    # t(0.975, 2) = 4.303, deviation 1, three seeds
    assert found.half == pytest.approx(4.303 / 3**0.5, abs=1e-3)
    assert mean([0.5]).half is None


def test_the_found_doses_of_all_seeds_are_one_line() -> None:
    runs = [
        {
            "task": "conflict",
            "variant": "",
            "lines": [
                {
                    "method": "boost",
                    "dose": dose,
                    "chosen": dose == best,
                    "numbers": {"obedience": dose / 10},
                }
                for dose in (2.0, 4.0)
            ],
        }
        for best in (2.0, 4.0)
    ]
    (form,) = forms(runs)
    assert isinstance(form, Form)
    numbers, doses = form.chosen["boost"]
    assert list(doses) == [2.0, 4.0]
    assert numbers["obedience"].value == pytest.approx(0.3)
    assert form.at("boost", "obedience", 4.0).value == pytest.approx(0.4)


def test_a_drawing_is_svg_with_every_line_named() -> None:
    lines = {"a < b": [(1.0, 0.0), (10.0, 1.0)], "other": [(1.0, 0.5), (10.0, 0.5)]}
    root = ElementTree.fromstring(drawing(Curve(name="x", title="t & u", x="w", lines=lines)))
    space = "{http://www.w3.org/2000/svg}"
    texts = [one.text for one in root.iter(f"{space}text")]
    assert "a < b" in texts
    assert "t & u" in texts
    first, _ = root.iter(f"{space}polyline")
    (x0, y0), (x1, y1) = (map(float, one.split(",")) for one in first.attrib["points"].split())
    assert x0 < x1
    assert y0 > y1, "a larger share stands higher"
