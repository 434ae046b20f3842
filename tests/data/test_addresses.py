"""Addresses: without their secrets, and as names of files."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast.data.addresses import (
    file_name_of,
    hide_secrets,
    plain_address,
    quote_source,
    split_credentials,
)
from forecast.errors import DataError


@pytest.mark.parametrize(
    ("address", "clean", "credentials"),
    [
        ("https://x.org/a.csv", "https://x.org/a.csv", None),
        ("HTTPS://x.org:8443/a b.csv#c", "https://x.org:8443/a%20b.csv", None),
        ("http://u:p%40ss@x.org/a?b=1", "http://x.org/a?b=1", ("u", "p@ss")),
        ("http://u@x.org/a", "http://x.org/a", ("u", "")),
        ("https://x.org/a%20(b).csv", "https://x.org/a%20(b).csv", None),
        ("http://[::1]:80/a", "http://[::1]:80/a", None),
    ],
)
def test_credentials_are_taken_out(
    address: str, clean: str, credentials: tuple[str, str] | None
) -> None:
    assert split_credentials(address) == (clean, credentials)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "a.csv",
        "ftp://u:s3cret@x.org/a",
        "https://",
        "http://x:port/a",
        "http://u:s3cret@/a",
        "http://u:a/s3cret@x.org/a",
        "http://u:a#s3cret@x.org",
    ],
)
def test_what_is_no_address_is_refused_without_its_password(address: str) -> None:
    with pytest.raises(DataError, match="must begin with http:// or https://") as caught:
        split_credentials(address)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("token=s3cret&year=2020", "token=hidden&year=2020"),
        ("X-Amz-Signature=s3cret", "X-Amz-Signature=hidden"),
        ("X-Amz-Credential=s3cret&X-Amz-Date=1", "X-Amz-Credential=hidden&X-Amz-Date=1"),
        ("api_key=s3cret", "api_key=hidden"),
        ("apikey=s3cret", "apikey=hidden"),
        ("AWSAccessKeyId=s3cret", "AWSAccessKeyId=hidden"),
        ("key=s3cret", "key=hidden"),
        ("auth=s3cret", "auth=hidden"),
        ("sig=s3cret&sv=1", "sig=hidden&sv=1"),
        ("pwd=s3cret", "pwd=hidden"),
        ("keyword=robbery&monkey=1&author=mps", "keyword=robbery&monkey=1&author=mps"),
    ],
)
def test_keys_and_signatures_are_hidden_and_plain_words_are_not(query: str, shown: str) -> None:
    assert plain_address(f"https://u:s3cret@x.org/a?{query}") == f"https://x.org/a?{shown}"


def test_secrets_in_the_words_of_others_are_hidden() -> None:
    said = "cannot reach http://u:s3cret@p.org:8080 for https://x.org/a?token=s3cret now"
    assert hide_secrets(said) == (
        "cannot reach http://p.org:8080 for https://x.org/a?token=hidden now"
    )
    assert hide_secrets("mail a@b.org") == "mail a@b.org"


@pytest.mark.parametrize(
    "source", ["me:s3cret@host/crime", "Server=db;PWD=s3cret", "host=db password = s3cret"]
)
def test_a_source_that_may_hold_a_password_is_not_repeated(source: str) -> None:
    assert quote_source(source) == "'...' (not repeated, as it may hold a password)"


@pytest.mark.parametrize(
    "source", ["counts.csv", r"C:\data\me@force.csv", "a@2020-01-01", "pwd.csv"]
)
def test_other_sources_are_quoted(source: str) -> None:
    assert quote_source(source) == repr(source)


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("https://x.org/MPS%20Borough%20(Historical).csv", "MPS Borough (Historical).csv"),
        ("https://x.org/a/b/", "b"),
        ("https://x.org/", "download"),
        ("https://x.org/%2e%2e", "download"),
        ("https://x.org/..%5C..%5Cevil.csv", "evil.csv"),
        ("https://x.org/.hidden.csv", "hidden.csv"),
        ("https://x.org/a%00b%0A.csv", "a_b_.csv"),
        ("https://x.org/C%3A%7C%3C%3E.csv", "C_.csv"),
        ("https://x.org/con.csv", "_con.csv"),
        ("https://x.org/COM1", "_COM1"),
        ("https://x.org/caf%C3%A9.csv", "café.csv"),
    ],
)
def test_names_of_files_are_safe(address: str, name: str) -> None:
    assert file_name_of(address) == name


@given(st.text(max_size=300))
def test_no_text_makes_a_name_that_leads_elsewhere(text: str) -> None:
    try:
        name = file_name_of(f"https://x.org/{text}")
    except ValueError:  # not an address at all
        return
    assert name
    assert len(name) <= 121
    assert not set(name) & set('/\\:*?"<>|\0\n')
    assert not name.startswith(".")
    assert name == name.strip()


def test_long_names_keep_their_ending() -> None:
    name = file_name_of("https://x.org/" + "a" * 500 + ".csv")
    assert (len(name), name[-4:]) == (120, ".csv")
