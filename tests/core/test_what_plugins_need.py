"""What the first plugins asked of the core: RGB only, JSON without pictures, canvases that fit into memory."""

import pytest
from limner import Options, TaskRefused, expand_canvas
from limner.limits import JsonObject, Picture
from limner.testing.pictures import picture

RGB = Picture(modes=("RGB",), alpha=False, source="")


@pytest.mark.parametrize("mode", ["L", "1", "P", "LA", "RGBA"])
def test_a_picture_becomes_rgb_where_only_rgb_is_taken(mode):
    adapted, note = RGB.adapted(picture(mode=mode))
    assert (adapted.mode, adapted.has_alpha) == ("RGB", False)
    assert "upright PNG" in note


def test_transparency_that_is_lost_is_said():
    assert "transparency" in RGB.adapted(picture(mode="LA"))[1]
    assert "transparency" not in RGB.adapted(picture(mode="L"))[1]


def test_an_rgb_picture_travels_as_it_is():
    assert RGB.adapted(picture()) == (picture(), "")


@pytest.mark.parametrize("inner", [picture(), [1, picture()], {"deep": (picture(),)}, 2**64, [-(2**63) - 1]])
def test_json_has_no_pictures_and_no_numbers_beyond_64_bits(inner):
    assert "without pictures" in JsonObject(source="").wrong(Options(key=inner))


@pytest.mark.parametrize("inner", [None, True, 0.5, "text", [1, [None]], {"deep": {}}, 2**64 - 1, -(2**63)])
def test_all_other_json_passes(inner):
    assert JsonObject(source="").wrong(Options(key=inner)) is None


def test_a_canvas_too_large_for_memory_is_refused_before_it_is_made():
    with pytest.raises(TaskRefused, match=r"expand.*pixels"):
        expand_canvas(picture(), (200_000, 0, 0, 200_000))
