"""`forecast notify`: what it sends, says and ends with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer

from forecast.commands.notifying import notify
from forecast.errors import DataError
from tests import mailserver

CONFIG = """
[[source]]
name = "calls"
path = "calls.csv"
[publish]
title = "London at night"
[[notices.mail]]
server = "127.0.0.1"
port = {port}
security = "none"
sender = "forecast@example.org"
to = "team@example.org"
"""


def call(*words: str) -> int:
    """Run the command in this process; errors come out as they are."""
    app = typer.Typer()
    app.command()(notify)
    return int(app(words, standalone_mode=False) or 0)


@pytest.mark.enable_socket
@pytest.mark.allow_hosts(["127.0.0.1"])
def test_a_test_is_sent(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "nightly.toml"
    with mailserver.running() as server:
        path.write_text(CONFIG.format(port=server.port), "utf-8")
        assert call(str(path), "--test") == 0
        assert b"Subject: London at night: a test\r\n" in server.letters[0][2]
        assert "sent: Mail by 127.0.0.1 was sent to team@example.org." in capsys.readouterr().out
        path.write_text(CONFIG.format(port=server.port).replace("team@", "nobody@"), "utf-8")
        assert call(str(path), "--test", "--json") == 1
    found = json.loads(capsys.readouterr().out)
    assert found["schema"] == "forecast.told/1"
    assert found["told"][0]["status"] == "failed"
    assert "refused nobody@example.org" in found["told"][0]["text"]


def test_what_is_wrong_in_the_configuration_is_said(tmp_path: Path) -> None:
    path = tmp_path / "nightly.toml"
    path.write_text(CONFIG.format(port=1).replace("sender", "from"), "utf-8")
    with pytest.raises(DataError, match="from"):
        call(str(path), "--test")
    with pytest.raises(DataError, match="Give --test"):
        call(str(path))
