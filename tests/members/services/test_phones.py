"""Phone numbers are kept in one form, however people write them."""

import pytest

from members.errors import DomainError
from members.phones import format_phone, normalize_phone, phone_digits, region_of_time_zone


@pytest.mark.parametrize(
    ("written", "region", "kept"),
    [
        ("+60123456789", "", "+60123456789"),
        ("+60 12-345 6789", "", "+60123456789"),
        ("0060 12 345 6789", "", "+60123456789"),
        ("012-345 6789", "MY", "+60123456789"),
        ("(012) 345.6789", "MY", "+60123456789"),
        ("+49 (0)30 901820", "", "+4930901820"),
        ("030/901820", "DE", "+4930901820"),
        ("6912345678", "GR", "+306912345678"),
        ("", "MY", ""),
        ("   ", "", ""),
    ],
)
def test_a_number_is_kept_as_e164(written: str, region: str, kept: str) -> None:
    assert normalize_phone(written, region=region) == kept


@pytest.mark.parametrize(
    ("written", "region", "code", "words"),
    [
        ("012 345 6789", "", "phone_country_missing", "country code"),
        ("012 345 6789", "XX", "phone_country_missing", "country code"),
        ("+999 123 456", "", "phone_invalid", "no country"),
        ("12", "MY", "phone_invalid", "too short"),
        ("+60 12 345 6789 0123 4567", "", "phone_invalid", ""),
        ("call me", "MY", "phone_invalid", "phone number"),
    ],
)
def test_what_is_no_number_is_refused_with_its_reason(
    written: str, region: str, code: str, words: str
) -> None:
    with pytest.raises(DomainError) as caught:
        normalize_phone(written, region=region)
    (error,) = caught.value.errors
    assert (error.field, error.code) == ("phone", code)
    assert words in str(error.message)


@pytest.mark.parametrize(
    ("typed", "digits"),
    [
        ("012-345 6789", "123456789"),
        ("+60 12 345 6789", "60123456789"),
        ("0060123", "60123"),
        ("6789", "6789"),
        ("678", ""),
        ("C-0012", ""),
        ("anna", ""),
    ],
)
def test_the_digits_to_search_for_leave_out_trunk_zeros_and_separators(
    typed: str, digits: str
) -> None:
    assert phone_digits(typed) == digits


def test_the_country_follows_from_the_time_zone() -> None:
    assert region_of_time_zone("Asia/Kuala_Lumpur") == "MY"
    assert region_of_time_zone("Europe/Athens") == "GR"
    assert region_of_time_zone("UTC") == ""


def test_a_number_is_shown_with_the_spaces_of_its_country() -> None:
    assert format_phone("+60123456789") == "+60 12-345 6789"
    assert format_phone("no number") == "no number"
