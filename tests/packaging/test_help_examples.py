"""Every command says what it does, and shows how it is called."""

from __future__ import annotations

import pytest

from commands import Command, commands

COMMANDS = commands()


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_command_has_an_example_of_its_own(command: Command) -> None:
    assert any(command.name in example for example in command.examples), command.examples
    assert command.summary.endswith((".", ")", ":")), command.summary


def test_examples_are_told_from_words() -> None:
    queue = next(each for each in COMMANDS if each.words == ("queue", "list"))
    assert queue.paragraphs[0] == "List the messages that wait."
    assert not any("mailscope queue list" in part for part in queue.paragraphs)
    assert "mailscope queue list --spool /mnt/copy/postfix --compat postqueue" in queue.examples
    assert ("-h, --help", "Show this message and exit.") in queue.options
    steps = next(each for each in COMMANDS if each.words == ("steps",))
    assert steps.examples == ["mailscope steps 4B5C61F00D /var/log/mail.log"]
