# ruff: noqa: DTZ001 - the clock on a wall has no zone

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.ingest.domain.media import Asset, MediaForm
from services.ingest.domain.upload_plan import (
    Known,
    OlderMedia,
    PlanAction,
    PlanItem,
    PlanReason,
    PlanRules,
    Situation,
    plan,
)
from services.ingest.domain.window import Window

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
WINDOW = Window.at(NOW, timedelta(days=30), timedelta(hours=15))
RULES = PlanRules(
    reduced_long_side=2048, max_bytes=100_000_000, max_pixels=100_000_000, max_side=16_384, window=timedelta(days=30)
)
PLENTY = 10**12


def asset(name: str = "a", **changes: object) -> Asset:
    described: dict[str, object] = {
        "client_id": name,
        "sha256": hashlib.sha256(name.encode()).digest(),
        "capture_time": NOW - timedelta(days=2),
        "size_bytes": 3_000_000,
        "width": 4000,
        "height": 3000,
        "content_type": "image/jpeg",
        "file_name": f"{name}.jpg",
    }
    return Asset(**{**described, **changes})  # type: ignore[arg-type]


def situation(**changes: object) -> Situation:
    described: dict[str, object] = {
        "now": NOW,
        "window": WINDOW,
        "older_media": OlderMedia(granted=False),
        "free_bytes": PLENTY,
    }
    return Situation(**{**described, **changes})  # type: ignore[arg-type]


def answer(one: Asset, **changes: object) -> tuple[str, str]:
    [item] = plan([one], situation(**changes), RULES)
    return item.action.value, item.reason.value


def order(*assets: Asset, **changes: object) -> list[str]:
    return [item.client_id for item in plan(assets, situation(**changes), RULES) if item.action != PlanAction.SKIP]


class TestAnswers:
    def test_of_a_large_picture_a_reduced_copy_is_enough(self) -> None:
        assert answer(asset()) == ("UPLOAD_REDUCED", "IN_WINDOW")
        assert answer(asset(width=1000, height=2049)) == ("UPLOAD_REDUCED", "IN_WINDOW")

    def test_a_phone_that_makes_no_copies_is_asked_for_originals(self) -> None:
        assert answer(asset(), can_reduce=False) == ("UPLOAD_ORIGINAL", "IN_WINDOW")

    def test_a_small_picture_is_taken_as_it_is(self) -> None:
        assert answer(asset(width=2048, height=1536)) == ("UPLOAD_ORIGINAL", "SMALL")

    def test_a_picture_of_unknown_size_is_taken_as_it_is(self) -> None:
        assert answer(asset(width=0, height=0)) == ("UPLOAD_ORIGINAL", "IN_WINDOW")

    def test_the_window_is_thirty_days_and_what_clocks_differ_by(self) -> None:
        edge = NOW - timedelta(days=30, hours=15)
        assert answer(asset(capture_time=edge)) == ("UPLOAD_REDUCED", "IN_WINDOW")
        assert answer(asset(capture_time=edge - timedelta(seconds=1))) == ("SKIP", "OUTSIDE_WINDOW")
        assert answer(asset(capture_time=NOW + timedelta(hours=15))) == ("UPLOAD_REDUCED", "IN_WINDOW")

    def test_what_is_still_to_come_counts_as_not_known(self) -> None:
        to_come = asset(capture_time=NOW + timedelta(days=400))
        assert answer(to_come) == ("SKIP", "OUTSIDE_WINDOW")
        assert answer(to_come, older_media=OlderMedia(granted=True)) == ("UPLOAD_REDUCED", "OLDER_MEDIA_GRANTED")

    def test_a_picture_of_which_nobody_knows_when_counts_as_older(self) -> None:
        undated = asset(capture_time=None)
        assert answer(undated) == ("SKIP", "OUTSIDE_WINDOW")
        assert answer(undated, older_media=OlderMedia(granted=True)) == ("UPLOAD_REDUCED", "OLDER_MEDIA_GRANTED")
        bounded = OlderMedia(granted=True, since=NOW - timedelta(days=365))
        assert answer(undated, older_media=bounded) == ("SKIP", "OUTSIDE_WINDOW")

    def test_older_media_reach_as_far_as_was_granted(self) -> None:
        bounded = OlderMedia(granted=True, since=NOW - timedelta(days=365))
        inside, outside = (asset(capture_time=NOW - timedelta(days=days)) for days in (365, 366))
        assert answer(inside, older_media=bounded) == ("UPLOAD_REDUCED", "OLDER_MEDIA_GRANTED")
        assert answer(outside, older_media=bounded) == ("SKIP", "OUTSIDE_WINDOW")
        assert answer(outside, older_media=OlderMedia(granted=True)) == ("UPLOAD_REDUCED", "OLDER_MEDIA_GRANTED")

    def test_what_is_kept_is_not_asked_for(self) -> None:
        one, media_id = asset(), uuid4()
        for form in MediaForm:
            known = {one.sha256: Known(media_id, form, original_wanted=form is MediaForm.ORIGINAL)}
            [item] = plan([one], situation(known=known), RULES)
            assert item == PlanItem("a", PlanAction.SKIP, PlanReason.KNOWN, media_id)

    def test_an_original_is_asked_for_once_it_is_wanted_even_outside_the_window(self) -> None:
        one, media_id = asset(capture_time=NOW - timedelta(days=50)), uuid4()
        known = {one.sha256: Known(media_id, MediaForm.REDUCED, original_wanted=True)}
        [item] = plan([one], situation(known=known), RULES)
        assert item == PlanItem("a", PlanAction.UPLOAD_ORIGINAL, PlanReason.ORIGINAL_WANTED, media_id)

    def test_what_was_deleted_is_not_asked_for_again(self) -> None:
        assert answer(asset(), deleted={asset().sha256}) == ("SKIP", "DELETED")

    def test_what_cannot_be_taken_is_said_at_once(self) -> None:
        assert answer(asset(size_bytes=0)) == ("SKIP", "EMPTY")
        assert answer(asset(content_type="video/mp4")) == ("SKIP", "TYPE_UNSUPPORTED")
        assert answer(asset(content_type="", file_name="notes.txt")) == ("SKIP", "TYPE_UNSUPPORTED")

    def test_what_is_too_large_as_it_is_comes_as_a_reduced_copy(self) -> None:
        enormous: list[dict[str, object]] = [
            {"size_bytes": 100_000_001}, {"width": 12_000, "height": 9_000}, {"width": 16_385, "height": 10},
        ]  # fmt: skip
        for changes in enormous:
            one = asset("a", **changes)
            assert answer(one) == ("UPLOAD_REDUCED", "IN_WINDOW")
            assert answer(one, can_reduce=False) == ("SKIP", "TOO_LARGE")

    def test_a_file_of_too_many_bytes_that_no_copy_is_made_of_is_too_large(self) -> None:
        assert answer(asset(size_bytes=100_000_001, width=0, height=0)) == ("SKIP", "TOO_LARGE")
        assert answer(asset(size_bytes=100_000_001, width=2048, height=2048)) == ("SKIP", "TOO_LARGE")

    def test_the_original_of_what_is_too_large_is_never_asked_for(self) -> None:
        one = asset(width=12_000, height=9_000)
        kept = Known(uuid4(), MediaForm.REDUCED, original_wanted=True)
        assert answer(one, known={one.sha256: kept}) == ("SKIP", "KNOWN")
        lost = replace(kept, missing=True)
        assert answer(one, known={one.sha256: lost}) == ("UPLOAD_REDUCED", "MISSING")

    @given(name=st.text() | st.sampled_from(["//[a.jpg", "http://[x.jpg", "data:a.jpg", "data:,x.jpg", "a:b.jpg"]))
    def test_no_name_of_a_file_costs_the_others_their_plan(self, name: str) -> None:
        items = plan([asset(file_name=name, content_type=""), asset("b")], situation(), RULES)
        assert "b" in {item.client_id for item in items if item.action is PlanAction.UPLOAD_REDUCED}

    def test_a_name_like_an_address_says_its_type_by_its_end(self) -> None:
        assert answer(asset(file_name="data:,holiday.jpg", content_type="")) == ("UPLOAD_REDUCED", "IN_WINDOW")

    def test_a_type_that_nobody_knows_is_found_out_at_the_upload(self) -> None:
        assert answer(asset(content_type="", file_name="IMG_1")) == ("UPLOAD_REDUCED", "IN_WINDOW")
        assert answer(asset(content_type="image/heif")) == ("UPLOAD_REDUCED", "IN_WINDOW")

    def test_the_same_file_twice_is_asked_for_once(self) -> None:
        first, second = asset("a"), asset("b", sha256=asset("a").sha256)
        reasons = {item.client_id: item.reason for item in plan([first, second], situation(), RULES)}
        assert reasons == {"a": PlanReason.IN_WINDOW, "b": PlanReason.DUPLICATE}

    def test_the_share_goes_to_what_is_worth_most(self) -> None:
        small = {"width": 1000, "height": 1000, "size_bytes": 600}
        plain, liked = asset("plain", **small), asset("liked", favorite=True, **small)
        items = plan([plain, liked], situation(free_bytes=1000), RULES)
        assert [(item.client_id, item.reason) for item in items] == [
            ("liked", PlanReason.SMALL),
            ("plain", PlanReason.QUOTA),
        ]


class TestWorth:
    def test_favourites_come_first_and_screenshots_last(self) -> None:
        plain, liked, screen = asset("plain"), asset("liked", favorite=True), asset("screen", screenshot=True)
        assert order(screen, plain, liked) == ["liked", "plain", "screen"]
        assert answer(screen) == ("UPLOAD_REDUCED", "SCREENSHOT")

    def test_a_screenshot_is_known_by_its_name_as_well(self) -> None:
        for name in (
            "Screenshot_20260301.png", "dir/Capture d’écran 2026.png", "Bildschirmfoto 1.png", "Capture.PNG",
            "Captura de pantalla 2026.jpg", "スクリーンショット 2026.png",
        ):  # fmt: skip
            assert answer(asset(file_name=name))[1] == "SCREENSHOT"
        for name in ("screenshots/IMG_1.jpg", "Capture_0001.jpg", "Captured by the sea.jpg", "capture one.heic"):
            assert answer(asset(file_name=name))[1] == "IN_WINDOW"

    def test_what_an_owner_waits_for_precedes_everything(self) -> None:
        wanted, liked = asset("wanted", screenshot=True), asset("liked", favorite=True)
        known = {wanted.sha256: Known(uuid4(), MediaForm.REDUCED, original_wanted=True)}
        assert order(liked, wanted, known=known) == ["wanted", "liked"]

    def test_what_a_camera_made_precedes_what_was_passed_on(self) -> None:
        camera = asset("camera", file_name="IMG_0042.HEIC", content_type="image/heic")
        passed_on = asset("passed", file_name="IMG-20260227-WA0003.jpg", width=1600, height=1200, size_bytes=200_000)
        drawn = asset("drawn", file_name="x.png", content_type="image/png", width=3000, height=3000, size_bytes=90_000)
        assert order(drawn, passed_on, camera)[0] == "camera"

    def test_the_newest_precede_the_oldest(self) -> None:
        new, old = asset("new"), asset("old", capture_time=NOW - timedelta(days=29))
        assert order(old, new) == ["new", "old"]

    def test_a_burst_does_not_push_everything_else_back(self) -> None:
        burst = [asset(f"burst{n}", capture_time=NOW - timedelta(days=1, seconds=-n)) for n in range(5)]
        other = asset("other", capture_time=NOW - timedelta(days=9))
        assert order(*burst, other)[:2] == ["burst0", "other"]


times = st.none() | st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC))
assets = st.lists(
    st.builds(
        Asset,
        client_id=st.uuids().map(str),
        sha256=st.integers(0, 6).map(lambda number: bytes([number]) * 32),
        capture_time=times,
        size_bytes=st.integers(0, 200_000_000),
        width=st.integers(0, 40_000),
        height=st.integers(0, 40_000),
        content_type=st.sampled_from(["", "image/jpeg", "image/png", "video/mp4"]),
        file_name=st.text(max_size=20),
        favorite=st.booleans(),
        screenshot=st.booleans(),
    ),
    max_size=12,
    unique_by=lambda each: each.client_id,
)
knowns = st.dictionaries(
    st.integers(0, 6).map(lambda number: bytes([number]) * 32),
    st.builds(
        Known,
        media_id=st.uuids(),
        form=st.sampled_from(MediaForm),
        original_wanted=st.booleans(),
        missing=st.booleans(),
    ),
)
situations = st.builds(
    Situation,
    now=st.just(NOW),
    window=st.just(WINDOW),
    older_media=st.builds(OlderMedia, granted=st.booleans(), since=times),
    known=knowns,
    deleted=st.sets(st.integers(0, 6).map(lambda number: bytes([number]) * 32)),
    free_bytes=st.integers(0, 300_000_000),
    can_reduce=st.booleans(),
)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(roll=assets, now=situations)
def test_every_plan_keeps_every_promise(roll: list[Asset], now: Situation) -> None:
    items = plan(roll, now, RULES)
    by_name = {each.client_id: each for each in roll}
    asked = [(by_name[item.client_id], item) for item in items if item.action is not PlanAction.SKIP]

    _answers_every_asset_once_and_uploads_first(items, roll)
    _asks_for_nothing_that_is_not_allowed(asked, now)
    _keeps_within_the_share(asked, now)
    assert plan(roll, now, RULES) == items, "it depends on nothing but its arguments"


def _answers_every_asset_once_and_uploads_first(items: Sequence[PlanItem], roll: list[Asset]) -> None:
    assert sorted(item.client_id for item in items) == sorted(each.client_id for each in roll)
    skips = [item.action is PlanAction.SKIP for item in items]
    assert skips == sorted(skips)


def _asks_for_nothing_that_is_not_allowed(asked: list[tuple[Asset, PlanItem]], now: Situation) -> None:
    assert len({each.sha256 for each, _ in asked}) == len(asked)
    for each, item in asked:
        assert each.size_bytes > 0
        assert item.action is PlanAction.UPLOAD_REDUCED or not RULES.is_too_large(each)
        if item.reason is PlanReason.MISSING:
            assert now.known[each.sha256].missing
        elif item.reason is not PlanReason.ORIGINAL_WANTED:
            assert now.window.holds(each.capture_time) or now.older_media.covers(each.capture_time)
            assert each.sha256 not in now.deleted
            assert each.sha256 not in now.known


def _keeps_within_the_share(asked: list[tuple[Asset, PlanItem]], now: Situation) -> None:
    originals = [each for each, item in asked if item.action is PlanAction.UPLOAD_ORIGINAL]
    assert sum(each.size_bytes for each in originals) <= now.free_bytes
