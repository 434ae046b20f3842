"""`forecast notify`: try out whom the nightly refresh tells."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from forecast.commands.asking import AsJson
from forecast.commands.showing import print_json, say
from forecast.errors import DataError


def notify(
    config: Annotated[Path, typer.Argument(help="Configuration of the refresh, a TOML file.")],
    test: Annotated[
        bool, typer.Option("--test", help="Send a test to every mailbox and webhook.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Send a test notice by every channel of the configuration; exit code 1 when one fails."""
    from forecast.nightly.channels import Notices
    from forecast.nightly.configuring import Configuration
    from forecast.nightly.notices import send_test

    if not test:
        raise DataError(
            "Notices must be asked for: the refresh sends its own, and only a test can be sent by "
            "hand. Give --test."
        )
    settings = Configuration.load(config)
    found: Any = settings.notices
    if not isinstance(found, Notices):
        found = Notices.build(found, subject=f"Configuration {config.name!r}, notices,")
    notices: Notices = found
    told = send_test(notices, title=settings.publish.title)
    if as_json:
        print_json({"schema": "forecast.told/1", "told": [each.to_dict() for each in told]})
    else:
        for each in told:
            say(f"{each.status}: {each.text}", to_error=each.status == "failed")
    if any(each.status == "failed" for each in told):
        raise typer.Exit(1)
