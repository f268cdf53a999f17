"""Shell completion for bash, zsh and fish: click's scripts, which ask the program itself what may follow.

    python packaging/completions.py DIRECTORY

Out: below DIRECTORY, the file that each shell looks for.  As the commands, options and choices are asked of
the program when somebody presses Tab, they are always those of the version that is installed.
"""

from __future__ import annotations

import sys
from typing import Final

from click.shell_completion import BashComplete, FishComplete, ShellComplete, ZshComplete

import placing
from mailscope.cli.main import mailscope

PROGRAM: Final = "mailscope"
# Places below /usr/share.  click itself would ask this machine's bash for its version first.
SHELLS: Final[dict[str, type[ShellComplete]]] = {
    "bash-completion/completions/mailscope": BashComplete,
    "zsh/vendor-completions/_mailscope": ZshComplete,
    "fish/vendor_completions.d/mailscope.fish": FishComplete,
}


def scripts() -> dict[str, str]:
    """Each script, by its place below /usr/share."""
    variable = f"_{PROGRAM.upper()}_COMPLETE"
    made = {}
    for place, kind in SHELLS.items():
        shell = kind(mailscope, {}, PROGRAM, variable)
        made[place] = shell.source_template % shell.source_vars()
    return made


def main(arguments: list[str]) -> int:
    """Write the scripts."""
    return placing.main(arguments, scripts())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
