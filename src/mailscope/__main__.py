"""``python -m mailscope`` is the same as ``mailscope``."""

from mailscope.cli.main import run

if __name__ == "__main__":
    run()
