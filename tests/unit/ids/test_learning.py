"""What is learned from ids: real-shaped ones, other kinds, and that there is no convention."""

from __future__ import annotations

import random
from uuid import UUID

import pytest

from doctor.ids.learning import fitting, learn
from tests.support.ids import FAMILIES, SEED, corrupted, real_shaped

TODAY = "2026-11-24"
ULID = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def test_held_out_ids_are_accepted_and_slips_of_the_hand_are_not(figure):
    accepted = judged = slipped = slips = 0
    for seed in range(10):
        ids = real_shaped(seed)
        assert (len(ids), len(set(ids)), len(FAMILIES)) == (76, 76, 15)
        random.Random(seed).shuffle(ids)
        known, held_out = ids[:53], ids[53:]
        convention = learn(known, TODAY)
        assert convention.at_least > 0.8
        for one in held_out:
            judged += 1
            accepted += fitting(convention.families, one) is not None
            for wrong in corrupted(one).values():
                slips += 1
                slipped += fitting(convention.families, wrong) is not None
    figure(f"held-out ids accepted {accepted}/{judged}, corrupted ones {slipped}/{slips}")
    assert accepted / judged >= 0.97
    assert slipped / slips <= 0.01


def test_families_are_readable_and_say_the_next_id():
    found = {one.template: one for one in learn(real_shaped(1), TODAY).families}
    assert found["nightly-<date>"].following == "nightly-2026-11-24"
    assert found["followup-<n>"].support == 4
    number = max(int(one.split("-")[1]) for one in real_shaped(1) if one.startswith("followup"))
    assert found["followup-<n>"].following == f"followup-{number + 1}"
    build = next(one for one in found.values() if one.template.startswith("build<n>-"))
    assert build.support == 19
    assert fitting([build], SEED) is build


@pytest.mark.parametrize(
    ("made", "template", "following"),
    [
        (lambda at: f"job-{at:06}", "job-<000000>", "job-000040"),
        (lambda at: f"run{at}", "run<n>", "run40"),
        (lambda at: str(UUID(int=at * 2**96 + at)), "<uuid>", "<uuid>"),
        (lambda at: "01H" + "".join(ULID[(at * k) % 32] for k in range(3, 26)), "<ulid>", "<ulid>"),
        (lambda at: f"2026-01-{at % 28 + 1:02}/{at}", "<date>/<n>", f"{TODAY}/40"),
        (lambda at: f"sync_202601{at % 28 + 1:02}T1{at % 10}0000Z_{at}", "sync_<moment>_<n>", None),
        (lambda at: f"batch-17{at:08}", "batch-<epoch>", "batch-<epoch>"),
    ],
)
def test_other_kinds_of_ids_are_named_for_what_they_are(made, template, following):
    convention = learn([made(at) for at in range(40)], TODAY)
    assert [one.template for one in convention.families] == [template]
    if following is not None:
        assert convention.families[0].following == following
    assert fitting(convention.families, made(77)) is not None
    assert fitting(convention.families, f"{made(3)} ") is None


def test_a_counter_of_one_width_takes_no_other_width():
    convention = learn([f"job-{at:06}" for at in range(40)], TODAY)
    assert fitting(convention.families, "job-77") is None


def test_words_without_a_common_head_are_a_convention_of_words():
    chance = random.Random(3)
    letters = "abcdefghijklmnopqrstuvwxyz"
    made = {"-".join("".join(chance.sample(letters, 5)) for _ in range(3)) for _ in range(60)}
    (family,) = learn(made, TODAY).families
    assert family.template.startswith("<word>-<word>")


@pytest.mark.parametrize(
    "ids",
    [
        [f"run-{at}" for at in range(11)],
        ["P1", "P2", "setup"],
        ["".join(chr(33 + (at * k) % 90) for k in range(1, 12)) for at in range(1, 60)],
    ],
)
def test_too_few_ids_and_ids_without_form_are_no_convention(ids):
    convention = learn(ids, TODAY)
    assert convention.families == ()
    assert str(convention.ids) in convention.reason
