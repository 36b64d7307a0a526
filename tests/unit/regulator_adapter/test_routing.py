import pytest

from contracts import events
from regulator_adapter import profiles
from regulator_adapter.mapping import KINDS
from regulator_adapter.routing import read, routing
from tests.builders import events as builders
from tests.unit.regulator_adapter.mapped import all_records


def test_every_event_is_routed_to_exactly_one_profile() -> None:
    assert set(routing().routes) == {kind.TYPE for kind in events.ALL}


def test_every_event_leaves_at_least_one_record() -> None:
    for kind, event in builders.samples().items():
        assert routing().stops(kind, event), kind


def test_there_is_a_sample_of_every_event() -> None:
    assert set(builders.samples()) == {kind.TYPE for kind in events.ALL}


def test_every_method_of_a_profile_has_a_mapping_and_the_other_way_round() -> None:
    methods = {(name, method) for name in profiles.NAMES for method in profiles.profile(name).methods}

    assert set(KINDS) == methods


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("drug_catalogue.changed", ["uploadDrugCatalogue", "uploadDrugCatalogue", "uploadChainLink"]),
        ("appointment.booked", ["uploadAppointRecord", "uploadChainLink"]),
        ("encounter.completed", ["uploadReferralIndicators", "uploadChainLink"]),
        (
            "dispense.completed",
            ["uploadRecipeIndicators", "uploadRecipeVerificationIndicators", "uploadChainLink"],
        ),
        ("identity.verified", ["uploadRealName"]),
        ("record.amended", ["uploadChainLink"]),
        ("consultation.started", ["uploadChainLink"]),
        ("consultation.declined", ["uploadConsultIndicators", "uploadChainLink"]),
    ],
)
def test_an_event_becomes_its_records_and_where_it_has_none_a_link(kind: str, expected: list[str]) -> None:
    assert [stop.method for stop in routing().stops(kind, builders.samples()[kind])] == expected


def test_a_health_consultation_is_another_record_than_a_follow_up() -> None:
    event = builders.consultation_completed(builders.a_visit(kind="consultation"))

    assert routing().stops(event.TYPE, event)[0].method == "uploadConsultIndicators"


def test_a_prescription_that_nobody_reviewed_is_not_reported_but_keeps_its_place() -> None:
    reviewed = builders.prescription_expired(builders.a_visit(), builders.a_prescription())
    unreviewed = type(reviewed)(reviewed.visit, reviewed.prescription, None, reviewed.expired_at)

    assert [stop.method for stop in routing().stops(unreviewed.TYPE, unreviewed)] == ["uploadChainLink"]
    assert routing().reported_by(unreviewed.TYPE, unreviewed) == "none"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('[routes]\n"a.b" = ["shanghai"]\n[chain]\nprofile="shanghai"\nmethod="uploadChainLink"', "a.b is no event"),
        ("[routes]\n[chain]\nprofile='shanghai'\nmethod='uploadChainLink'", "payment.confirmed is not routed"),
        ('[routes]\n"record.viewed" = ["shanghai", "upload"]\n[chain]\n', "no upload in shanghai"),
    ],
)  # fmt: skip
def test_a_table_with_a_hole_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        read(text)


@pytest.mark.parametrize("table", ["city", "shanghai", "guangdong"])
def test_what_ships_makes_whole_records_of_every_event(table: str) -> None:
    envelopes = builders.Feed().envelopes(builders.one_of_each())

    wrong = [(stop, issues) for _, stop, _, issues in all_records(envelopes, table) if issues]
    reached = {envelope.event_id for envelope, *_ in all_records(envelopes, table)}

    assert wrong == []
    assert reached == {envelope.event_id for envelope in envelopes}


def test_the_five_kinds_that_the_source_names_go_out_in_real_time_where_that_is_asked_for() -> None:
    named = (
        "identity.verified",
        "appointment.booked",
        "record.viewed",
        "encounter.completed",
        "prescription.approved",
    )
    table = routing("shanghai")

    for kind in named:
        [method] = table.routes[kind].methods
        assert profiles.profile(table.routes[kind].profile).methods[method].next_day is None
