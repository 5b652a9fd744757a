"""Options of a command made from the fields of a config: one definition of type, choices and words."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from functools import wraps
from typing import Annotated, Any

import typer

from core.base.config import CARD, Settings
from core.base.limits import Limits
from core.cli.preset_options import option_of
from core.cli.shared import one_of

_KINDS = {"int": int, "float": float, "bool": bool, "str": str}
Command = Callable[..., None]


def with_settings(
    config: type[Settings], names: Sequence[str], *, words: Mapping[str, str] | None = None
) -> Callable[[Command], Command]:
    """Give a command an option for each of the fields ``names`` of ``config``.

    The command gets those that a person gave together with those of its other decorators, as ``settings``.
    ``words`` are other help texts than the fields' own, where an option says more than its field.
    """
    known = {field.name: field for field in fields(config)}
    options = [
        _parameter(name, str(known[name].type), known[name].metadata["limits"], (words or {}).get(name))
        for name in names
    ]

    def decorate(command: Command) -> Command:
        @wraps(command)
        def call(**given: Any) -> None:
            chosen = {name: given.pop(name) for name in names}
            settings = {name: value for name, value in chosen.items() if value is not None}
            command(settings={**settings, **given.pop("settings", {})}, **given)

        signature = inspect.signature(command, eval_str=True)
        own = [one for name, one in signature.parameters.items() if name != "settings"]
        at = next((i for i, one in enumerate(own) if one.name == "resume"), len(own))
        shown = [*own[:at], *options, *own[at:]]
        setattr(call, "__signature__", signature.replace(parameters=shown))  # noqa: B010 - typer reads it
        call.__annotations__ = {one.name: one.annotation for one in shown}
        return call

    return decorate


def _parameter(name: str, kind: str, limits: Limits, words: str | None) -> inspect.Parameter:
    text, choices = words or limits.help, limits.choices
    if kind == "bool":
        info = typer.Option(f"{option_of(name, True)}/{option_of(name, False)}", help=text)
    elif choices and all(isinstance(choice, str) for choice in choices):
        info = one_of(choices, text, also=limits.also, shown="cuda:N" if limits.also == CARD else "")
    else:
        info = typer.Option(help=text)
    own: Any = Annotated[_KINDS[kind.split(" ")[0]] | None, info]
    return inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=None, annotation=own)
